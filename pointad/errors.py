"""The errors that PointAD raises itself: each is one line that names what is wrong and what to do about it."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

LONGEST_NAME = 400
"""Characters of a name that are shown; whole paths of ordinary files are shorter."""
_LONGEST_SENTENCE = 2_000
MORE_OPEN_FILES = "raise the limit of open files (ulimit -n), or use fewer --num_workers"
"""What to do where no further file can be opened, whichever file that is."""
_TOO_MANY_OPEN_FILES = os.strerror(errno.EMFILE)

_HEX_ESCAPES = ((0x100, "\\x{:02x}"), (0x10000, "\\u{:04x}"), (0x110000, "\\U{:08x}"))


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as "1 scan", "2 scans" or "3 classes"."""
    return f"{number} {noun}" + ("" if number == 1 else "es" if noun.endswith("s") else "s")


def shown(text: object) -> str:
    """A text as one line that no terminal, log or page can mistake for anything else.

    Names of files, classes and samples come from others: a control character in them would colour or clear a terminal,
    a line break would forge a line of the log, and bytes that are not text cannot be written as UTF-8 at all. All
    characters that are not printable appear as Python writes them in a string, such as ``\\x1b`` or ``\\udce9``.

    Args:
        text: anything; what is not a text is turned into one.
    """
    return "".join(character if character.isprintable() else _escaped(character) for character in str(text))


def short(text: object, most: int = LONGEST_NAME) -> str:
    """The same for a name that people read, and nothing else: longer than any ordinary one, it loses its middle.

    What tells names apart, such as a name of a file, is made with `shown`: shortened ones may be equal.

    Args:
        text: anything; what is not a text is turned into one.
        most: characters of the result.
    """
    line = shown(text)
    if len(line) <= most:
        return line
    end = (most - 1) // 2
    return f"{line[: most - 1 - end]}…{line[-end:]}"


def _escaped(character: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if character in known:
        return known[character]
    return next(form.format(ord(character)) for end, form in _HEX_ESCAPES if ord(character) < end)


def reason(error: BaseException) -> str:
    """What an error of another library says, as one line; of one that says nothing, what kind it is."""
    said = " ".join(str(error).split())
    return said or ("there is not enough memory" if isinstance(error, MemoryError) else type(error).__name__)


def fault(error: BaseException) -> str:
    """The kind of an error that nobody expected, and what it says if it says anything, as one line."""
    kind, said = type(error).__name__, reason(error)
    return kind if said == kind else f"{kind}: {said}"


class PointADError(Exception):
    """Base of all errors of this library; its text is a single line meant for the person at the keyboard."""


class InputError(PointADError):
    """A file, folder or argument that the person can mend.

    Args:
        subject: the file, folder, flag or value that is wrong.
        problem: what is wrong with it, without a final full stop.
        remedy: what to do about it, without a final full stop; it gives way to `MORE_OPEN_FILES` if that is what helps.
    """

    def __init__(self, subject: str | Path, problem: str, remedy: str) -> None:
        self.subject = str(subject)
        self.problem = problem
        self.remedy = remedy = MORE_OPEN_FILES if _TOO_MANY_OPEN_FILES in problem else remedy
        # Line breaks of quoted errors become spaces; those in the subject, a name, are shown as what they are.
        said = re.sub(r"\s+", " ", f": {problem}; {remedy}")
        super().__init__(short(subject) + short(said, _LONGEST_SENTENCE).rstrip())

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        # Loader workers send their errors to the main process by pickling them.
        return type(self), (self.subject, self.problem, self.remedy)


@contextlib.contextmanager
def failures_of(subject: str | Path, done: str, remedy: str) -> Iterator[None]:
    """Within the block, an error of the operating system is an InputError.

    Args:
        subject: the file or folder.
        done: what cannot be done with it, such as "read" or "written".
        remedy: what to do about it.
    """
    try:
        yield
    except OSError as error:
        raise InputError(subject, f"cannot be {done} ({error.strerror or error})", remedy) from error


@contextlib.contextmanager
def named_subjects(names: Mapping[str, str | Path | None]) -> Iterator[None]:
    """Within the block, errors about arrays are errors about the files that these come from.

    Args:
        names: subject of an error -> what to call it; None, and subjects that are missing, stay as they are.
    """
    try:
        yield
    except InputError as error:
        name = names.get(error.subject)
        if name is None:
            raise
        raise InputError(name, error.problem, error.remedy) from error

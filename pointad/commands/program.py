"""What all command-line programs of this project share: how they start, and how they fail."""

import argparse
import atexit
import contextlib
import errno
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from tqdm import tqdm

from pointad.commands.import_path import working_folder_not_imported
from pointad.commands.library_variables import unreadable_variables
from pointad.commands.parsing import EXIT_ERROR, LONGEST_LINE, parse
from pointad.commands.rounding_variables import ignore_rounding_variables
from pointad.commands.shortages import shortage
from pointad.compute.interrupts import interrupt_behind, lost_interrupts_repeated
from pointad.errors import MORE_OPEN_FILES, PointADError, short

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
EXIT_TERMINATED = 143  # 128 + SIGTERM
EXIT_UNREAD = 141  # 128 + SIGPIPE

# What can go wrong with any file at any time and is no fault of the program.
_NO_DESCRIPTORS: tuple[int | None, ...] = (errno.EMFILE, errno.ENFILE)
_MISHAPS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    *_NO_DESCRIPTORS,
)
_REMEDIES = dict.fromkeys(_NO_DESCRIPTORS, MORE_OPEN_FILES)
_USUAL_REMEDY = "check its permissions and the free disk space"


class Terminated(KeyboardInterrupt):
    """SIGTERM, as batch systems send it before they kill; whatever cleans up after an interrupt does so after this."""


class OneLineFormatter(logging.Formatter):
    """A record is one printable line, whatever names it holds; tracebacks of faults follow as they are."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line of a record."""
        record.message = short(record.message, LONGEST_LINE)
        return super().formatMessage(record)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the layout of a program's description and shows every default that a flag has."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        """The help of a flag with "(default: …)" or "(required)" at its end, unless it says its default itself."""
        text = action.help or ""
        if not action.option_strings or action.default is argparse.SUPPRESS or "(default: " in text:
            return action.help
        if action.required:
            return f"{text} (required)"
        return f"{text} (default: {_shown_default(action.default)})"


def _shown_default(value: object) -> str:
    """A default as it would be typed; % signs are argparse's own."""
    if value is None or value == []:
        return "none"
    if value is False:
        return "off"
    return (" ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)).replace("%", "%%")


def run(
    main: Callable[[argparse.Namespace], int | None],
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None = None,
) -> None:
    """Parse the arguments, run ``main`` and exit with its exit code.

    An error of this library or of a disk, or a lack of memory, becomes one line on standard error and exit code 2; an
    interrupt exits with 130, SIGTERM with 143, and a closed output pipe (as with ``| head``) with 141. Anything else is
    a fault of the program and keeps its traceback. A second interrupt ends the program at once.

    Args:
        main: takes the parsed flags, returns an exit code (``None`` counts as 0).
        parser: the program's flags.
        arguments: what to parse; None takes the command line.
    """
    _open_closed_outputs()
    log_to_standard_error()
    try:
        flags = parse(parser, sys.argv[1:] if arguments is None else arguments)
        unfit = _unfit_working_folder()
        if unfit is not None:
            _say_error(f"working folder: {unfit}")
            sys.exit(EXIT_ERROR)
        if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may hold what the terminal's encoding does not
            sys.stdout.reconfigure(errors="backslashreplace")
            _name_lost_output(sys.stdout)
        ignore_rounding_variables()
        with interrupts_raised(), working_folder_not_imported():
            code = main(flags)
        sys.stdout.flush()
    except PointADError as error:
        _say_error(str(error))
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt as interrupt:
        sys.exit(leave_interrupted(interrupt))
    except BrokenPipeError:
        _drop_output()
        sys.exit(EXIT_UNREAD)
    except OSError as error:
        lack = shortage(error) or unreadable_variables(error)
        if error.errno not in _MISHAPS and error.filename is None and lack is None:
            raise
        subject = error.filename or _subject_without_name()
        _say_error(lack or f"{subject}: {error.strerror}; {_REMEDIES.get(error.errno, _USUAL_REMEDY)}")
        _drop_output()
        sys.exit(EXIT_ERROR)
    except UnicodeEncodeError as error:
        if error.encoding != sys.getfilesystemencoding():
            raise
        _say_error(f"{error.object}: {_lost_letters(error)}")
        sys.exit(EXIT_ERROR)
    except Exception as error:
        cause = interrupt_behind(error)
        if cause is not None:  # libraries in C that are interrupted while they are loaded raise errors of their own
            sys.exit(leave_interrupted(cause))
        lack = shortage(error) or unreadable_variables(error)
        if lack is None:
            raise
        logging.getLogger(__name__).debug("what the program lacks, or cannot read", exc_info=True)
        _say_error(lack)
        sys.exit(EXIT_ERROR)
    finally:
        # All is done; an interrupt while the interpreter shuts down must not print tracebacks of that.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
    sys.exit(code or 0)


def _unfit_working_folder() -> str | None:
    """What is wrong with the working folder, and what to do; None if libraries can find it."""
    try:
        Path.cwd().stat()
    except FileNotFoundError:
        return "it has been removed; change to one that is there"
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return "its path is longer than the system takes; change to another one"
    return None


def _lost_letters(error: UnicodeEncodeError) -> str:
    """What is wrong with a name that the encoding of file names cannot hold, and what to do."""
    letters = (
        f"has letters, {error.object[error.start : error.end]}, that the encoding of file names, {error.encoding},"
    )
    helps = not error.encoding.lower().replace("-", "").startswith("utf8")
    try:
        error.object.encode("utf-8", "surrogateescape")  # as names of files are, with PYTHONUTF8=1
    except UnicodeEncodeError:  # half of a pair of surrogates, as "\\ud800" in a JSON file
        helps = False
    return f"{letters} lacks; {'set PYTHONUTF8=1' if helps else 'rename it, also where it is listed'}"


def log_to_standard_error() -> None:
    """Have the library's log written to standard error, a line a record."""
    _open_closed_outputs()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # As PyTorch itself does once it is imported: when an import is interrupted, it tells figures as Python leaves.
    logging.getLogger("torch").setLevel(logging.WARNING)
    logging.getLogger("huggingface_hub").propagate = False  # it writes its lines itself, and they would come twice


@contextlib.contextmanager
def interrupts_raised() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` within the block, and either signal come again where it is lost in a destructor.

    So are those that come while a module's lock is given back, in an import.
    """
    with termination_raised(), lost_interrupts_repeated(_signal_of):
        yield


@contextlib.contextmanager
def termination_raised() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` within the block, as SIGINT raises KeyboardInterrupt."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield  # only the main thread may, and whoever started this program knows better
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def leave_interrupted(interrupt: KeyboardInterrupt) -> int:
    """Say in one line that a signal ended the program; returns the exit code."""
    terminated = _signal_of(interrupt) == signal.SIGTERM
    how = "terminated" if terminated else "interrupted"
    _say(f"{how}; run the same command again to continue")
    return EXIT_TERMINATED if terminated else EXIT_INTERRUPTED


def _signal_of(interrupt: BaseException) -> int:
    return signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT


def _open_closed_outputs() -> None:
    """A program that was started without standard output or error writes them nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def is_unicode(stream: TextIO) -> bool:
    """Whether a stream takes any text."""
    return (stream.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def _say_error(text: str) -> None:
    _say(f"error: {short(text, LONGEST_LINE)}")


def _say(text: str) -> None:
    """Print on a line of its own, even if a progress bar is shown. What cannot be told changes no exit status."""
    try:
        tqdm.write(text, file=sys.stderr)
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def _subject_without_name() -> str:
    """What an error of writing that names no file is about: what standard output could not take is still to be sent."""
    try:
        sys.stdout.flush()
    except OSError:
        return "standard output"
    return "a file"


def _name_lost_output(stream: TextIO) -> None:
    """Have errors of writing more than fits into the stream's memory say what they are about.

    What could not be written is gone then, so that nothing is left to be sent again.
    """
    if "write" in vars(stream):  # by an earlier program of the same process
        return
    write = stream.write

    def named(text: str) -> int:
        try:
            return write(text)
        except OSError as error:
            error.filename = "standard output"
            raise

    stream.write = named  # type: ignore[method-assign]


def _drop_output() -> None:
    _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    """Send what is still to be written nowhere, so that leaving does not fail over it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

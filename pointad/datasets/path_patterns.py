"""Patterns of paths below a folder, such as `test/{species}/cloud/{id}.ply`: which scans there are, and their files.

A `*` beside {id} or another placeholder stands for nothing, or for what is set apart by something other than a letter
or a digit: `{id}*` never matches a file of scan 10 for scan 1. A file that suits several scans belongs to the longest
{id}.
"""

import bisect
import fnmatch
import glob
import itertools
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pointad.datasets.archive import is_good
from pointad.errors import InputError, counted
from pointad.files.search import files_in_places

logger = logging.getLogger(__name__)

PLACEHOLDERS = ("class", "species", "split", "id")
_TOKENS = re.compile(r"(\{[^{}]*\}|(?:(?<=/)|^)\*\*/|\*+)")
_ANYTHING, _ANY_FOLDERS = "[^/]*", "**/"
_WORD = r"[^\W_]"  # a letter or a digit
_MOST_TOLD = 3

Values = Mapping[str, str]
"""What the placeholders stand for in the path of one scan."""

_Listed = dict[str, list[tuple[str, Path]]]  # what lies in all folders that a pattern matches, by name


def scans_in_places(root: Path, pattern: str) -> dict[Path, Values]:
    """The scans that a pattern matches, in the order of their paths, each with what its placeholders stand for.

    Hidden files and folders are left out unless the pattern spells their dot. Files that would match in another case
    are, too; these are logged. So are names that can be split among placeholders and `*` in several ways.

    Args:
        root: the folder to which the pattern is relative.
        pattern: of their paths.

    Raises:
        InputError: the pattern has an unknown placeholder, or lacks {id} or {species}, or nothing matches it.
    """
    expression, shortest = _scan_expression(pattern), _scan_expression(pattern, shortest_first=True)
    found: dict[Path, Values] = {}
    others, doubtful = [], []
    for path in files_in_places(root, [_name_expression(part) for part in _plain(pattern).split("/")]):
        place = path.relative_to(root).as_posix()
        match = expression.fullmatch(place)
        if match is not None:
            found[path] = match.groupdict()
            if found[path] != (shortest.fullmatch(place) or match).groupdict():
                doubtful.append(path)
        elif re.fullmatch(expression.pattern, place, re.IGNORECASE):
            others.append(path)
    if others:
        message = "pattern %s: leaves out %s in another case, such as %s"
        logger.warning(message, pattern, counted(len(others), "file"), others[0])
    if doubtful:
        message = "pattern %s: can be read in several ways in %s, such as %s, of which %s is taken; %s"
        taken = ", ".join(f"{{{name}}} = {text}" for name, text in found[doubtful[0]].items())
        remedy = "set placeholders apart by what no name contains, or list the samples in a table"
        logger.warning(message, pattern, counted(len(doubtful), "file"), doubtful[0], taken, remedy)
    if not found:
        raise InputError(
            root, f"holds no file matching {pattern}", "check the pattern, which is relative to the folder"
        )
    return found


def _name_expression(part: str) -> re.Pattern[str]:
    """An expression, in any case, for the name of one folder or file on the way to a scan."""
    tokens = _tokens(part)
    shown = "" if not tokens or tokens[0][0] not in "{*" else r"(?!\.|__MACOSX$)"
    parts = (".+" if token.startswith("{") else ".*" if token.startswith("*") else re.escape(token) for token in tokens)
    return re.compile(shown + "".join(parts), re.IGNORECASE | re.DOTALL)


def _scan_expression(pattern: str, *, shortest_first: bool = False) -> re.Pattern[str]:
    """An expression for the paths of scans, relative to their folder, with a group for each placeholder.

    Args:
        pattern: of the paths.
        shortest_first: whether the first placeholders and `*` take as little of a name as possible, or as much.

    Raises:
        InputError: the pattern has an unknown placeholder, or lacks {id} or {species}.
    """
    seen: set[str] = set()
    parts = []
    lazy = "?" if shortest_first else ""
    for token in _tokens(pattern):
        name = token[1:-1] if token.startswith("{") else None
        if token.startswith("*"):
            parts.append(f"{_ANYTHING}{lazy}/" if token == _ANY_FOLDERS else f"{_ANYTHING}{lazy}")
        elif name is None:
            parts.append(re.escape(token))
        else:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+{lazy})")
            seen.add(name)
    for name in ("id", "species"):
        if name not in seen:
            raise InputError(
                f"pattern {pattern}", f"has no {{{name}}}", "it must identify the sample and whether it is good"
            )
    return re.compile("".join(parts))


def files_of_scans(root: Path, pattern: str | None, scans: Sequence[Values]) -> list[Path | None]:
    """The file of each scan that a pattern of pictures or masks matches.

    Logged are different texts for which its `*` stand, and anomalous scans whose only matches may belong to others.

    Args:
        root: the folder to which the pattern is relative.
        pattern: None: there are no files.
        scans: the values of all scans.

    Returns:
        A path for each scan; if there is no file, one that reading will report as missing.

    Raises:
        InputError: the pattern cannot be searched for or has a placeholder without a value, or it matches several files
            for one scan, or one file for scans whose {id} are equally long.
    """
    if pattern is None:
        return [None] * len(scans)
    listed: _Listed = {}
    found = [_matches(root, pattern, values, listed) for values in scans]
    owners = _owners(pattern, scans, found)
    files: list[Path | None] = []
    texts: dict[tuple[str, ...], Path] = {}
    left_out: list[tuple[str, Path]] = []
    for values, matches in zip(scans, found, strict=True):
        own = [path for path, text in matches.items() if text is not None and owners.get(path) in (None, values["id"])]
        if len(own) > 1:
            raise InputError(f"pattern {pattern}", f"matches both {own[0]} and {own[1]}", "make it unambiguous")
        if own:
            texts.setdefault(matches[own[0]] or (), own[0])
        elif matches and not is_good(values["species"]):
            left_out.append((values["id"], next(iter(matches))))
        files.append(own[0] if own else root / "".join(_filled(pattern, values)))
    if left_out:
        message = (
            "pattern %s: finds no file that certainly belongs to %s, such as %s: "
            "%s may be another scan's; replace the * by what stands there"
        )
        logger.warning(message, pattern, counted(len(left_out), "anomalous scan"), *left_out[0])
    if len(texts) > 1:
        shown = ", ".join(f"{' '.join(text)!r} in {path.name}" for text, path in list(texts.items())[:_MOST_TOLD])
        logger.warning("pattern %s: * stands for %d different texts, such as %s", pattern, len(texts), shown)
    return files


def _owners(
    pattern: str, scans: Sequence[Values], found: Sequence[Mapping[Path, tuple[str, ...] | None]]
) -> dict[Path, str]:
    """The {id} to which each file belongs, of those whose pattern matches it; empty if the pattern lacks {id}."""
    claims: dict[Path, set[str]] = {}
    for values, matches in zip(scans, found, strict=True):
        for path, text in matches.items() if "{id}" in pattern else ():
            if text is not None:
                claims.setdefault(path, set()).add(values["id"])
    owners = {}
    for path, names in claims.items():
        *_, second, first = ["", *sorted(names, key=lambda name: (len(name), name))]
        if len(first) == len(second):
            problem = f"matches {path} for the scans {second} and {first}"
            raise InputError(f"pattern {pattern}", problem, "make it unambiguous")
        owners[path] = first
    return owners


def _matches(root: Path, pattern: str, values: Values, listed: _Listed) -> dict[Path, tuple[str, ...] | None]:
    """The files that a pattern may match for one scan: what the `*` stand for, or None if it may be another scan's.

    Args:
        root, pattern, values: as for `files_of_scans`.
        listed: what lies in the folders that were looked into; more are added.
    """
    tokens = list(_filled(pattern, values))
    path = Path("".join(tokens))
    if path.is_absolute() or ".." in path.parts:
        remedy = "make it relative to --data_path, which may be a folder above"
        raise InputError(f"pattern {pattern}", "is not a path inside the folder", remedy)
    given = _tokens(pattern)
    searched, expression = "", ""
    for place, (token, text) in enumerate(zip(given, tokens, strict=True)):
        if not token.startswith("*"):
            searched += glob.escape(text)
            expression += re.escape(text)
            continue
        searched += token
        before, behind = given[place - 1] if place else "/", "".join(given[place + 1 : place + 2])
        if token == _ANY_FOLDERS:
            expression += "(?:.*/)?"
        else:
            kind = "?:" if before.endswith(".") and not behind else ""  # an extension
            hidden = r"(?!\.)" if before.endswith("/") else ""
            begins = f"(?!{_WORD})" if before.startswith("{") else ""
            ends = f"(?<!{_WORD})" if behind.startswith("{") else ""
            expression += f"({kind}{hidden}{begins}{_ANYTHING}{ends}|)"
    try:
        paths = _globbed(root, searched, listed)
    except (ValueError, IndexError, NotImplementedError, OSError) as error:  # '', '.', 'a**', too long a name
        problem = f"cannot be searched for ({getattr(error, 'strerror', None) or error})"
        raise InputError(
            f"pattern {pattern:.200}", problem, "give a path with placeholders, relative to --data_path"
        ) from error
    places = {path: path.relative_to(root) for path in paths}
    if not names_hidden(pattern):
        places = {path: place for path, place in places.items() if not any(map(_is_hidden, place.parts))}
    matches = {path: re.fullmatch(expression, place.as_posix()) for path, place in places.items()}
    return {path: None if match is None else match.groups() for path, match in matches.items()}


def names_hidden(pattern: str) -> bool:
    """Whether a pattern spells the dot of hidden files or folders, which are left out otherwise."""
    return any(map(_is_hidden, _plain(pattern).split("/")))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name not in (".", "..")


def _globbed(root: Path, searched: str, listed: _Listed) -> list[Path]:
    """What `Path.glob` finds, in order; folders in which the files of several scans may lie are listed once for all."""
    folder, _, name = searched.rpartition("/")
    if not glob.has_magic(searched) or not name or "**" in name:
        return sorted(root.glob(searched))
    if folder not in listed:
        found = (_entries(place, folder) for place in _places(root, folder, listed))
        listed[folder] = sorted((path.name, path) for path in itertools.chain.from_iterable(found))
    beginning = re.split(r"[*?[]", name, maxsplit=1)[0]
    start = bisect.bisect_left(listed[folder], (beginning,))
    alike = itertools.takewhile(lambda one: one[0].startswith(beginning), itertools.islice(listed[folder], start, None))
    matches = re.compile(fnmatch.translate(name)).match
    return sorted(path for one, path in alike if matches(one))


def _places(root: Path, folder: str, listed: _Listed) -> Iterable[Path]:
    """The folders that a pattern without the name of a file matches."""
    if not glob.has_magic(folder):
        return filter(Path.is_dir, [root / folder])
    above, _, name = folder.rpartition("/")
    if name == "**":
        below = (place.glob("**/") for place in _places(root, above, listed))
        return dict.fromkeys(itertools.chain.from_iterable(below))
    return filter(Path.is_dir, _globbed(root, folder, listed))


def _entries(place: Path, folder: str) -> Iterable[Path]:
    """What lies in a folder; where `*` led to it, it is passed over if it may not be read."""
    return place.glob("*") if glob.has_magic(folder) else place.iterdir()


def _filled(pattern: str, values: Values) -> Iterator[str]:
    """The tokens of a pattern, with the values of one scan in place of the placeholders."""
    for token in _tokens(pattern):
        name = token[1:-1] if token.startswith("{") else None
        if name is not None and name not in values:
            raise InputError(f"pattern {pattern}", f"has {token}, which the scans' pattern lacks", "remove it")
        yield token if name is None else values[name]


def _tokens(pattern: str) -> list[str]:
    """Placeholders, `*` and what stands between them."""
    tokens = [token for token in _TOKENS.split(_plain(pattern)) if token]
    known = [f"{{{name}}}" for name in PLACEHOLDERS]
    for token in tokens:
        if token.startswith("{") and token not in known:
            problem = f"has the unknown placeholder {token}"
            raise InputError(f"pattern {pattern}", problem, f"use {', '.join(known)} and *")
    return tokens


def _plain(pattern: str) -> str:
    """A pattern without what means nothing in a path, as in `./test//{id}.ply`."""
    return re.sub(r"/(?:\.?/)+", "/", pattern.strip()).removeprefix("./")

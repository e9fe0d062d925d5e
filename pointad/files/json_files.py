"""Reads untrusted JSON files, and writes our own; any problem with a file becomes a one-line error."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from pointad.errors import InputError, short
from pointad.files.atomic import write_text
from pointad.files.regular import read_bytes

_LONGEST_KEY = 80  # characters that are shown


def read_json(path: str | Path, remedy: str) -> Any:
    """The content of a JSON file.

    Args:
        path: the file.
        remedy: what to do if it is missing or broken.

    Raises:
        InputError: the file is missing, unreadable or not JSON.
    """
    try:
        content = read_bytes(path)
    except InputError as error:
        raise InputError(path, error.problem, remedy) from error
    try:
        return parse_json(content.decode(json.detect_encoding(content)))  # tools on Windows write UTF-16 too
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is not readable JSON ({error})", remedy) from error


def write_json(path: str | Path, content: Any, indent: int = 2) -> None:
    """Write a JSON file.

    Raises:
        InputError: it cannot be written.
    """
    write_text(path, json.dumps(content, indent=indent) + "\n")


def parse_json(text: str) -> Any:
    """The content of a JSON text from a stranger: its whole numbers can be turned into floating-point ones.

    Raises:
        ValueError: the text is not JSON, holds a larger number, or an object with a key twice.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_int=_whole_number, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that is there twice, the first value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {short(repeated, _LONGEST_KEY)!r} is repeated in an object")
    return found


def _whole_number(text: str) -> int:
    if math.isinf(float(text)):
        raise ValueError(f"it has a number of {len(text)} digits")
    return int(text)

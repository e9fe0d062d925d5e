"""Reads untrusted JSON files; any problem with the file becomes a one-line error."""

import json
from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.files.regular import read_bytes


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
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is not readable JSON ({error})", remedy) from error

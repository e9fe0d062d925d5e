"""Reads untrusted JSON files; any problem with the file becomes a one-line error."""

import json
from pathlib import Path
from typing import Any

from pointad.errors import InputError


def read_json(path: str | Path, remedy: str) -> Any:
    """The content of a JSON file.

    Args:
        path: the file.
        remedy: what to do if it is missing or broken.

    Raises:
        InputError: the file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", remedy) from error
    except (OSError, ValueError, RecursionError) as error:  # ValueError also for an invalid path
        raise InputError(path, f"is not readable JSON ({error})", remedy) from error

"""Reads what ``torch.save`` wrote, without ever running code from the file."""

from pathlib import Path
from typing import Any

import torch

from pointad.errors import InputError


def read_torch_file(path: Path, *, kind: str, remedy: str) -> Any:
    """Tensors and plain containers from a file, on the CPU.

    Args:
        path: an existing file.
        kind: what the file should be, for the error, such as "a checkpoint of learned prompts".
        remedy: what to do if it is not.

    Raises:
        InputError: the file cannot be read, is damaged, or holds more than tensors and plain containers.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # foreign bytes make the reader stumble in many ways, not only with errors of its own
        raise InputError(path, f"not {kind}", remedy) from error

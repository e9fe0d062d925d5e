"""Writes with ``torch.save``, and reads such files without ever running code from them.

torch's own reader is not used: its ``weights_only`` mode has had published vulnerabilities, allocates what a file
claims rather than what it holds, and does not read TorchScript archives, whose reader runs their code. See
docs/security.md.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.existing import is_beside
from pointad.files.pickle_data import PickleDataError
from pointad.files.tensor_formats import SAFETENSORS, TORCH, tensor_format
from pointad.files.torch_archive import read_torch_content
from pointad.files.unlikely_content import unlikely_content


def read_torch_file(path: Path, *, kind: str, remedy: str) -> Any:
    """Tensors and plain containers from a file, on the CPU.

    Args:
        path: an existing file; from a TorchScript archive, the state dict is read.
        kind: what the file should be, for the error message, such as "a checkpoint of learned prompts".
        remedy: what to do if it is not.

    Raises:
        InputError: the file cannot be read, is damaged, or holds more than dense tensors of ordinary numbers and plain
            containers.
    """
    try:
        with path.open("rb") as file:
            return read_torch_content(file, path.stat().st_size)
    except PermissionError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "check its permissions") from error
    except (PickleDataError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        other = {SAFETENSORS: "it is a safetensors file", TORCH: None, None: "it was not written by torch"}
        reason = unlikely_content(path) or said or other[tensor_format(path)] or error
        raise InputError(path, f"not {kind} ({reason})", remedy) from error


def read_kept_state(path: Path, parts: Mapping[str, type], *, kind: str, remedy: str) -> dict[str, Any] | None:
    """What an interrupted run kept to go on from, on the CPU; None when there is no file.

    Args:
        path: the file.
        parts: what it must hold, each by its name and type.
        kind, remedy: as in `read_torch_file`.

    Raises:
        InputError: as `read_torch_file` does, or a part is missing or something else.
    """
    if not is_beside(path):
        return None
    kept = read_torch_file(path, kind=kind, remedy=remedy)
    if not isinstance(kept, dict) or not all(isinstance(kept.get(name), part) for name, part in parts.items()):
        raise InputError(path, f"not {kind}", remedy)
    return kept


def write_torch_file(content: Any, path: str | Path) -> None:
    """Write tensors and plain containers to a file, atomically.

    Raises:
        InputError: the file cannot be written.
    """
    # Serialized in memory first: when torch itself writes to a full disk, its errors do not name the cause.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def is_state(content: Any) -> bool:
    """Whether an object is a state dict: dense tensors by name."""
    return isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(entry, Tensor) and entry.layout == torch.strided
        for name, entry in content.items()
    )


def check_finite(state: Mapping[str, Tensor], path: str | Path) -> None:
    """Refuse entries that hold non-finite numbers.

    Raises:
        InputError: an entry holds one.
    """
    for name, entry in state.items():
        if entry.is_floating_point() and entry.numel():
            low, high = entry.aminmax()  # a single pass, and NaN propagates into the result
            if not (low.isfinite() and high.isfinite()):
                raise InputError(path, f"its '{name}' holds values that are not finite", "replace the file")

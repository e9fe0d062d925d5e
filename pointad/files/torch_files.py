"""Writes with ``torch.save``, and reads what it wrote without ever running code from the file."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.atomic import atomic_path


def read_torch_file(path: Path, *, kind: str, remedy: str) -> Any:
    """Tensors and plain containers from a file, on the CPU.

    Args:
        path: an existing file.
        kind: what the file should be, for the error, such as "a checkpoint of learned prompts".
        remedy: what to do if it is not.

    Raises:
        InputError: the file cannot be read, is damaged, or holds more than dense tensors and plain containers.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # foreign bytes make the reader stumble in many ways, not only with errors of its own
        raise InputError(path, f"not {kind}", remedy) from error
    if any(entry.numel() * entry.element_size() > entry.untyped_storage().nbytes() for entry in _dense(content)):
        # Repeated by a stride of 0: a few bytes that fill any memory with the first copy.
        raise InputError(path, "holds a tensor that is larger than its values", remedy)
    return content


def _dense(content: Any) -> Iterator[Tensor]:
    """All dense tensors in nested containers."""
    if isinstance(content, Tensor):
        if content.layout == torch.strided and content.device.type == "cpu":
            yield content
    elif isinstance(content, Mapping):
        for entry in content.values():
            yield from _dense(entry)
    elif isinstance(content, (list, tuple)):
        for entry in content:
            yield from _dense(entry)


def write_torch_file(content: Any, path: str | Path) -> None:
    """Tensors and plain containers into a file, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    # By way of memory: writing to a full disk itself, torch raises errors that do not tell.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def is_state(content: Any) -> bool:
    """Whether something is a state dict: dense tensors under names."""
    return isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(entry, Tensor) and entry.layout == torch.strided
        for name, entry in content.items()
    )


def check_finite(state: Mapping[str, Tensor], path: str | Path) -> None:
    """Refuse entries of a file that hold anything but finite numbers.

    Raises:
        InputError: an entry does.
    """
    for name, entry in state.items():
        if entry.is_floating_point() and entry.numel():
            low, high = entry.aminmax()  # one pass, and what is not a number is its result
            if not (low.isfinite() and high.isfinite()):
                raise InputError(path, f"its '{name}' holds values that are not finite", "replace the file")

"""Which of the two formats of tensors a file has, by its content: names are often changed, or have no extension."""

from pathlib import Path

from pointad.files.torch_archive import ZIP_START

SAFETENSORS, TORCH = "safetensors", "torch"

_LENGTH = 8  # bytes before the header of safetensors, which count those of the header
_HEADER_START = b"{"
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in (2, 3, 4, 5))


def tensor_format(path: Path) -> str | None:
    """``SAFETENSORS`` or ``TORCH``; None for anything else, or if the file cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH + len(_HEADER_START))
        size = path.stat().st_size
    except OSError:
        return None
    if start[_LENGTH:] == _HEADER_START and int.from_bytes(start[:_LENGTH], "little") <= size - _LENGTH:
        return SAFETENSORS
    return TORCH if start.startswith((ZIP_START, *_PICKLE_STARTS)) else None

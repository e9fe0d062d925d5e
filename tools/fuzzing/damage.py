"""Ways in which files get damaged, by accident or on purpose."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

INTERESTING_BYTES = (0, 1, 0x7F, 0x80, 0xFF)
INTERESTING_NUMBERS = (b"0", b"-1", b"1000000000000", b"18446744073709551616", b"1e999", b"nan", b"65536")


def damaged(path: Path, folder: Path, number: int) -> Path:
    """A damaged copy of a file, with copies of all that lies beside it.

    Args:
        path: the whole file.
        folder: where the copies go; what it held is removed.
        number: the same number makes the same damage.

    Returns:
        The damaged copy.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    rng = np.random.default_rng(number)
    content = path.read_bytes()
    for _ in range(int(rng.integers(1, 4))):
        content = _DEEDS[int(rng.integers(len(_DEEDS)))](content, rng)
    target = folder / path.name
    target.write_bytes(content)
    return target


def _truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def _change_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        if changed:
            changed[_place(content, rng)] = _byte(rng)
    return bytes(changed)


def _fill(content: bytes, rng: np.random.Generator) -> bytes:
    start, length = _place(content, rng), int(rng.integers(1, 64))
    return content[:start] + bytes([_byte(rng)]) * min(length, len(content) - start) + content[start + length :]


def _remove(content: bytes, rng: np.random.Generator) -> bytes:
    start = _place(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 64)) :]


def _repeat(content: bytes, rng: np.random.Generator) -> bytes:
    start = _place(content, rng)
    piece = content[start : start + int(rng.integers(1, 256))]
    return content[:start] + piece * int(rng.integers(2, 20)) + content[start:]


def _change_number(content: bytes, rng: np.random.Generator) -> bytes:
    """Replace a number that stands in the file as text, near its beginning mostly, where headers are."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[:4096]))
    if not found:
        return _change_bytes(content, rng)
    match = found[int(rng.integers(len(found)))]
    number = INTERESTING_NUMBERS[int(rng.integers(len(INTERESTING_NUMBERS)))]
    return content[: match.start()] + number + content[match.end() :]


def _nest(content: bytes, rng: np.random.Generator) -> bytes:
    start = _place(content, rng)
    return content[:start] + (b"[", b"(", b"{", b"\n")[int(rng.integers(4))] * 5000 + content[start:]


def _place(content: bytes, rng: np.random.Generator) -> int:
    """Anywhere, but every other time within the first 200 bytes."""
    reach = min(len(content), 200) if rng.random() < 0.5 else len(content)
    return int(rng.integers(max(1, reach)))


def _byte(rng: np.random.Generator) -> int:
    if rng.random() < 0.5:
        return INTERESTING_BYTES[int(rng.integers(len(INTERESTING_BYTES)))]
    return int(rng.integers(256))


_DEEDS: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    _truncate,
    _change_bytes,
    _change_bytes,
    _fill,
    _remove,
    _repeat,
    _change_number,
    _change_number,
    _nest,
)

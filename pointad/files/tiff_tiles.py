"""How large the tiles of a TIFF file are: a decoder takes memory for a whole one, even beyond the picture."""

import struct

import numpy as np

_WIDTH, _LENGTH = 322, 323  # tags
_BYTES = {1: 1, 6: 1, 3: 2, 8: 2, 4: 4, 9: 4, 16: 8, 17: 8}  # of a value, by type; others are no sides of tiles
_BIG = 43  # the version of BigTIFF


def largest_tile(content: bytes) -> int:
    """Pixels of a tile of the first image; 0 if it has none. Of tags given several times the largest counts.

    Args:
        content: the whole file.
    """
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    if order is None or len(content) < 16:
        return 0
    (version,) = struct.unpack_from(f"{order}H", content, 2)
    place, count, cell, start = ("Q", "Q", 8, 8) if version == _BIG else ("I", "H", 4, 4)
    (offset,) = struct.unpack_from(order + place, content, start)
    first = offset + struct.calcsize(order + count)
    entry = np.dtype(
        [("tag", f"{order}u2"), ("type", f"{order}u2"), ("count", f"{order}u{cell}"), ("value", f"V{cell}")]
    )
    if first > len(content):
        return 0
    (stated,) = struct.unpack_from(order + count, content, offset)
    entries = np.frombuffer(content, entry, min(stated, (len(content) - first) // entry.itemsize), first)
    return _largest(entries, _WIDTH, order) * _largest(entries, _LENGTH, order)


def _largest(entries: np.ndarray, tag: int, order: str) -> int:
    found = entries[entries["tag"] == tag]
    values = [each["value"].tobytes()[: _BYTES.get(int(each["type"]), 0)] for each in found]
    return max((int.from_bytes(value, "little" if order == "<" else "big") for value in values), default=0)

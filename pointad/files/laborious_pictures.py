"""What of a picture file would take its decoder far more memory or time than the picture has pixels."""

import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFile

_WIDTH, _LENGTH = 322, 323  # tags
_BYTES = {1: 1, 6: 1, 3: 2, 8: 2, 4: 4, 9: 4, 16: 8, 17: 8}  # of a value, by type; others are no sides of tiles
_BIG = 43  # the version of BigTIFF
MOST_IMAGES = 1000  # of a TIFF that are looked at; a pyramid has a dozen
_MOST_TAGS = 100_000  # of these images, each of which has some fifty
_MOST_COVERS = 8  # of a picture by its tiles: planes of channels cover it once each
_MOST_SCANS = 100  # as libtiff permits; usual ones have ten
_MARKER = re.compile(
    rb"\xff([^\x00\xff\xd0-\xd7])"
)  # of a JPEG, behind any number of 0xFF; the others may stand within a scan
_JPEG, _EXIF = b"\xff\xd8", b"Exif\0\0"
_MOST_EXIF = 100  # parts of 64 kB; usual pictures have one
_SCAN, _END, _WITHOUT_LENGTH = 0xDA, 0xD9, (0x01, 0xD8)


def laborious_content(picture: Image.Image, content: bytes) -> str | None:
    """What would keep Pillow busy for minutes or hours, in a picture that it has opened; None for ordinary files.

    Args:
        picture: not decoded yet.
        content: of the whole file.
    """
    if picture.format == "TIFF" and sum(_directory_lengths(content)) > _MOST_TAGS:
        return f"has more than {_MOST_TAGS} tags"
    tiles = picture.tile if isinstance(picture, ImageFile.ImageFile) else []
    areas = ((right - left) * (lower - upper) for left, upper, right, lower in (tile[1] for tile in tiles if tile[1]))
    if sum(areas) > _MOST_COVERS * picture.width * picture.height:
        return f"has strips or tiles for more than {_MOST_COVERS} times its pixels"
    if picture.format in ("JPEG", "MPO") and _scans(content) > _MOST_SCANS:
        return f"comes in more than {_MOST_SCANS} scans"
    return None


def laborious_beginning(content: bytes) -> str | None:
    """The same for a picture that is not open yet: Pillow copies the EXIF data of a JPEG for each part of them."""
    if content.startswith(_JPEG) and content.count(_EXIF) > _MOST_EXIF:
        return f"has EXIF data in more than {_MOST_EXIF} parts"
    return None


def _scans(content: bytes) -> int:
    """How many scans the first picture of a JPEG has: a progressive one is decoded as a whole for each."""
    scans = place = 0
    while scans <= _MOST_SCANS and (found := _MARKER.search(content, place)):
        (marker,), place = found[1], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        if marker not in _WITHOUT_LENGTH:
            place += int.from_bytes(content[place : place + 2], "big")
    return scans


def _directory_lengths(content: bytes) -> Iterator[int]:
    """The number of tags of each image of a TIFF, until their list ends, or leads back to itself."""
    order = {b"II": "<", b"MM": ">"}.get(content[:2], "<")
    (version,) = struct.unpack_from(f"{order}H", content, 2)
    offset, count, size, place = ("Q", "Q", 20, 8) if version == _BIG else ("I", "H", 12, 4)
    seen: set[int] = set()
    while len(seen) < MOST_IMAGES and place + struct.calcsize(order + offset) <= len(content):
        (start,) = struct.unpack_from(order + offset, content, place)
        if start in seen or not 0 < start <= len(content) - struct.calcsize(order + count):
            return
        seen.add(start)
        (tags,) = struct.unpack_from(order + count, content, start)
        yield tags
        place = start + struct.calcsize(order + count) + tags * size


def largest_tile(content: bytes) -> int:
    """Pixels of a tile of the first image of a TIFF, which is decoded as a whole, even beyond the picture; 0 without.

    Of tags given several times the largest counts.

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

"""Whether a zip archive has one directory of its members, which all readers take: an archive may hide in another one.

The directory is found from the end of the file, by a record that has a second form for large archives (zip64) in front
of it. Python's `zipfile` looks for the second form right there, as of some versions at the place that is stated
(CVE-2025-8291), as torch does, and others leave it aside where the first form says everything. Source: APPNOTE.TXT 6.3,
sections 4.3.14 to 4.3.16.
"""

import struct
import zipfile
from typing import BinaryIO

_END = struct.Struct("<4s4H2IH")  # four numbers of disks and members, size and place of the directory, comment
_LARGE_END = struct.Struct("<4sQ2H2I4Q")  # its own size, versions, disks, members here and in all, size and place
_LOCATOR = struct.Struct("<4sIQI")
_SIGNATURES = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LONGEST = _END.size + 0xFFFF  # with a comment
_IN_LARGE_END = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)  # what the first form says of a number that it has no room for


def has_one_directory(archive: zipfile.ZipFile, file: BinaryIO, size: int) -> bool:
    """Whether the end of an archive leads to the directory that was read, and to no other one.

    Args:
        archive: as it was opened.
        file: where it is from.
        size: of the file in bytes.

    Raises:
        OSError: it cannot be read.
    """
    file.seek(max(0, size - _LONGEST))
    tail = file.read()
    end = size - len(tail) + tail.rfind(_SIGNATURES[0])  # bytes that follow belong to no archive
    signature, *_, here, members, length, place, _ = _unpacked(_END, file, end)
    if signature != _SIGNATURES[0]:
        return False
    stated = (here, members, length, place)
    large = end - _LOCATOR.size - _LARGE_END.size
    signature, _, located, _ = _unpacked(_LOCATOR, file, end - _LOCATOR.size)
    if signature == _SIGNATURES[2]:
        signature, *_, here, members, length, place = _unpacked(_LARGE_END, file, large)
        exact = (here, members, length, place)
        if signature != _SIGNATURES[1] or located != large:
            return False
        if any(short not in (long, full) for short, long, full in zip(stated, exact, _IN_LARGE_END, strict=True)):
            return False
        end = large
    return place == archive.start_dir and place + length == end and here == members == len(archive.infolist())


def _unpacked(record: struct.Struct, file: BinaryIO, place: int) -> tuple:
    """The numbers of a record; zeros where the file has none."""
    if place < 0:
        return record.unpack(bytes(record.size))
    file.seek(place)
    return record.unpack(file.read(record.size).ljust(record.size, b"\0"))

"""Puts fuzzed content into whole files, past the lengths and checksums that would stop nearly every mutant."""

import io
import re
import struct
import zipfile
from collections.abc import Callable

Build = Callable[[bytes], bytes]

_VECTORS = re.compile(
    rb'"dtype"\s*:\s*"(F16|F32)"\s*,\s*"shape"\s*:\s*\[\d{1,9},\s*(\d{1,9})\]\s*,\s*'
    rb'"data_offsets"\s*:\s*\[\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\]'
)
_ONES = {b"F16": struct.pack("<e", 1), b"F32": struct.pack("<f", 1)}
_MOST_VALUES = 65_536  # bytes behind a header of safetensors


def as_is(content: bytes) -> bytes:
    """The content is the file."""
    return content


def safetensors_file(content: bytes) -> bytes:
    """A file with this header, if it is one, before as many zeros as it claims; anything else is the file."""
    if not content.startswith(b"{"):
        return content
    ends = [int(end) for end in re.findall(rb'"data_offsets"\s*:\s*\[\s*\d+\s*,\s*(\d{1,9})\s*\]', content)]
    return struct.pack("<Q", len(content)) + content + bytes(min(max(ends, default=0), _MOST_VALUES))


def reference_file(content: bytes) -> bytes:
    """The same for a reference of good scans, whose patches and bends have unit length: each begins with a one."""
    file = bytearray(safetensors_file(content))
    for kind, width, *offsets in _VECTORS.findall(content) if content.startswith(b"{") else ():
        one = _ONES[kind]
        start, end = (8 + len(content) + min(int(offset), _MOST_VALUES) for offset in offsets)
        for place in range(start, end, max(1, int(width)) * len(one)):
            file[place : place + len(one)] = one
    return bytes(file)


def archive_like(template: bytes) -> Build:
    """A function that puts a pickle into a copy of an archive of torch's; what begins as an archive is the file."""
    with zipfile.ZipFile(io.BytesIO(template)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def build(content: bytes) -> bytes:
        if content.startswith(b"PK"):
            return content
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, held in members.items():
                archive.writestr(name, content if name.endswith("/data.pkl") else held)
        return buffer.getvalue()

    return build

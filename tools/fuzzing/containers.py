"""Puts fuzzed content into whole files, past the lengths and checksums that would stop nearly every mutant."""

import io
import re
import struct
import zipfile
from collections.abc import Callable

Build = Callable[[bytes], bytes]

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

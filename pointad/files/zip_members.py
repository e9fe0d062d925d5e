"""Bounds on what the members of a zip file may unpack to, and a check that other readers take the same members."""

import zipfile
from collections import Counter
from pathlib import Path

from pointad.errors import InputError, short
from pointad.files.bounds import check_claim

_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks the others without a bound, a piece at a time
_LONGEST_NAME = 60  # characters that are shown


def refuse_ambiguous_members(archive: zipfile.ZipFile) -> None:
    """Refuse two archives one after the other, and two members of one name: `zipfile` reads the last, others the first.

    Raises:
        ValueError: there are.
    """
    if min((member.header_offset for member in archive.infolist()), default=0) > 0:
        raise ValueError("it is two archives, one after the other, or begins with something else")
    repeated = next((name for name, count in Counter(archive.namelist()).items() if count > 1), None)
    if repeated is not None:
        raise ValueError(f"it holds several members called {short(repeated, _LONGEST_NAME)}")


def check_member(path: str | Path, member: zipfile.ZipInfo) -> None:
    """Refuse a member that claims too much, or whose unpacked size is not bounded by what it claims.

    Args:
        path: the zip file, for the error message.
        member: one of its members.

    Raises:
        InputError: its claim is disproportionate, or it is compressed by anything but deflate.
    """
    check_claim(path, member.file_size, member.compress_size, member.filename)
    if member.compress_type not in _BOUNDED:
        problem = f"its {member.filename} is compressed by method {member.compress_type}, not by deflate"
        raise InputError(path, problem, "write it with numpy.savez or numpy.savez_compressed")

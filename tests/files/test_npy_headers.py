"""What is said about a header that numpy cannot read is the same in every run."""

import struct
from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.files.npy_files import read_npy


def test_a_header_that_is_no_literal_is_told_without_addresses(tmp_path: Path) -> None:
    header = b"{'descr': f(), 'fortran_order': False, 'shape': (1,)}\n"
    path = tmp_path / "scan.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(InputError, match="is not a readable npy file") as caught:
        read_npy(path)
    assert "0x" not in str(caught.value)

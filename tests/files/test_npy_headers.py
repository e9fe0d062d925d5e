"""What is said about arrays that cannot be read: the same in every run, and what helps."""

import struct
from pathlib import Path

import numpy as np
import pytest

from pointad.data.layout import correspondence_name
from pointad.data.rendered_files import read_correspondences
from pointad.errors import InputError
from pointad.files.npy_files import read_npy
from pointad.scans.files import read_scan


def write_header(path: Path, header: bytes, values: bytes = b"") -> None:
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values)


def test_a_header_that_is_no_literal_is_told_without_addresses(tmp_path: Path) -> None:
    path = tmp_path / "scan.npy"
    write_header(path, b"{'descr': f(), 'fortran_order': False, 'shape': (1,)}\n")
    with pytest.raises(InputError, match="is not a readable npy file") as caught:
        read_npy(path)
    assert "0x" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_only_renderings_can_be_rendered_again(suffix: str, tmp_path: Path) -> None:
    own, rendered = tmp_path / f"scan{suffix}", tmp_path / correspondence_name(0)
    if suffix == ".npz":
        np.savez(own, points=np.full((200, 3), "x"))
    else:
        np.save(own, np.full((200, 3), "x"))
    np.save(rendered, np.full((200, 3), "x"))
    with pytest.raises(InputError) as caught:
        read_scan(own)
    assert caught.value.remedy == "replace the file"
    with pytest.raises(InputError, match="render the sample again"):
        read_correspondences(tmp_path, [0])


def test_what_the_parser_gives_up_on_is_no_lack_of_memory(tmp_path: Path) -> None:
    write_header(tmp_path / "scan.npy", b"-" * 9900 + b"1\n")
    with pytest.raises(InputError, match="is not a readable npy file"):
        read_npy(tmp_path / "scan.npy")


@pytest.mark.filterwarnings("error")
def test_arrays_of_python_2_are_read_in_silence(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3L)}\n"
    write_header(tmp_path / "scan.npy", header, np.arange(6.0).tobytes())
    np.testing.assert_array_equal(read_npy(tmp_path / "scan.npy"), np.arange(6.0).reshape(2, 3))

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


def test_a_header_that_is_no_literal_is_told_without_addresses(tmp_path: Path) -> None:
    header = b"{'descr': f(), 'fortran_order': False, 'shape': (1,)}\n"
    path = tmp_path / "scan.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
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

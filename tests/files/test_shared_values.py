"""Values that a torch file refers to several times: all references must say the same of them, as torch assumes."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.torch_files import read_torch_file

FLOATS = torch.tensor([1.5, 2.5, 3.5, 4.5])
KEY = rb"X.\0\0\0(\d+)(?=q.(?:X\x03\0\0\0cpu|h))"  # of values, in a reference to them
COUNT = rb"cpuq.K\x04"


def read(path: Path) -> Any:
    return read_torch_file(path, kind="a test file", remedy="mend it")


def changed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """The pickle with the references of a file changed, to one of the same length."""
    if not zipfile.is_zipfile(path):
        path.write_bytes(change(path.read_bytes()))
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, change(content) if name.endswith("/data.pkl") else content)
    return path


def with_one_key(content: bytes) -> bytes:
    """The second reference leads to the values of the first one."""
    first, second = re.finditer(KEY, content, re.DOTALL)
    return content[: second.start(1)] + first[1] + content[second.end(1) :]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
@pytest.mark.parametrize(
    "other",
    [torch.arange(4, dtype=torch.int32), torch.arange(8, dtype=torch.float16), FLOATS[:2].clone()],
    ids=["numbers of another kind", "other numbers, more of them", "fewer numbers"],
)
def test_values_of_two_kinds_or_counts_are_refused(other: Tensor, zipped: bool, tmp_path: Path) -> None:
    """torch reads both tensors as the first reference says, where other readers take each for itself."""
    path = tmp_path / "a.pth"
    torch.save([FLOATS, other], path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match="not a test file"):
        read(changed(path, with_one_key))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
def test_values_beyond_the_stated_count_are_refused(zipped: bool, tmp_path: Path) -> None:
    """So does torch: parts of two files were mixed."""
    path = tmp_path / "a.pth"
    torch.save([FLOATS[:2]], path, _use_new_zipfile_serialization=zipped)

    def shorten(content: bytes) -> bytes:
        return re.sub(COUNT, lambda found: found[0][:-1] + b"\x02", content, flags=re.DOTALL)

    with pytest.raises(InputError, match="not a test file"):
        read(changed(path, shorten))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
def test_views_of_the_same_values_are_read(zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save([FLOATS, FLOATS[1:3], FLOATS.view(2, 2).T], path, _use_new_zipfile_serialization=zipped)
    whole, part, turned = read(path)
    assert torch.equal(whole, FLOATS) and torch.equal(part, FLOATS[1:3]) and torch.equal(turned, FLOATS.view(2, 2).T)

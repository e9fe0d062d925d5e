"""Archives with two directories of their members, of which readers take one or the other, or of another layout."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from pointad.errors import InputError
from pointad.files.torch_files import read_torch_file

FULL = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)  # the short form says that the long one has the numbers


class Directory(NamedTuple):
    """Members of an archive, and what its directory says of them."""

    content: bytes
    members: int
    entries: bytes


def read(path: Path) -> Any:
    return read_torch_file(path, kind="a test file", remedy="mend it")


def members_of(value: float, root: str, folder: Path) -> dict[str, bytes]:
    path = folder / f"{root}.pth"
    torch.save({"weight": torch.full((2,), value)}, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def directory_of(members: dict[str, bytes], begin: int) -> Directory:
    content = entries = b""
    for name, held in members.items():
        facts = (0, 0, 0, 0, zlib.crc32(held), len(held), len(held), len(name), 0)
        place = begin + len(content)
        content += struct.pack("<IH4H3I2H", 0x04034B50, 45, *facts) + name.encode() + held
        entries += struct.pack("<I2H4H3I2H3H2I", 0x02014B50, 45, 45, *facts, 0, 0, 0, 0, place) + name.encode()
    return Directory(content, len(members), entries)


def long_end(directory: Directory, place: int) -> bytes:
    numbers = (directory.members, directory.members, len(directory.entries), place)
    return struct.pack("<IQ2H2I4Q", 0x06064B50, 44, 45, 45, 0, 0, *numbers)


def locator(place: int) -> bytes:
    return struct.pack("<IIQI", 0x07064B50, 0, place, 1)


def short_end(members: int, here: int, length: int, place: int) -> bytes:
    return struct.pack("<I4H2IH", 0x06054B50, 0, 0, members, here, length, place, 0)


@pytest.fixture
def both(tmp_path: Path) -> tuple[Directory, Directory]:
    """Of ones and of twos."""
    ones = directory_of(members_of(1, "a", tmp_path), 0)
    return ones, directory_of(members_of(2, "b", tmp_path), len(ones.content))


def test_an_archive_is_read_with_either_end(both: tuple[Directory, Directory], tmp_path: Path) -> None:
    one, _ = both
    place = len(one.content)
    short = short_end(one.members, one.members, len(one.entries), place)
    end = place + len(one.entries)
    for ending in (
        short,
        long_end(one, place) + locator(end) + short,
        long_end(one, place) + locator(end) + short_end(*FULL),
    ):
        for behind in (b"", b"appended"):
            (tmp_path / "c.pth").write_bytes(one.content + one.entries + ending + behind)
            assert torch.equal(read(tmp_path / "c.pth")["weight"], torch.ones(2))


def test_a_second_directory_elsewhere_is_refused(both: tuple[Directory, Directory], tmp_path: Path) -> None:
    """torch goes where the end says (twos), Python before CVE-2025-8291 looks right in front of it (ones)."""
    one, two = both
    content = one.content + two.content
    there = len(content) + len(two.entries)
    content += two.entries + long_end(two, len(content))
    content += one.entries + long_end(one, len(content)) + locator(there) + short_end(*FULL)
    (tmp_path / "c.pth").write_bytes(content)
    assert torch.equal(torch.load(tmp_path / "c.pth", weights_only=True)["weight"], torch.full((2,), 2.0))
    with pytest.raises(InputError, match="not a test file"):
        read(tmp_path / "c.pth")


def test_two_ends_that_contradict_each_other_are_refused(both: tuple[Directory, Directory], tmp_path: Path) -> None:
    """Programs that do not know the long form take the short one."""
    one, two = both
    content = one.content + two.content
    short = short_end(two.members, two.members, len(two.entries), len(content))
    content += two.entries
    place = len(content)
    content += one.entries
    (tmp_path / "c.pth").write_bytes(content + long_end(one, place) + locator(len(content)) + short)
    with pytest.raises(InputError, match="two archives, one within the other"):
        read(tmp_path / "c.pth")


@pytest.mark.parametrize("count", [0, 1, 100])
def test_another_number_of_members_is_refused(count: int, both: tuple[Directory, Directory], tmp_path: Path) -> None:
    """Readers go on to the end of the directory, or until they have as many."""
    one, _ = both
    end = short_end(count, count, len(one.entries), len(one.content))
    (tmp_path / "c.pth").write_bytes(one.content + one.entries + end)
    with pytest.raises(InputError, match="two archives, one within the other"):
        read(tmp_path / "c.pth")


def test_members_that_differ_in_capitals_are_refused(tmp_path: Path) -> None:
    """To torch they are one, to others two."""
    members = members_of(1, "a", tmp_path) | {"A/data/0": bytes(8)}
    one = directory_of(members, 0)
    end = short_end(one.members, one.members, len(one.entries), len(one.content))
    (tmp_path / "c.pth").write_bytes(one.content + one.entries + end)
    with pytest.raises(InputError, match="two members of one name"):
        read(tmp_path / "c.pth")


@pytest.mark.parametrize("names", [(), ("one/data.pkl", "other/data.pkl")])
def test_archives_of_another_layout_are_told_from_each_other(names: tuple[str, ...], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        for name in ("note", *names):
            archive.writestr(name, b"}.")
    with pytest.raises(InputError, match="with 2 files called data.pkl" if names else "without torch's data.pkl"):
        read(tmp_path / "a.pth")


@pytest.mark.parametrize(("order", "is_read"), [(b"little", True), (b"big", False), (b"", False), (b"little\n", False)])
def test_other_orders_of_bytes_than_the_stated_one_are_not_assumed(order: bytes, is_read: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for name, held in (members_of(1, "own", tmp_path) | {"own/byteorder": order}).items():
            archive.writestr(name, held)
    if is_read:
        assert read(path)["weight"].tolist() == [1, 1]
        return
    with pytest.raises(InputError, match="does not say that its numbers are little-endian"):
        read(path)

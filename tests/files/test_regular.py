"""What is no regular file is named for what it is, and nothing waits for it."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.files.atomic import atomic_path, remove_file, write_text
from pointad.files.json_files import read_json
from pointad.files.masks import read_mask
from pointad.files.npy_files import read_npy
from pointad.files.pictures import read_depth_picture, read_picture
from pointad.files.regular import read_bytes, regular_file_size
from pointad.reference.reference import Reference
from pointad.scans.files import SUFFIXES, read_scan
from pointad.scans.pcd import read_pcd
from pointad.scans.text import read_rows
from pointad.scans.tiff import read_xyz_tiff

READERS = {
    "picture.png": lambda path: read_picture(path, "RGB"),
    "mask.png": read_mask,
    "depth.png": read_depth_picture,
    "array.npy": read_npy,
    "rows.txt": read_rows,
    "cloud.pcd": read_pcd,
    "xyz.tiff": read_xyz_tiff,
    "results.json": lambda path: read_json(path, "give another file"),
    "good.safetensors": Reference.load,
    **{f"scan{suffix}": read_scan for suffix in SUFFIXES},
}


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def make_loop(path: Path) -> None:
    path.symlink_to(path.with_name("other" + path.suffix))
    path.with_name("other" + path.suffix).symlink_to(path)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


MAKERS = {
    "is a pipe": make_pipe,
    "is a socket": make_socket,
    "symbolic link in a loop": make_loop,
    "is a device": make_device,
    "is a folder": Path.mkdir,
    "does not exist": lambda path: None,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("problem", MAKERS)
def test_no_reader_waits(name: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / name
    MAKERS[problem](path)
    with pytest.raises(InputError, match=problem):
        READERS[name](path)


@pytest.mark.parametrize("name", READERS)
def test_names_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too long"):
        READERS[name](tmp_path / ("a" * 300 + Path(name).suffix))
    with pytest.raises(InputError, match="not a valid path"):
        READERS[name](tmp_path / f"a\0{Path(name).suffix}")
    with pytest.raises(InputError, match="does not exist"):
        READERS[name](Path(__file__) / name)


def test_links_to_files_are_followed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "b.npy").symlink_to(tmp_path / "a.npy")
    assert regular_file_size(tmp_path / "b.npy") == (tmp_path / "a.npy").stat().st_size
    assert read_bytes(tmp_path / "b.npy") == (tmp_path / "a.npy").read_bytes()


@pytest.mark.parametrize("kind", ["is a pipe", "is a socket", "is a device", "is a folder"])
def test_what_is_no_file_is_never_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    MAKERS[kind](path)
    before = path.lstat().st_ino
    with pytest.raises(InputError, match=f"{kind}; choose another name"), atomic_path(path) as temporary:
        temporary.write_text("new")
    assert path.lstat().st_ino == before and [each.name for each in tmp_path.iterdir()] == ["out.json"]


def test_names_of_open_files_are_never_replaced(tmp_path: Path) -> None:
    with (tmp_path / "open.txt").open("w") as file:
        path = tmp_path / "stdout"
        path.symlink_to(f"/proc/self/fd/{file.fileno()}")
        with (
            pytest.raises(InputError, match="is not a file, but an alias of an open one"),
            atomic_path(path) as temporary,
        ):
            temporary.write_text("new")
    assert path.is_symlink()


def test_paths_that_are_none_are_not_written() -> None:
    with pytest.raises(InputError, match="is not a valid path"), atomic_path("a\0b/out.json"):
        pass


@pytest.mark.parametrize("write", [remove_file, lambda path: write_text(path, "new")], ids=["removed", "written"])
def test_pipes_and_devices_are_neither_removed_nor_replaced(write: Callable[[Path], None], tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    for path in (pipe, link):
        with pytest.raises(InputError, match=f"{path.name}: is a"):
            write(path)
    assert pipe.is_fifo() and link.is_symlink() and sorted(tmp_path.iterdir()) == [link, pipe]

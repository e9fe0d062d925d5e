"""Damaged files: no reader raises anything but this library's errors, and none asks for more memory than a file needs.

A longer run: ``python tools/fuzz_readers.py --seconds 3600``.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from robustness.invocation import invoke

from tools.fuzzing.damage import damaged
from tools.fuzzing.readers import READERS, problem_with
from tools.fuzzing.specimens import write_specimens

FILES = 25  # damaged ones a reader


@pytest.fixture(scope="module")
def specimens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_specimens(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files(reader: str, specimens: dict[str, Path], tmp_path: Path) -> None:
    for number in range(FILES):
        path = damaged(specimens[reader], tmp_path / "damaged", number)
        assert problem_with(reader, path, 2**31) is None, f"number {number}"


@pytest.mark.parametrize(
    "reader", [name for name in READERS if name not in ("prompts", "weights", "state", "features")]
)
def test_whole_files_are_read(reader: str, specimens: dict[str, Path]) -> None:
    READERS[reader](specimens[reader])


# Found by fuzzing: each made a reader fail with an error of another kind, or allocate what the file only promised.


def patched(reader: str, change: Callable[[bytes], bytes], specimens: dict[str, Path], folder: Path) -> Path:
    path = folder / specimens[reader].name
    for each in specimens[reader].parent.iterdir():
        (folder / each.name).write_bytes(each.read_bytes())
    path.write_bytes(change(path.read_bytes()))
    return path


def expanded_size(content: bytes) -> bytes:
    start = content.index(b"binary_compressed\n") + len(b"binary_compressed\n")
    return content[: start + 4] + struct.pack("<I", 2**32 - 1) + content[start + 8 :]


def central_directory(content: bytes) -> bytes:
    return content.replace(b"PK\x01\x02", b"PK\x01\x03")


def disks(content: bytes) -> bytes:
    end = content.rindex(b"PK\x06\x07")  # the archive's size in 64 bits
    return content[: end + 16] + struct.pack("<I", 7) + content[end + 20 :]


@pytest.mark.parametrize(
    ("reader", "change"),
    [
        ("pcd_compressed", expanded_size),
        ("weights", central_directory),
        ("weights", disks),
        ("yaml", lambda content: b"[" * 500 + content),
        ("results", lambda content: b"[" * 50_000 + content),
        ("npy", lambda content: content.replace(b"(60, 3)", b"(" * 60)),
    ],
)
def test_found_by_fuzzing(reader: str, change: Callable, specimens: dict[str, Path], tmp_path: Path) -> None:
    path = patched(reader, change, specimens, tmp_path)
    assert path.read_bytes() != specimens[reader].read_bytes()
    assert problem_with(reader, path, 2**31) is None
    with pytest.raises(Exception, match=r".+"):
        READERS[reader](path)


SIGNALLING = struct.pack("<I", 0x7FA00000)  # a NaN that processors report


@pytest.mark.parametrize(
    ("reader", "change"),
    [
        ("stl", lambda content: content[:96] + SIGNALLING + content[100:]),
        ("npy_records", lambda content: content[:-15] + SIGNALLING + content[-11:]),
        ("pose", lambda content: b"\n"),
        ("npy_scan", lambda content: content[:128] + struct.pack("<2d", 1.7e308, -1.7e308) * 60 + content[128 + 960 :]),
        ("pickle", lambda content: content.replace(b"ctorch\n", b"cto\\qrch\n", 1)),
    ],
)
def test_read_without_a_warning(reader: str, change: Callable, specimens: dict[str, Path], tmp_path: Path) -> None:
    assert problem_with(reader, patched(reader, change, specimens, tmp_path), 2**31) is None


def test_tiff_of_numbers_too_large_for_a_scan(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(20, 10, 3))
    values[3, 4] = 1e300
    tifffile.imwrite(tmp_path / "scan.tiff", values, photometric="rgb")
    assert problem_with("tiff", tmp_path / "scan.tiff", 2**31) is None


MANY = 10**12
PROMISES: dict[str, tuple[str, bytes]] = {
    "pcd": ("a.pcd", f"FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS {MANY}\nDATA binary\n".encode()),
    "pcd_ascii": ("a.pcd", f"FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS {MANY}\nDATA ascii\n1 2 3\n".encode()),
    "pcd_compressed": (
        "a.pcd",
        f"FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH {MANY}\nHEIGHT 1\nDATA binary_compressed\n".encode()
        + b"\xff" * 64,
    ),
    "ply": (
        "a.ply",
        f"ply\nformat binary_little_endian 1.0\nelement vertex {MANY}\nproperty float x\nproperty float y\n"
        "property float z\nend_header\n".encode(),
    ),
    "stl": ("a.stl", b"\0" * 80 + struct.pack("<I", 2**32 - 1)),
    "npy_scan": (
        "a.npy",
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", 118)
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }".ljust(80)
        + b"\n",
    ),
    "text": ("a.xyz", f"{MANY}\n".encode()),
}


@pytest.mark.parametrize("reader", PROMISES)
def test_promises_are_refused_before_memory_is_taken(reader: str, tmp_path: Path) -> None:
    name, content = PROMISES[reader]
    (tmp_path / name).write_bytes(content)
    # 64 MB: less than a billionth of what is promised, more than a small file takes.
    assert problem_with(reader, tmp_path / name, 2**26) is None


@pytest.mark.parametrize("reader", ["tiff", "png", "prompts", "safetensors"])
def test_large_promises_of_other_formats(reader: str, tmp_path: Path) -> None:
    path = tmp_path / {"tiff": "a.tiff", "png": "a.png", "prompts": "a.pth", "safetensors": "a.safetensors"}[reader]
    if reader == "tiff":
        path.write_bytes(tiff_header(10**6, 10**6))
    elif reader == "png":
        Image.new("L", (1, 1)).save(path)
        path.write_bytes(path.read_bytes().replace(struct.pack(">II", 1, 1), struct.pack(">II", 10**6, 10**6), 1))
    elif reader == "safetensors":
        path.write_bytes(struct.pack("<Q", 10**12) + b"{}")
    else:
        torch.save({"prompt_learner": {"ctx_pos": torch.zeros(1).expand(1, 1, 10**6, 10**6)}}, path)
    assert problem_with(reader, path, 2**28) is None


def tiff_header(width: int, height: int) -> bytes:
    """A little-endian TIFF of one uncompressed strip of float32, three samples a pixel, without its pixels."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 32), (259, 3, 1), (262, 3, 2), (273, 4, 200)]
    entries += [(277, 3, 3), (278, 4, height), (279, 4, 2**32 - 1), (339, 3, 3)]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", 0)


def test_the_longer_run(tmp_path: Path) -> None:
    ending = invoke("tools/fuzz_readers.py", "--seconds", 1, "--readers", "npy", "pcd", "--save_path", tmp_path)
    assert ending.code == 0, ending.out + ending.err
    assert "0 findings" in ending.out and all(f"{name}: " in ending.out for name in ("npy", "pcd"))

"""Safetensors that describe something twice, of which readers take the first or the last, or that cannot be mapped."""

import errno
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from pointad.errors import InputError
from pointad.files import safetensors_files
from pointad.files.safetensors_files import read_safetensors

FLOATS = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
INTEGERS = FLOATS.replace("F32", "I32")


def written(header: str, path: Path) -> Path:
    padded = header.encode().ljust(-(-len(header) // 8) * 8)
    path.write_bytes(struct.pack("<Q", len(padded)) + padded + struct.pack("<2f", 1.5, 2.5))
    return path


@pytest.mark.parametrize(
    "header",
    [
        f'{{"a":{FLOATS},"a":{INTEGERS}}}',
        f'{{"a":{INTEGERS},"a":{FLOATS}}}',
        f'{{"a":{INTEGERS},"\\u0061":{FLOATS}}}',
        f'{{"__metadata__":{{"key":"1","key":"2"}},"a":{FLOATS}}}',
    ],
)
def test_names_that_are_repeated_are_refused(header: str, tmp_path: Path) -> None:
    path = written(header, tmp_path / "a.safetensors")
    with safe_open(path, framework="pt") as file:
        assert list(file.keys()) == ["a"]  # the library notices nothing
    with pytest.raises(InputError, match=r"its header is ambiguous: the key '.*' is repeated"):
        read_safetensors(path, kind="a test file", remedy="mend it")


def test_tensors_without_values_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a kilobyte, which is twenty times its part of the header."""
    monkeypatch.setattr("pointad.files.safetensors_files.MOST_TENSORS", 3)
    empty = '{"dtype":"F32","shape":[0],"data_offsets":[8,8]}'
    for count in (3, 4):
        header = ",".join([f'"a":{FLOATS}', *(f'"{number}":{empty}' for number in range(1, count))])
        path = written(f"{{{header}}}", tmp_path / "a.safetensors")
        if count == 3:
            assert len(read_safetensors(path, kind="a test file", remedy="mend it")) == 3
            continue
        with pytest.raises(InputError, match=r"a\.safetensors: not a test file \(it holds more than 3 tensors\)"):
            read_safetensors(path, kind="a test file", remedy="mend it")


def test_names_that_are_not_repeated_are_read(tmp_path: Path) -> None:
    path = written(f'{{"__metadata__":{{"key":"1"}},"a":{FLOATS}}}', tmp_path / "a.safetensors")
    read = read_safetensors(path, kind="a test file", remedy="mend it")
    assert torch.equal(read["a"], torch.tensor([1.5, 2.5]))


@pytest.mark.parametrize(
    ("number", "expected", "told"),
    [
        (errno.ENODEV, InputError, r"not a test file \(unable to mmap"),
        (errno.EMFILE, InputError, r"unable to mmap .*; raise the limit of open files"),
        (errno.ENOMEM, RuntimeError, "unable to mmap"),  # which programs tell as a lack of memory
    ],
)
def test_files_that_cannot_be_mapped_into_memory_are_told(
    number: int, expected: type[Exception], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(f'{{"a":{FLOATS}}}', tmp_path / "a.safetensors")

    def unmapped(path: Path, **options: str) -> None:
        raise RuntimeError(f"unable to mmap 8 bytes from file <{path}>: {os.strerror(number)} ({number})")

    monkeypatch.setattr(safetensors_files, "safe_open", unmapped)
    with pytest.raises(expected, match=told):
        read_safetensors(path, kind="a test file", remedy="mend it")

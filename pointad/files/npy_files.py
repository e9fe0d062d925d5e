"""Reads `.npy` arrays from anywhere without trusting them: no pickles, no memory before the header is checked."""

from pathlib import Path
from typing import BinaryIO

import numpy as np

from pointad.errors import InputError

_REMEDY = "replace the file, or render the sample again"


def read_npy(path: str | Path, kinds: str = "iuf") -> np.ndarray:
    """Read an array of numbers.

    Args:
        path: a `.npy` file.
        kinds: permitted kinds of dtype, as in `numpy.dtype.kind`: "i" and "u" integers, "f" floats, "b" booleans.

    Returns:
        The array with its own shape and dtype.

    Raises:
        InputError: the file is missing, holds objects or another kind of number, or is shorter or longer than its
            header says.
    """
    try:
        with Path(path).open("rb") as file:
            return read_npy_stream(file, path, Path(path).stat().st_size, kinds)
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "check the path, or render the data set again") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", _REMEDY) from error


def read_npy_stream(file: BinaryIO, name: str | Path, size: int, kinds: str = "iuf") -> np.ndarray:
    """`read_npy` for an open binary file, such as a member of an archive.

    Args:
        file: stands at the beginning of the array.
        name: what errors call it.
        size: bytes that the file holds.
        kinds: as in `read_npy`.

    Raises:
        InputError: as in `read_npy`.
    """
    shape, fortran_order, dtype, header_bytes = _header(file, name)
    if dtype.kind not in kinds:
        raise InputError(name, f"holds {dtype} values instead of {_spoken(kinds)}", _REMEDY)
    count = 1
    for length in shape:  # Python integers: no overflow for absurd shapes
        count *= length
    if count * dtype.itemsize != size - header_bytes:
        raise InputError(
            name, f"promises {count} values of {dtype} but holds {size - header_bytes} bytes after its header", _REMEDY
        )
    values = np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype)
    if len(values) != count:
        raise InputError(name, "ends before its last value", _REMEDY)
    return values.reshape(shape, order="F" if fortran_order else "C")


def _header(file: BinaryIO, name: str | Path) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"npy version {version}")
    except Exception as error:  # numpy reads the header as a Python literal, which fails in many ways
        raise InputError(name, f"is not a readable npy file ({error})", _REMEDY) from error
    if any(length < 0 for length in shape):
        raise InputError(name, f"has the impossible shape {shape}", _REMEDY)
    return shape, fortran_order, dtype, file.tell()


def _spoken(kinds: str) -> str:
    names = {"i": "signed integers", "u": "unsigned integers", "f": "floats", "b": "booleans"}
    return " or ".join(names[kind] for kind in kinds)

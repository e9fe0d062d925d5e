"""Reads untrusted `.npy` arrays: no pickles, and nothing is allocated before the header has been checked."""

import io
import re
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from pointad.compute.silence import without_warnings
from pointad.errors import InputError, failures_of, reason
from pointad.files.regular import regular_file_size

_MOST_AXES = 16
_LONGEST_AXIS = 2**62
_LONGEST_HEADER = 10_000  # bytes, numpy's own limit, which it applies only after having read the header
_NESTED = 1000  # bytes, of the shortest header that Python's parser takes for too deep
_ROOM = 2**24  # bytes, far more than a header takes
_MAGIC = 8  # bytes before the length of the header
_WITHOUT_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # of an object of Python, which says nothing and changes
_REMEDY = "replace the file"


class NpyHeader(NamedTuple):
    """The header of an array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype
    length: int  # bytes of the header itself


def read_npy(path: str | Path, kinds: str = "iuf", most_values: int | None = None, remedy: str = _REMEDY) -> np.ndarray:
    """Read an array of numbers.

    Args:
        path: a `.npy` file.
        kinds: permitted kinds of dtype, as in `numpy.dtype.kind`: "i" and "u" integers, "f" floats, "b" booleans, "V"
            records of such.
        most_values: an array with more values is refused.
        remedy: what errors about a broken file advise.

    Returns:
        The array with its own shape and dtype.

    Raises:
        InputError: the file is missing, holds objects or another kind of number, or is shorter or longer than stated
            in its header.
    """
    size = regular_file_size(path)
    with failures_of(path, "read", remedy), Path(path).open("rb") as file:
        return read_npy_stream(file, path, size, kinds, most_values, remedy)


def read_npy_stream(
    file: BinaryIO,
    name: str | Path,
    size: int,
    kinds: str = "iuf",
    most_values: int | None = None,
    remedy: str = _REMEDY,
) -> np.ndarray:
    """`read_npy` for an open binary file, such as a member of an archive.

    Args:
        file: positioned at the beginning of the array.
        name: how errors refer to it.
        size: of the file in bytes.
        kinds, most_values, remedy: as in `read_npy`.

    Raises:
        InputError: as in `read_npy`.
    """
    header = read_npy_header(file, name, remedy)
    dtype = header.dtype
    if dtype.hasobject:
        raise InputError(name, "holds objects of Python, which are not read", "save an array of numbers")
    if dtype.kind not in kinds or (dtype.kind == "V" and dtype.names is None):
        raise InputError(name, f"holds {dtype} values, expected {_spoken(kinds)}", remedy)
    count = 1
    for length in header.shape:  # Python integers: no overflow for absurd shapes
        count *= length
    if count * dtype.itemsize != size - header.length:
        problem = f"declares {count} values of {dtype} but has {size - header.length} bytes after its header"
        raise InputError(name, problem, remedy)
    if most_values is not None and count > most_values:
        raise InputError(name, f"holds an array of shape {header.shape}", f"give one of at most {most_values} values")
    try:
        values = np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype)
        if len(values) != count:
            raise InputError(name, "ends before its last value", remedy)
        return values.reshape(header.shape, order="F" if header.fortran_order else "C")
    except ValueError as error:  # an empty array with a dimension beyond any machine's range
        raise InputError(name, f"has the impossible shape {header.shape} ({error})", remedy) from error


def read_npy_header(file: BinaryIO, name: str | Path, remedy: str = _REMEDY) -> NpyHeader:
    """Read the header of an array; the file is then positioned after it.

    Args:
        file: positioned at the beginning of the array.
        name: how errors refer to it.
        remedy: as in `read_npy`.

    Raises:
        InputError: it is not a header, or its shape is impossible.
    """
    try:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"npy version {version}")
        form = "<H" if version == (1, 0) else "<I"
        size = file.read(struct.calcsize(form))
        (claimed,) = struct.unpack(form, size)
        if claimed > _LONGEST_HEADER:
            raise ValueError(f"its header claims {claimed} bytes")
        header = io.BytesIO(size + file.read(claimed))
        with without_warnings():  # about numbers as Python 2 wrote them
            if version == (1, 0):
                shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(header)
            else:
                shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(header)
        length = _MAGIC + header.tell()
    except MemoryError as error:
        if claimed < _NESTED:
            raise
        bytearray(_ROOM)  # if that is there, it is Python's parser that gives up, on thousands of signs
        raise InputError(name, "is not a readable npy file (its header is nested too deeply)", remedy) from error
    except Exception as error:  # numpy reads the header as a Python literal, which fails in many ways
        said = _WITHOUT_ADDRESS.sub(r"", reason(error))
        raise InputError(name, f"is not a readable npy file ({said})", remedy) from error
    if len(shape) > _MOST_AXES:
        raise InputError(name, f"has {len(shape)} axes", remedy)
    if any(not 0 <= axis < _LONGEST_AXIS for axis in shape) or dtype.itemsize == 0:
        raise InputError(name, f"has an impossible shape or zero-sized values ({dtype})", remedy)
    return NpyHeader(shape, fortran_order, dtype, length)


def _spoken(kinds: str) -> str:
    names = {"i": "signed integers", "u": "unsigned integers", "f": "floats", "b": "booleans", "V": "records"}
    return " or ".join(names[kind] for kind in kinds)

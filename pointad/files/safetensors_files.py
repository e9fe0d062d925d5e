"""Reads tensors from ``.safetensors`` files; the library checks sizes against the file before allocating anything."""

import contextlib
import errno
import os
import re
import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from pointad.compute.interrupts import held_interrupts
from pointad.errors import InputError
from pointad.files.json_files import parse_json
from pointad.files.tensor_formats import TORCH, tensor_format
from pointad.files.torch_tensors import MOST_TENSORS
from pointad.files.unlikely_content import unlikely_content

SUFFIX = ".safetensors"
_LENGTH = struct.Struct("<Q")  # of the header, in front of it
_MOST_VALUES = 2**40  # by the sides other than 0; empty tensors may state any, and torch fails beyond 63 bits
_MOST_DIMENSIONS = 64  # of PyTorch
# Complex numbers, 8-bit and 4-bit floats and the like make no sense for weights used in float32.
_PLAIN = frozenset(("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"))


@contextlib.contextmanager
def opened_safetensors(path: str | Path) -> Iterator[Any]:
    """A file for `safetensors` to read from, on the CPU; the library would take an interrupt for a damaged file.

    Raises:
        OSError, SafetensorError: it cannot be read.
    """
    with Path(path).open("rb"):  # the library takes every file that cannot be opened for missing
        pass
    with held_interrupts(), _mapped(path) as file:
        if len(file.keys()) > MOST_TENSORS:
            raise SafetensorError(f"it holds more than {MOST_TENSORS} tensors")
        _refuse_repeated_names(Path(path))
        for name in file.keys():  # noqa: SIM118  (it is not a dictionary)
            shape = file.get_slice(name).get_shape()
            if len(shape) > _MOST_DIMENSIONS or prod(filter(None, shape)) > _MOST_VALUES:
                raise SafetensorError(f"its '{name[:100]}' has a shape that no tensor can have")
        yield file


def _mapped(path: str | Path) -> Any:
    try:
        return safe_open(path, framework="pt", device="cpu")
    except RuntimeError as error:  # PyTorch's, which maps the file into memory
        if os.strerror(errno.ENOMEM) in str(error):
            raise
        number = re.search(r"\((\d+)\)$", str(error))
        if number is not None:  # of an error of the system, which is no fault of the file
            raise OSError(int(number[1]), str(error), str(path)) from error
        raise SafetensorError(str(error)) from error


def _refuse_repeated_names(path: Path) -> None:
    """Refuse a header that describes a tensor twice: the library takes the last one, other readers the first."""
    with path.open("rb") as file:
        content = file.read(_LENGTH.size).ljust(_LENGTH.size, b"\0")
        header = file.read(*_LENGTH.unpack(content))  # which the library has compared with the file
    try:
        parse_json(header.decode())
    except ValueError as error:
        raise SafetensorError(f"its header is ambiguous: {error}") from error


def own_tensor(file: Any, name: str) -> Tensor:
    """A tensor of an opened file, in memory of its own.

    The library's is the file itself, mapped into memory: where another file is copied over it during a run of hours,
    the numbers become others without a word, and where it is shortened, the process is killed.
    """
    return file.get_tensor(name).clone()


def read_safetensors(path: Path, *, kind: str, remedy: str) -> dict[str, Tensor]:
    """All tensors of a file under their names, on the CPU.

    Args:
        path: an existing file.
        kind: what the file should be, for the error message.
        remedy: what to do if it is not.

    Raises:
        InputError: the file cannot be read, is damaged, or holds anything but integers and floats of 16 to 64 bits.
    """
    try:
        with opened_safetensors(path) as file:
            for name in file.keys():  # noqa: SIM118
                stored_as = file.get_slice(name).get_dtype()
                if stored_as not in _PLAIN:
                    problem = f"not {kind} that can be read (its '{name[:100]}' holds {stored_as} values)"
                    raise InputError(path, problem, remedy)
            return {name: own_tensor(file, name) for name in file.keys()}  # noqa: SIM118
    except PermissionError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "check its permissions") from error
    except (OSError, SafetensorError, ValueError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        other = "it is a torch file" if tensor_format(path) == TORCH else None
        reason = unlikely_content(path) or said or other or str(error).splitlines()[0][:200]
        raise InputError(path, f"not {kind} ({reason})", remedy) from error

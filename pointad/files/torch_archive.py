"""The containers of torch's files: zip archives (torch 1.6 and later, TorchScript) and the older sequence of pickles.

Everything that is read is bounded by the file's size: members of an archive must be uncompressed, as torch writes them,
and no storage may be larger than its bytes. Source: ``torch/serialization.py``.
"""

import zipfile
from typing import IO, Any, BinaryIO

import torch
from torch import Tensor

from pointad.errors import reason
from pointad.files.pickle_data import LARGEST_PICKLE, Instance, PickleDataError, as_text, read_pickle_data
from pointad.files.torch_tensors import MOST_REPEATED, TensorReader, script_state, storage_reference
from pointad.files.zip_ends import has_one_directory

ZIP_START = b"PK\x03\x04"
_SEQUENCE_MAGIC = 0x1950A86A20F9469CFC6C
_SEQUENCE_VERSION = 1001
_CHUNK = 1 << 24  # bytes that are read at once


def read_torch_content(file: BinaryIO, size: int) -> Any:
    """The tensors and plain containers of a torch file; for a TorchScript archive, its state dict.

    Args:
        file: binary, positioned at its beginning.
        size: of the file in bytes.

    Raises:
        PickleDataError: it is not a torch file, is damaged, or holds something else.
        OSError: it cannot be read.
    """
    start = file.read(len(ZIP_START))
    file.seek(0)
    try:
        if start != ZIP_START:
            return _read_sequence(file, size)
        if not zipfile.is_zipfile(file):
            raise PickleDataError("it is cut off: the end of its archive is missing, download it again")
        with zipfile.ZipFile(file) as archive:
            return _read_archive(archive, file, size)
    except (PickleDataError, OSError, MemoryError):
        raise
    except Exception as error:  # on damaged bytes zipfile fails in many ways, not only with its own errors
        raise PickleDataError(f"it is damaged or cut off: {reason(error)}") from error


def _read_archive(archive: zipfile.ZipFile, file: BinaryIO, size: int) -> Any:
    members = {member.filename: member for member in archive.infolist()}
    # Readers would not agree on which one counts; torch's takes small letters and capitals for the same.
    if len({name.lower() for name in members}) < len(archive.infolist()):
        raise PickleDataError("it is damaged: its archive has two members of one name")
    # Up to a NUL, or in a second form that Python 3.12 and later take, and neither earlier ones nor torch.
    if any(member.filename != member.orig_filename for member in members.values()):
        raise PickleDataError("its archive has a member of two names")
    if min((member.header_offset for member in members.values()), default=0) > 0:
        raise PickleDataError("it is two archives, one after the other")  # of which torch reads the first
    if not has_one_directory(archive, file, size):  # torch, and other versions of Python, may read another one
        raise PickleDataError("it is two archives, one within the other, or the end of its archive is damaged")
    pickles = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        found = (
            f"with {len(pickles)} files called data.pkl, of which torch writes one"
            if pickles
            else "without torch's data.pkl"
        )
        raise PickleDataError(f"it is an archive {found}")
    root = pickles[0].removesuffix("data.pkl")
    if f"{root}byteorder" in members and _read(archive, members[f"{root}byteorder"], 16) != b"little":
        raise PickleDataError("it does not say that its numbers are little-endian, and others are not supported")
    left = size

    def storage(key: str, count: int) -> Tensor:
        nonlocal left
        member = members.get(f"{root}data/{key}")
        if member is None:
            raise PickleDataError(f"its archive lacks the values {key[:100]!r}")
        left -= member.file_size
        if member.file_size < count or left < 0:
            raise PickleDataError("it holds a tensor that is larger than its values")
        _check_stored(member)
        values = torch.empty(member.file_size, dtype=torch.uint8)
        with archive.open(member) as source:
            _fill(values, source)
        return values

    scripted = f"{root}constants.pkl" in members
    reader = TensorReader(storage, MOST_REPEATED * size, scripted=scripted)
    content = reader.read(_read(archive, members[pickles[0]], LARGEST_PICKLE))
    return script_state(content) if isinstance(content, Instance) else content


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, largest: int) -> bytes:
    if member.file_size > largest:
        raise PickleDataError(f"its {member.filename[-40:]} is larger than {largest} bytes")
    _check_stored(member)
    return archive.read(member)


def _check_stored(member: zipfile.ZipInfo) -> None:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise PickleDataError("its archive is compressed, which torch.save never does; save it again with torch.save")


def _read_sequence(file: BinaryIO, size: int) -> Any:
    """The format of torch before 1.6: five pickles, then the storages in sequence, each preceded by its length."""
    if _plain(file) != _SEQUENCE_MAGIC or _plain(file) != _SEQUENCE_VERSION:
        raise PickleDataError("it was not written by torch")
    system = _plain(file)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise PickleDataError("it does not say that its numbers are little-endian, and others are not supported")
    beginning = file.tell()
    kinds: dict[str, torch.dtype] = {}

    def note(reference: Any) -> None:
        key, kinds[key], _ = storage_reference(reference)

    # Read once for the dtypes of the storages, which determine their offsets, and once for the tensors.
    read_pickle_data(file, reduce=lambda *_: {}, persistent=note, is_class=lambda _: False)
    places: dict[str, tuple[int, int]] = {}  # key -> offset of its values, and their size in bytes
    for key in map(as_text, _plain(file)):
        length = int.from_bytes(file.read(8), "little") * kinds[key].itemsize
        places[key] = file.tell(), length
        if length > size - file.tell():
            raise PickleDataError("it ends before its last value")
        file.seek(length, 1)

    def storage(key: str, count: int) -> Tensor:
        place, length = places[key]
        if length != count:
            raise PickleDataError("it holds a tensor that is larger than its values")
        values = torch.empty(length, dtype=torch.uint8)
        position = file.tell()
        file.seek(place)
        _fill(values, file)
        file.seek(position)
        return values

    file.seek(beginning)
    return TensorReader(storage, MOST_REPEATED * size).read(file)


def _plain(file: BinaryIO) -> Any:
    """A pickle of numbers, strings and containers of them."""

    def refuse(*_: Any) -> None:
        raise PickleDataError("it was not written by torch")

    return read_pickle_data(file, reduce=refuse, persistent=refuse, is_class=lambda _: False)


def _fill(values: Tensor, source: IO[bytes]) -> None:
    """Read as many bytes as the tensor has."""
    target = values.numpy().data
    while target:
        read = source.read(min(len(target), _CHUNK))
        if not read:
            raise PickleDataError("it ends before its last value")
        target[: len(read)] = read
        target = target[len(read) :]

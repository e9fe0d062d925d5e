"""Small pickles of torch files that name one thing many times: neither memory nor time grows beyond their size."""

import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pointad.errors import InputError
from pointad.files import pickle_data
from pointad.files.torch_files import read_torch_file
from pointad.model.weights import read_weights

CALLS = {
    "call": b"ctorch._utils\n_rebuild_parameter\nq\x01(" + b"N" * 33 + b"t",
    "reference": b"(" + b"N" * 33 + b"t",
}
_MODULE = b"c__torch__\nModel\n"


def text(content: str) -> bytes:
    return b"X" + struct.pack("<I", len(content)) + content.encode()


def one_text_many_times(count: int) -> bytes:
    """Bytes of one text of 100 kB, made `count` times."""
    called = b"c_codecs\nencode\nq\x01" + text("a" * 100_000) + text("latin1") + b"\x86q\x02R"
    return b"\x80\x02](" + called + b"h\x01h\x02R" * (count - 1) + b"e."


def one_module_many_times(name: str, count: int) -> bytes:
    """A module under a long name, which holds another one under `count` short names."""
    inner = text("a0") + _MODULE + b")\x81q\x01" + b"".join(text(f"a{index}") + b"h\x01" for index in range(1, count))
    return b"\x80\x02" + _MODULE + b")\x81}(" + text(name) + _MODULE + b")\x81}(" + inner + b"ubub."


def one_table_many_times(entries: int, count: int) -> bytes:
    """One table of attributes, given to `count` modules."""
    table = b"".join(text(str(index)) + b"N" for index in range(entries))
    return b"\x80\x02](" + _MODULE + b"q\x00)\x81}q\x02(" + table + b"ub" + b"h\x00)\x81h\x02b" * (count - 1) + b"e."


def number(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(content)) + content


def keys(*each: bytes) -> bytes:
    """A dictionary with these keys."""
    return b"\x80\x02}(" + b"".join(key + b"N" for key in each) + b"u."


SLOW = {
    "numbers of equal hash": (keys(*(number(index * ((1 << 61) - 1)) for index in range(20))), "of more than 64 bits"),
    "a long number": (keys(number(1 << 1000)), "of more than 64 bits"),
    "many numbers": (keys(*map(number, range(10_001))), "more than 10000 numbers as keys"),
    "a long key": (keys(text("a" * 10_001)), "a key of 10001 characters"),
    "a long class": (b"\x80\x02c__torch__." + b"a" * 10_000 + b"\nModel\n)\x81.", "a name of 10010 characters"),
}

GROWING = {
    "text": one_text_many_times(1000),
    "name": one_module_many_times("n" * 10_000, 1000),
    "table": one_table_many_times(10_000, 1000),
}


def tensors_without_values(dimensions: int, count: int) -> bytes:
    """Tensors of one shape, which are made anew for every three bytes of their pickle."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x00tQ"
    shape = b"(K\x00" + b"K\x01" * (dimensions - 1) + b"t(" + b"K\x01" * dimensions + b"t"
    called = b"ctorch._utils\n_rebuild_tensor_v2\nq\x00(" + storage + b"K\x00" + shape + b"\x89Ntq\x01R"
    return b"\x80\x02](" + called + b"h\x00h\x01R" * (count - 1) + b"e."


def read_pickle_of_archive(stream: bytes, folder: Path) -> object:
    with zipfile.ZipFile(folder / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", stream)
        archive.writestr("a/data/0", b"")
    return read_torch_file(folder / "a.pt", kind="weights", remedy="give others")


def test_tensors_are_counted_as_those_without_values_take_room_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="it holds a tensor of 64 dimensions, and 16 are the most"):
        read_pickle_of_archive(tensors_without_values(64, 1), tmp_path)
    with pytest.raises(InputError, match="it holds more than 50000 tensors"):
        read_pickle_of_archive(tensors_without_values(1, 50_001), tmp_path)
    monkeypatch.setattr("pointad.files.torch_tensors.MOST_TENSORS", 20)
    read = read_pickle_of_archive(tensors_without_values(16, 20), tmp_path)
    assert isinstance(read, list) and {tuple(each.shape) for each in read} == {(0, *[1] * 15)}


def test_empty_containers_are_not_noted_one_by_one(tmp_path: Path) -> None:
    count = 200_000
    tracemalloc.start()
    read = read_pickle_of_archive(b"\x80\x02](" + b"}" * count + b"e.", tmp_path)
    assert read == [{}] * count and tracemalloc.get_traced_memory()[1] < 100 * count
    tracemalloc.stop()


@pytest.mark.parametrize("stream", GROWING.values(), ids=GROWING.keys())
def test_what_is_named_many_times_does_not_multiply(stream: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", stream)
        archive.writestr("a/constants.pkl", b"\x80\x02).")
    tracemalloc.start()
    with pytest.raises(InputError, match=r"far more room|MiB together|more than 1000000 attributes"):
        read_torch_file(tmp_path / "a.pt", kind="a test file", remedy="mend it")
    assert tracemalloc.get_traced_memory()[1] < 1 << 26
    tracemalloc.stop()


def test_containers_that_many_others_hold_are_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = 0

    def counted(value: object) -> object:
        nonlocal walked
        walked += 1
        return containers_in(value)

    containers_in = pickle_data._containers_in
    monkeypatch.setattr(pickle_data, "_containers_in", counted)
    holders = pickle_data.DEEPEST_NESTING - 2
    stream = b"\x80\x02]q\x00(" + b"]Na" * 50 + b"e\x85" + b"h\x00\x86" * (holders - 1)
    value = pickle_data.read_pickle_data(stream + b".", reduce=_refuse, persistent=_refuse, is_class=lambda _: False)
    assert isinstance(value, tuple) and walked == 50 + 1 + holders
    with pytest.raises(pickle_data.PickleDataError, match="nested more than 100 deep"):
        pickle_data.read_pickle_data(stream + b"\x85.", reduce=_refuse, persistent=_refuse, is_class=lambda _: False)


def _refuse(*_: object) -> None:
    raise AssertionError("nothing is called")


def test_many_prefixes_of_a_name_are_stripped(tmp_path: Path) -> None:
    names = ("module." * 100_000 + "model.logit_scale", "module." * 100_000 + "model.visual.proj")
    save_file({name: torch.ones(1) for name in names}, tmp_path / "a.safetensors")
    assert set(read_weights(tmp_path / "a.safetensors").state) == {"logit_scale", "visual.proj"}


@pytest.mark.parametrize("kind", CALLS)
def test_calls_and_references_have_few_arguments(kind: str, tmp_path: Path) -> None:
    """One tuple of them may be named at every instruction, and each call looks at all of it."""
    stream = b"\x80\x02" + CALLS[kind] + (b"R." if kind == "call" else b"Q.")
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a/data.pkl", stream)
    with pytest.raises(InputError, match="its pickle is damaged: 33 arguments"):
        read_torch_file(tmp_path / "a.pt", kind="weights", remedy="give others")


@pytest.mark.parametrize("stream, problem", SLOW.values(), ids=SLOW.keys())
def test_keys_and_names_are_short_and_numbers_among_them_few(stream: bytes, problem: str, tmp_path: Path) -> None:
    """Others are hashed, compared or copied anew at each of a million instructions, which takes hours."""
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", stream)
        archive.writestr("a/constants.pkl", b"\x80\x02).")
    with pytest.raises(InputError, match=problem):
        read_torch_file(tmp_path / "a.pt", kind="weights", remedy="give others")


def test_storages_of_the_older_format_are_known_by_texts(tmp_path: Path) -> None:
    """The hash and the text of a tower of tuples take twice as long with every floor of it."""
    tower = b"\x80\x02](N" + b"q\x01h\x01\x86" * 90 + b"e."
    beginning = (pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {}))
    (tmp_path / "a.pt").write_bytes(b"".join(beginning) + tower)
    with pytest.raises(InputError, match="a name that is not a string"):
        read_torch_file(tmp_path / "a.pt", kind="weights", remedy="give others")

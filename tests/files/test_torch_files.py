"""Files of torch's: everything that its ``save`` writes of tensors and plain containers is read, and nothing else."""

import argparse
import os
import pickle
import resource
import struct
import sys
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.files.existing import require_file
from pointad.files.torch_files import read_kept_state, read_torch_file, write_torch_file


def read(path: Path) -> Any:
    return read_torch_file(path, kind="a test file", remedy="mend it")


def saved(content: object, path: Path, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def assert_same(read_back: Any, original: Any) -> None:
    if isinstance(original, Tensor):
        assert read_back.dtype == original.dtype and read_back.shape == original.shape
        assert torch.equal(read_back, original.detach())
    elif isinstance(original, dict):
        assert list(read_back) == list(original)
        for name in original:
            assert_same(read_back[name], original[name])
    elif isinstance(original, (list, tuple)):
        assert type(read_back) in (list, tuple) and len(read_back) == len(original)
        for one, other in zip(read_back, original, strict=True):
            assert_same(one, other)
    else:
        assert read_back == original and type(read_back) is type(original)


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    """Tensors of all plain kinds, with offsets, strides and a shared storage, and what a training state is made of."""
    shared = torch.randn(100)
    layer = nn.Linear(3, 4)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    kinds = (
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.bool,
    )
    return {
        "whole": shared,
        "turned part": shared[3:43].view(4, 10).T,
        "every other": shared[1::2],
        **{str(kind): torch.tensor([[1, 0, 1]]).to(kind) for kind in kinds},
        "bytes": torch.tensor([0, 255], dtype=torch.uint8),
        "nothing": torch.zeros(0, 5),
        "number": torch.tensor(3.5),
        "parameter": nn.Parameter(torch.randn(2)),
        "layer": dict(layer.state_dict()),
        "optimizer": optimizer.state_dict(),
        "plain": [1, -5, 2**40, 2.5, "text", "Ünï", None, True, False, (1, (2, 3)), b"\x00\xff", {1: "one"}, [], ()],
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
def test_what_torch_saves_is_read(everything: dict[str, Any], zipped: bool, protocol: int, tmp_path: Path) -> None:
    path = saved(everything, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    content = read(path)
    assert_same(content, everything)
    if protocol == 2:  # torch's own reader knows the bytes of no other
        assert_same(content, torch.load(path, weights_only=True))
    whole, part = content["whole"], content["turned part"]
    assert part.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()
    assert part.stride() == everything["turned part"].stride()


def self_containing() -> dict[str, Any]:
    content: dict[str, Any] = {"weight": torch.zeros(2)}
    content["again"] = content
    return content


def nested(depth: int) -> list[Any]:
    content: list[Any] = []
    for _ in range(depth):
        content = [content]
    return content


REFUSED = [
    pytest.param(self_containing, "contains itself", id="contains itself"),
    pytest.param(lambda: nested(150), "nested more than 100 deep", id="deep"),
    pytest.param(lambda: torch.zeros(3, dtype=torch.complex64), "ComplexFloatStorage", id="complex"),
    pytest.param(lambda: torch.zeros(3, dtype=torch.complex64).conj(), "not supported", id="conjugated"),
    pytest.param(lambda: torch._neg_view(torch.ones(3)), "conjugated or negated views", id="negated"),
    pytest.param(lambda: torch.zeros(3).to(torch.float8_e4m3fn), "float8_e4m3fn", id="float8"),
    pytest.param(lambda: torch.zeros(3, dtype=torch.uint16), "uint16", id="uint16"),
    pytest.param(lambda: torch.zeros(3, device="meta"), "without values", id="meta"),
    pytest.param(lambda: torch.zeros(3).to_sparse(), "sparse", id="sparse"),
    pytest.param(lambda: torch.zeros(1).expand(10**9), "larger than its values", id="repeated"),
    pytest.param(lambda: argparse.Namespace(rate=1), "argparse.Namespace", id="namespace"),
    pytest.param(lambda: {"best": np.float64(0.5)}, "NumPy", id="numpy scalar"),
    pytest.param(lambda: nn.Linear(1, 1), "object of torch.nn.modules.linear.Linear|whole model", id="module"),
    pytest.param(lambda: {(1, 2): 3}, "neither strings nor numbers", id="tuples as keys"),
]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_what_is_more_than_plain_tensors_is_refused(content: Any, reason: str, zipped: bool, tmp_path: Path) -> None:
    path = saved(content(), tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=reason) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_quantized_tensors_are_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such tensors are on their way out
        quantized = torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8)
    with pytest.raises(InputError, match="QInt8Storage values, which are not supported"):
        read(saved(quantized, tmp_path / "a.pt"))


def rezipped(source: Path, target: Path, change: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """The same archive with other content in some members (by the end of their names), which may be compressed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            ending = next((end for end in change if name.endswith(end)), None)
            new.writestr(name, old.read(name) if ending is None else change[ending])
    return target


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["data.pkl", "data/0"])
def test_members_of_one_name_are_refused(name: str, tmp_path: Path) -> None:
    path = saved({"weight": torch.zeros(4)}, tmp_path / "a.pth")
    with zipfile.ZipFile(path, "a") as archive:
        (own,) = (member for member in archive.namelist() if member.endswith(f"/{name}"))
        archive.writestr(own, archive.read(own))
    with pytest.raises(InputError, match="two members of one name"):
        read(path)


def renamed(path: Path, names: dict[str, str], *, extra: bool) -> None:
    """Give members of an archive second names: behind the first one and a NUL, or in the field of Info-ZIP."""
    with zipfile.ZipFile(path) as old:
        members = [(name, old.read(name)) for name in old.namelist()]
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members:
            member = zipfile.ZipInfo(name)
            root, _, own = name.partition("/")
            second = f"{root}/{names[own]}".encode() if own in names else b""
            if second and extra:
                checksum = zlib.crc32(name.encode())
                member.extra = struct.pack("<HHBI", 0x7075, 5 + len(second), 1, checksum) + second
            elif second:
                member.filename = f"{name}\0{names[own]}"
            new.writestr(member, content)


@pytest.mark.parametrize("extra", [False, True])
def test_members_of_two_names_are_refused_or_read_as_torch_does(extra: bool, tmp_path: Path) -> None:
    path = saved({"first": torch.zeros(4), "second": torch.ones(4)}, tmp_path / "a.pth")
    renamed(path, {"data/0": "data/1", "data/1": "data/0"}, extra=extra)
    try:
        found = read(path)
    except InputError as error:
        assert "a member of two names" in str(error)
    else:
        assert extra and sys.version_info < (3, 12)
        assert_same(found, torch.load(path, weights_only=True))


def test_two_archives_in_one_file_are_refused(tmp_path: Path) -> None:
    first, second = (
        saved({"weight": torch.full((4,), value)}, tmp_path / "a.pth").read_bytes() for value in (1.0, 2.0)
    )
    (tmp_path / "b.pth").write_bytes(first + second)  # of which torch reads the first, and zipfile the second
    with pytest.raises(InputError, match="two archives, one after the other"):
        read(tmp_path / "b.pth")
    (tmp_path / "b.pth").write_bytes(first + b"appended")
    assert torch.equal(read(tmp_path / "b.pth")["weight"], torch.ones(4))


def test_a_small_compressed_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A gigabyte of zeros takes a megabyte; torch's own reader unpacks it before anything is looked at."""
    original = saved({"weight": torch.zeros(1 << 26)}, tmp_path / "a.pt")
    bomb = rezipped(original, tmp_path / "bomb.pth", {}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    with pytest.raises(InputError, match="its archive is compressed"):
        read(bomb)
    python_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert python_bytes < 1 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


@pytest.mark.parametrize("count", [2**40, 10**30])
def test_a_storage_cannot_claim_more_than_its_file_has(count: int, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"weight": torch.zeros(4)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    place = content.index(b"cpu") + 3
    start = content.index(b"K\x04", place)
    claimed = pickle.dumps(count, protocol=2)[2:-1]
    path.write_bytes(content[:start] + claimed + content[start + 2 :])
    with pytest.raises(InputError, match="not a test file"):
        read(path)


def test_members_that_overlap_do_not_multiply(tmp_path: Path) -> None:
    """One run of bytes under many names of the archive's directory counts once for each of them."""
    original = saved({f"w{index}": torch.ones(1 << 16) for index in range(8)}, tmp_path / "a.pt")
    content = bytearray(original.read_bytes())
    with zipfile.ZipFile(original) as archive:
        first = archive.getinfo("a/data/0").header_offset
        last = archive.getinfo("a/data/7").header_offset
    for index in range(1, 8):
        entry = content.rindex(f"a/data/{index}".encode()) - 46
        content[entry + 42 : entry + 46] = struct.pack("<I", first)
    shortened = content[:first] + content[last:]
    path = tmp_path / "b.pt"
    path.write_bytes(bytes(shortened))
    with pytest.raises(InputError, match="not a test file"):
        read(path)


def test_a_text_cannot_claim_more_than_its_file_has(tmp_path: Path) -> None:
    """Of the first pickle of a sequence; a file's own reader makes room for what is asked for before it reads."""
    path = tmp_path / "a.pt"
    path.write_bytes(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"abc.")
    tracemalloc.start()
    with pytest.raises(InputError, match="not a test file"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 26
    tracemalloc.stop()


HOSTILE_PICKLES = {
    "calls": b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.",
    "protocol 0": b"cposix\nsystem\n(S'true'\ntR.",
    "instance": b"(iposix\nsystem\n.",
    "extension": b"\x80\x02\x82\x01.",
    "attribute of a function": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.",
    "no end": b"\x80\x02" + b"}" * 1000,
    "huge array": b"\x80\x02c__builtin__\nbytearray\n\x8a\x05\x00\x00\x00\x00\x10\x85R.",
    "tuple of tuples as key": b"\x80\x02})" + b"\x85" * 200_000 + b"Ns.",
    "stack underrun": b"\x80\x02R.",
    "call without what it needs": b"\x80\x02ctorch._utils\n_rebuild_tensor_v3\n)R.",
    "value that was never stored": b"\x80\x02h\x05.",
    "name that is not a string": b"\x80\x04)" + b"\x85" * 200_000 + b"X\x01\x00\x00\x00a\x93.",
    "type of a million tuples": b"\x80\x04(\x8c\x07storage)" + b"q\x00h\x00\x86" * 20 + b"\x8c\x010\x8c\x03cpuK\x04tQ.",
}


@pytest.mark.parametrize("stream", HOSTILE_PICKLES.values(), ids=HOSTILE_PICKLES.keys())
def test_hostile_pickles(stream: bytes, tmp_path: Path) -> None:
    original = saved({}, tmp_path / "a.pt")
    path = rezipped(original, tmp_path / "b.pt", {"data.pkl": stream})
    with pytest.raises(InputError, match="not a test file") as caught:
        read(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 + len(str(path))
    assert "()" not in str(caught.value) and "(5)" not in str(caught.value)  # Python's words about this program


def test_many_instructions_are_refused_before_they_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointad.files.pickle_data.MOST_INSTRUCTIONS", 1000)
    stream = b"\x80\x04" + b"}\x94" * 1000 + b"."
    with pytest.raises(InputError, match="more than 1000 instructions"):
        read(rezipped(saved({}, tmp_path / "a.pt"), tmp_path / "b.pt", {"data.pkl": stream}))


def test_a_huge_memo_index_costs_nothing(tmp_path: Path) -> None:
    stream = b"\x80\x02}r\xff\xff\xff\x7f."
    assert read(rezipped(saved({}, tmp_path / "a.pt"), tmp_path / "b.pt", {"data.pkl": stream})) == {}


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
def test_cut_off_files(zipped: bool, place: float, tmp_path: Path) -> None:
    path = saved({"weight": torch.randn(1000)}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * place)])
    with pytest.raises(InputError, match=r"damaged|ends before|cut off"):
        read(path)


def test_flipped_bits_are_noticed(tmp_path: Path) -> None:
    path = saved({"weight": torch.full((1000,), 1.25)}, tmp_path / "a.pt")
    content = bytearray(path.read_bytes())
    place = content.index(struct.pack("<f", 1.25) * 10)
    content[place + 100] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="damaged"):
        read(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])
def test_any_damage_is_one_line(zipped: bool, tmp_path: Path) -> None:
    """Whatever zipfile makes of it: names that are no text, sizes beyond any file, compressions that do not exist."""
    content = saved({"weight": torch.randn(8)}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped).read_bytes()
    path = tmp_path / "b.pt"
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + b"\xff\xab\x80" + content[place + 3 :])
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer.*git lfs pull"),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"GGUF\x03", "GGUF"),
        (b"some text", "(it was not written by torch)"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}", "(it was not written by torch)"),
        (b'{"a": 1}', "(it was not written by torch)"),
    ],
)
def test_what_lies_in_place_of_a_file_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read(path)


def test_paths_that_lead_to_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, problem in [
        (tmp_path / "pipe", "named pipe"),
        (Path("/dev/zero"), "character device"),
        (tmp_path, "a folder"),
        (tmp_path / "loop", "symbolic link in a loop"),
        (tmp_path / ("x" * 300), "too long"),
        (tmp_path / "a\0b", "is not a valid path"),
        (tmp_path / "missing", "nothing"),
    ]:
        with pytest.raises(InputError, match=problem) as caught:
            require_file(path, "nothing there", "name another")
        assert "\n" not in str(caught.value)


def test_what_a_run_kept_is_given_back_whole_or_refused(tmp_path: Path) -> None:
    path, parts = tmp_path / "kept.pt", {"step": int, "parts": dict}
    about = {"kind": "the progress of a run", "remedy": "remove it"}
    assert read_kept_state(path, parts, **about) is None
    write_torch_file({"step": 3, "parts": {"filters": torch.ones(2)}, "more": 1}, path)
    kept = read_kept_state(path, parts, **about)
    assert kept is not None and kept["step"] == 3 and torch.equal(kept["parts"]["filters"], torch.ones(2))
    for other in ({"step": 3}, {"step": "3", "parts": {}}, [1, 2], torch.ones(2)):
        write_torch_file(other, path)
        with pytest.raises(InputError, match="not the progress of a run; remove it"):
            read_kept_state(path, parts, **about)

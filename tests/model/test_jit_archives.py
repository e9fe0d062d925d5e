"""TorchScript archives: read as the interpreter would read them, without running anything in them."""

import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from jit_archive import write_jit_archive
from robustness.hostile_archive import write_deed
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.files.torch_files import read_torch_file
from pointad.model.weights import read_weights

SHARED = torch.arange(100, dtype=torch.float32)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2)
        self.layer = nn.Linear(8, 8)
        self.scale = nn.Parameter(SHARED[4:12].clone())
        self.register_buffer("turned", SHARED[10:90].view(8, 10).T)
        self.register_buffer("part", SHARED[2:7])

    def forward(self, values: Tensor) -> Tensor:
        return self.attn(values, values, values)[0] + self.layer(values) * self.scale


class Model(nn.Module):
    """Nested modules, one under two names, half precision, views of one storage, attributes that are no tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(), nn.ReLU(), Block())
        self.again = self.blocks[0]
        self.halves = nn.Linear(8, 3).half()
        self.brain_floats = nn.Linear(3, 3).bfloat16()
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("nothing", torch.zeros(0, 4))
        self.sizes = [1, 2]
        self.text = "a text"
        self.rate = 0.5

    def forward(self, values: Tensor) -> Tensor:
        return self.blocks(values)


def scripted() -> torch.jit.ScriptModule:
    return torch.jit.script(Model())


def traced() -> torch.jit.ScriptModule:
    return torch.jit.trace(Model(), torch.randn(2, 1, 8))


def read(path: Path) -> dict[str, Tensor]:
    return read_torch_file(path, kind="weights", remedy="give others")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [scripted, traced])
def test_same_state_as_the_interpreter_has(make: Callable[[], torch.jit.ScriptModule], tmp_path: Path) -> None:
    path = tmp_path / "archive.pt"
    module = make()
    torch.jit.save(module, path)
    expected = module.state_dict()
    state = read(path)
    assert state.keys() == expected.keys()
    for name, entry in expected.items():
        assert state[name].dtype == entry.dtype, name
        assert state[name].stride() == entry.stride(), name
        assert torch.equal(state[name], entry), name


@pytest.mark.filterwarnings("ignore")
def test_code_of_an_archive_is_never_run(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(bytes(16))
    write_deed(tmp_path / "deed.pt", victim)
    # The archive is this test's own: it must do here what the library's reader must not let it do.
    torch.jit.load(tmp_path / "deed.pt")
    assert victim.read_bytes() != bytes(16), "the archive does nothing, so this test tests nothing"
    victim.write_bytes(bytes(16))
    assert read(tmp_path / "deed.pt") == {}
    with pytest.raises(InputError, match="it is empty"):
        read_weights(tmp_path / "deed.pt")
    assert victim.read_bytes() == bytes(16)


def test_an_archive_with_modules_in_a_circle_ends(tmp_path: Path) -> None:
    write_jit_archive({"visual.proj": torch.zeros(2)}, tmp_path / "a.pt")
    stream = (
        b"\x80\x02c__torch__\nModel\n)\x81q\x00}"
        b"(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00ub."  # its attributes a and b are itself
    )
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
        for name in old.namelist():
            new.writestr(name, stream if name.endswith("data.pkl") else old.read(name))
    with pytest.raises(InputError, match="contains itself"):
        read(tmp_path / "b.pt")


def test_other_classes_in_an_archive_are_refused(tmp_path: Path) -> None:
    write_jit_archive({"visual.proj": torch.zeros(2)}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
        for name in old.namelist():
            new.writestr(name, b"\x80\x02cbuiltins\nset\n)\x81." if name.endswith("data.pkl") else old.read(name))
    with pytest.raises(InputError, match=r"an object of builtins\.set"):
        read(tmp_path / "b.pt")


def test_masks_and_bookkeeping_are_no_weights(tmp_path: Path) -> None:
    state = {
        "visual.proj": torch.ones(2, 2),
        "attn_mask": torch.full((2, 2), -math.inf).triu(1),
        "transformer.resblocks.0.attn_mask": torch.ones(2, 2, dtype=torch.bool).triu(1),
    }
    write_jit_archive(state, tmp_path / "a.pt")
    weights = read_weights(tmp_path / "a.pt")
    assert weights.from_openai and list(weights.state) == ["visual.proj"]


def test_a_mask_that_lets_tokens_see_later_ones_is_refused(tmp_path: Path) -> None:
    causal = torch.full((3, 3), -math.inf).triu(1)
    for mask in (torch.zeros(3, 3), causal.T.contiguous(), causal[:2], causal - 1, torch.ones(3, 3, dtype=torch.bool)):
        write_jit_archive({"visual.proj": torch.ones(2, 2), "attn_mask": mask}, tmp_path / "a.pt")
        with pytest.raises(InputError, match="its 'attn_mask' is not the mask of CLIP's texts"):
            read_weights(tmp_path / "a.pt")
    write_jit_archive({"visual.proj": torch.ones(2, 2), "attn_mask": causal.half()}, tmp_path / "a.pt")
    read_weights(tmp_path / "a.pt")

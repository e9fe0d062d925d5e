"""train.py and test.py with checkpoints, CLIP weights and training states that are broken, foreign or hostile."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from robustness.hostile_archive import write_deed
from robustness.invocation import assert_one_error_line, files_below, invoke
from robustness.spoiling import empty, linked_copy, replace, truncate
from safetensors.torch import save_file

Make = Callable[[Path], object]


class Deed:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple:
        return Path.touch, (self.witness,)


def saved(content: object) -> Make:
    def write(path: Path) -> None:
        path.unlink()
        torch.save(content, path)

    return write


def changed(change: Callable[[dict], object]) -> Make:
    """The prompts of the goldens with something else in their state."""

    def write(path: Path) -> None:
        content = torch.load(path, weights_only=True)
        change(content["prompt_learner"])
        path.unlink()
        torch.save(content, path)

    return write


def bare_pickle(path: Path) -> None:
    replace(path, pickle.dumps(Deed(path.with_name("witness"))))


def zipped_pickle(path: Path) -> None:
    path.unlink()
    torch.save({"prompt_learner": Deed(path.with_name("witness"))}, path)


def fill(name: str, value: float) -> Make:
    return changed(lambda state: state[name].fill_(value))


def drop(name: str) -> Make:
    return changed(lambda state: state.pop(name))


def put(name: object, value: object) -> Make:
    return changed(lambda state: state.__setitem__(name, value))


CHECKPOINTS = [
    pytest.param(lambda path: (path.unlink(), os.mkfifo(path)), id="a pipe"),
    pytest.param(lambda path: path.unlink(), id="missing"),
    pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
    pytest.param(empty, id="empty"),
    pytest.param(truncate, id="truncated"),
    pytest.param(lambda path: truncate(path, 0.99), id="without its end"),
    pytest.param(lambda path: replace(path, b"no checkpoint"), id="text"),
    pytest.param(bare_pickle, id="a pickle with code"),
    pytest.param(zipped_pickle, id="code inside an archive"),
    pytest.param(saved([1, 2]), id="a list"),
    pytest.param(saved({"state_dict": {}}), id="of something else"),
    pytest.param(saved({"prompt_learner": {"ctx_pos": 1}}), id="numbers for tensors"),
    pytest.param(saved({"prompt_learner": {}}), id="no entries"),
    pytest.param(drop("ctx_neg"), id="an entry less"),
    pytest.param(drop("token_suffix_pos"), id="a suffix less"),
    pytest.param(put("ctx_pos", torch.zeros(1, 1, 12, 512)), id="of another width"),
    pytest.param(put("ctx_pos", torch.zeros(12)), id="of other dimensions"),
    pytest.param(put("ctx_pos", torch.zeros(1, 1, 0, 0)), id="of no width"),
    pytest.param(put("ctx_neg", torch.zeros(1, 1, 3, 64)), id="uneven contexts"),
    pytest.param(put("compound_prompts_text.0", torch.zeros(())), id="deep tokens are a number"),
    pytest.param(put("compound_prompts_text.99", torch.zeros(4, 64)), id="more deep tokens than blocks"),
    pytest.param(put("tokenized_prompts_pos", torch.full((1, 1, 77), 10**6)), id="tokens that do not exist"),
    pytest.param(put("tokenized_prompts_pos", torch.full((1, 1, 77), -1)), id="negative tokens"),
    pytest.param(put("tokenized_prompts_neg", torch.zeros(0)), id="no tokens"),
    pytest.param(fill("ctx_pos", float("nan")), id="not a number"),
    pytest.param(fill("compound_prompts_text.0", float("inf")), id="infinite"),
]


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize("make", CHECKPOINTS)
def test_checkpoint(
    make: Make, two_samples: Path, golden_weights: Path, model_flags: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "prompts.pth"
    path.write_bytes((golden_weights / "prompts.pth").read_bytes())
    make(path)
    output = tmp_path / "out"
    flags = ("--data_path", two_samples, "--views", 1, "--num_workers", 0, "--save_path", output, *model_flags)
    assert_one_error_line(invoke("test.py", *flags, "--checkpoint_path", path), path.name)
    assert files_below(output) <= {"log.txt"}
    assert not path.with_name("witness").exists()


def weights_changed(change: Callable[[dict], object]) -> Make:
    def write(path: Path) -> None:
        state = torch.load(path, weights_only=True)
        change(state)
        path.unlink()
        torch.save(state, path)

    return write


def as_safetensors(path: Path) -> Path:
    target = path.with_suffix(".safetensors")
    save_file({name: entry.contiguous().clone() for name, entry in torch.load(path, weights_only=True).items()}, target)
    return target


def false_archive(path: Path) -> None:
    """A zip with code beside data, as JIT archives have, and nothing that TorchScript understands."""
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/code/__torch__.py", "import os; os.abort()")
        archive.writestr("model/data.pkl", pickle.dumps(Deed(path.with_name("witness"))))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def contains_itself(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    content["prompt_learner" if "prompt_learner" in content else "visual.proj"] = content
    saved(content)(path)


def bomb(path: Path) -> None:
    """Half a gigabyte of zeros in half a megabyte."""
    saved({"prompt_learner": {"ctx_pos": torch.zeros(1 << 27)}})(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def complex_numbers(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    state = content.get("prompt_learner", content)
    name = "ctx_pos" if "ctx_pos" in state else "visual.proj"
    state[name] = torch.complex(state[name], torch.ones_like(state[name]))
    saved(content)(path)


def meta(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    state = content.get("prompt_learner", content)
    state[next(iter(state))] = torch.zeros(1, device="meta")
    saved(content)(path)


HOSTILE = [
    pytest.param(pipe, id="a pipe"),
    pytest.param(loop, id="a link to itself"),
    pytest.param(contains_itself, id="contains itself"),
    pytest.param(bomb, id="a bomb"),
    pytest.param(complex_numbers, id="complex numbers"),
    pytest.param(meta, id="without values"),
]
WEIGHTS = [
    *HOSTILE,
    pytest.param(lambda path: path.unlink(), id="missing"),
    pytest.param(empty, id="empty"),
    pytest.param(truncate, id="truncated"),
    pytest.param(lambda path: replace(path, b"no weights"), id="text"),
    pytest.param(bare_pickle, id="a pickle with code"),
    pytest.param(zipped_pickle, id="code inside an archive"),
    pytest.param(false_archive, id="false JIT archive"),
    pytest.param(saved({}), id="nothing in it"),
    pytest.param(saved({1: torch.zeros(1)}), id="numbers for names"),
    pytest.param(saved({"visual.proj": torch.zeros(3)}), id="one entry"),
    pytest.param(weights_changed(lambda state: state.pop("text_projection")), id="an entry less"),
    pytest.param(weights_changed(lambda state: state.update(more=torch.zeros(1))), id="an entry more"),
    pytest.param(weights_changed(lambda s: s.update({"visual.conv1.weight": torch.zeros(1)})), id="another shape"),
    pytest.param(
        weights_changed(lambda s: s.update({"visual.class_embedding": s["visual.class_embedding"] * np.nan})),
        id="not a number",
    ),
]


@pytest.mark.parametrize("make", WEIGHTS)
def test_clip_weights(make: Make, two_samples: Path, golden_weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.pt"
    path.write_bytes((golden_weights / "clip_tiny.pt").read_bytes())
    make(path)
    flags = ("--data_path", two_samples, "--views", 1, "--num_workers", 0, "--save_path", tmp_path / "out")
    prompts = ("--checkpoint_path", golden_weights / "prompts.pth")
    assert_one_error_line(invoke("test.py", *flags, *prompts, "--clip_weights", path), path.name)
    assert not path.with_name("witness").exists()


@pytest.mark.parametrize("spoil", [empty, truncate, lambda path: replace(path, b"\xff" * 64)])
def test_safetensors(spoil: Make, two_samples: Path, golden_weights: Path, tmp_path: Path) -> None:
    copy = tmp_path / "clip.pt"
    copy.write_bytes((golden_weights / "clip_tiny.pt").read_bytes())
    path = as_safetensors(copy)
    spoil(path)
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", "--prompts", "ensemble")
    assert_one_error_line(invoke("test.py", *flags, "--clip_weights", path), path.name)


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize("make", HOSTILE)
def test_hostile_checkpoint(
    make: Make, two_samples: Path, golden_weights: Path, model_flags: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "prompts.pth"
    path.write_bytes((golden_weights / "prompts.pth").read_bytes())
    make(path)
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", *model_flags)
    assert_one_error_line(invoke("test.py", *flags, "--checkpoint_path", path), path.name)


@pytest.mark.filterwarnings("ignore")
def test_an_archive_cannot_touch_files(two_samples: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(bytes(16))
    write_deed(tmp_path / "deed.pt", victim)
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", "--prompts", "ensemble")
    assert_one_error_line(invoke("test.py", *flags, "--clip_weights", tmp_path / "deed.pt"), "deed.pt")
    assert victim.read_bytes() == bytes(16)


@pytest.mark.parametrize("flag", ["--clip_weights", "--checkpoint_path"])
@pytest.mark.parametrize("name", ["x" * 300, "/dev/zero", "."])
def test_names_that_lead_to_no_file(
    flag: str, name: str, two_samples: Path, golden_weights: Path, tmp_path: Path
) -> None:
    weights = {} if flag == "--clip_weights" else {"--clip_weights": golden_weights / "clip_tiny.pt"}
    given = [part for pair in {**weights, flag: name}.items() for part in pair]
    prompts = ("--prompts", "ensemble") if flag == "--clip_weights" else ()
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", *prompts)
    assert_one_error_line(invoke("test.py", *flags, *given), name[:30])


RUN_FILES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="truncated"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"[" * 100_000, id="nested without end"),
    pytest.param(b"\xff\xfe", id="no text"),
]


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize("content", RUN_FILES)
def test_facts_beside_a_checkpoint(
    content: bytes, two_samples: Path, golden_weights: Path, model_flags: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "prompts.pth"
    path.write_bytes((golden_weights / "prompts.pth").read_bytes())
    (tmp_path / "run.json").write_bytes(content)
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", *model_flags)
    assert_one_error_line(invoke("test.py", *flags, "--checkpoint_path", path), "run.json")


@pytest.fixture(scope="session")
def trained(two_samples: Path, golden_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a training of one epoch."""
    output = tmp_path_factory.mktemp("trained") / "out"
    flags = ("--data_path", two_samples, "--clip_weights", golden_weights / "clip_tiny.pt", "--train_class", "cookie")
    ending = invoke("train.py", *flags, *SHORT, "--epoch", 1, "--save_path", output)
    assert ending.code == 0, ending.err
    return output


SHORT = ("--views", 1, "--num_workers", 0, "--depth", 2, "--device", "cpu")


def state_with(**changes: object) -> Make:
    def write(path: Path) -> None:
        content = torch.load(path, weights_only=True)
        content.update(changes)
        path.unlink()
        torch.save(content, path)

    return write


def inner_state(change: Callable[[dict], object]) -> Make:
    def write(path: Path) -> None:
        content = torch.load(path, weights_only=True)
        change(content["state"])
        path.unlink()
        torch.save(content, path)

    return write


STATES = [
    pytest.param(empty, id="empty"),
    pytest.param(truncate, id="truncated"),
    pytest.param(bare_pickle, id="a pickle with code"),
    pytest.param(zipped_pickle, id="code inside an archive"),
    pytest.param(saved([]), id="a list"),
    pytest.param(state_with(facts=[]), id="facts are a list"),
    pytest.param(state_with(state=[]), id="state is a list"),
    pytest.param(inner_state(lambda state: state.pop("optimizer")), id="an entry less"),
    pytest.param(inner_state(lambda state: state["learner"].pop("ctx_pos")), id="prompts less"),
    pytest.param(inner_state(lambda state: state["learner"]["ctx_pos"].fill_(float("nan"))), id="not a number"),
    pytest.param(inner_state(lambda state: state.update(generator=torch.zeros(3))), id="another generator"),
    pytest.param(inner_state(lambda state: state.update(losses=[1.0])), id="losses are numbers"),
    pytest.param(
        inner_state(lambda state: state["optimizer"]["param_groups"][0].update(lr=5.0)), id="another learning rate"
    ),
    pytest.param(
        inner_state(lambda state: state["optimizer"]["state"][0].update(exp_avg=torch.zeros(3))), id="another moment"
    ),
]


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize("make", STATES)
def test_state_of_a_training(
    make: Make, trained: Path, two_samples: Path, golden_weights: Path, tmp_path: Path
) -> None:
    output = linked_copy(trained, tmp_path / "out")
    make(output / "training_state.pt")
    flags = ("--data_path", two_samples, "--clip_weights", golden_weights / "clip_tiny.pt", "--train_class", "cookie")
    ending = invoke("train.py", *flags, *SHORT, "--epoch", 2, "--save_path", output, "--resume")
    assert_one_error_line(ending, "training_state.pt")
    assert not (output / "witness").exists()
    assert json.loads((output / "run.json").read_text())["epochs"] == 1


def test_training_from_a_spoilt_checkpoint(
    two_samples: Path, golden_weights: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "start.pth"
    path.write_bytes((golden_weights / "prompts.pth").read_bytes()[:1000])
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", *train_flags)
    assert_one_error_line(invoke("train.py", *flags, "--init_checkpoint", path), path.name)

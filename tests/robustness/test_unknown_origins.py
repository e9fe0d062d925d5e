"""Prompts that a training begins with, of which no file says what they were learned from, as of the released ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from robustness.invocation import Ending, invoke

from pointad.files.atomic import make_folder

DATA_SET = "mvtec_pc_3d_rgb"
CLASSES = ("cookie", "dowel", "rope")  # all of them with the same samples


@pytest.fixture
def train(data: Path, model_flags: tuple[object, ...], tmp_path: Path) -> Callable[..., list[str] | None]:
    """Learns dowel, beginning with some prompts; returns what these are said to have been learned from."""
    for name in CLASSES[1:]:
        (data / f"{name}_meta.json").write_text((data / "cookie_meta.json").read_text().replace("cookie", name))
        (data / name).symlink_to(data / "cookie")

    def run(prompts: Path, output: str = "out", *expected: str) -> list[str] | None:
        flags = ("--data_path", data, *model_flags, "--views", 2, "--num_workers", 0, "--epoch", 1)
        flags = (*flags, "--train_class", "dowel", "--init_checkpoint", prompts, "--save_path", tmp_path / output)
        ending = invoke("train.py", *flags)
        assert ending.code == 0 and all(said in ending.err for said in expected), ending.err
        told: list[str] | None = json.loads((tmp_path / output / "epoch_1.json").read_text())["learned_before"]
        return told

    return run


@pytest.fixture
def tested(data: Path, model_flags: tuple[object, ...], tmp_path: Path) -> Callable[[Path], Ending]:
    """Tests prompts on all classes."""
    lists = {name: json.loads((data / f"{name}_meta.json").read_text()) for name in CLASSES}
    whole = {"train": {}, "test": {name: content["test"][name] for name, content in lists.items()}}
    (data / "all_meta.json").unlink()  # a link to that of all tests
    (data / "all_meta.json").write_text(json.dumps(whole))
    flags = ("--data_path", data, *model_flags, "--views", 2, "--num_workers", 0, "--save_path", tmp_path / "test")
    return lambda prompts: invoke("test.py", *flags, "--checkpoint_path", prompts)


def copied(golden_weights: Path, folder: Path) -> Path:
    make_folder(folder)
    return Path(shutil.copy(golden_weights / "prompts.pth", folder))


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("cookie", f"{DATA_SET}/cookie"),
        ("mvtec_pc_3d_rgb/carrot", f"{DATA_SET}/carrot"),
        ("eye_pc_3d_rgb/Confetto", "eye_pc_3d_rgb/Confetto"),
    ],
)
def test_a_class_that_only_the_folders_name_is_learned_before(
    place: str, named: str, train: Callable[..., list[str] | None], golden_weights: Path, tmp_path: Path
) -> None:
    """As test.py takes it for the training class of the same prompts, which it leaves out."""
    prompts = copied(golden_weights, tmp_path / "released" / place)
    assert train(prompts, "out", f"taken to be learned from {named}, as its folders are called") == [named]


@pytest.mark.usefixtures("ready_backbone")
def test_what_nobody_knows_is_told_by_every_test(
    train: Callable[..., list[str] | None],
    tested: Callable[[Path], Ending],
    golden_weights: Path,
    tmp_path: Path,
) -> None:
    prompts = copied(golden_weights, tmp_path / "strange")
    assert train(prompts, "first", "what it was learned from is unknown") is None
    assert train(tmp_path / "first" / "epoch_1.pth", "second") == ["", f"{DATA_SET}/dowel"]
    for name, after in (("first", "unknown"), ("second", f"unknown, {DATA_SET}/dowel")):
        ending = tested(tmp_path / name / "epoch_1.pth")
        assert ending.code == 0, ending.err
        assert "began with prompts of which nothing says what they were learned from" in ending.err
        assert "learned from dowel of " in ending.out and f", split test, after {after};" in ending.out

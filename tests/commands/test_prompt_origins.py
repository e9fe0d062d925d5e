"""What test.py takes prompts to be learned from, and which protocol that makes."""

import json
import shutil
from pathlib import Path

import pytest

from pointad.commands import test
from pointad.commands.prompt_sets import load_prompt_sets
from pointad.commands.test_settings import TestSettings
from pointad.datasets.registry import DATASETS
from pointad.evaluation.run_record import RunRecord
from pointad.model.backbone import ClipBackbone
from pointad.training.run_folder import write_origin

MVTEC, EYE = "mvtec_pc_3d_rgb", "eye_pc_3d_rgb"


@pytest.fixture
def released(golden_weights: Path, tmp_path: Path) -> Path:
    """Prompts of which nothing but their folders says what they were learned from."""
    path = tmp_path / MVTEC / "carrot" / "epoch_15.pth"
    path.parent.mkdir(parents=True)
    shutil.copy(golden_weights / "prompts.pth", path)
    return path


def record_of(
    path: Path, backbone: ClipBackbone, dataset: str, classes: tuple[str, ...], title: str, *flags: str
) -> RunRecord:
    settings = TestSettings.from_flags(
        test.build_parser().parse_args(
            ["--data_path", "data", "--dataset", dataset, "--checkpoint_path", str(path), *flags]
        )
    )
    (loaded,) = load_prompt_sets(settings, backbone, RunRecord(dataset=dataset, dataset_title=title), set(classes))
    return loaded.record


@pytest.mark.parametrize("told", ["run.json", "folders", "flag"])
def test_part_of_the_data_set_that_was_learned_from_is_no_other_one(
    told: str, released: Path, golden_backbone: ClipBackbone
) -> None:
    if told != "folders":
        released = released.rename(released.parents[2] / "epoch_15.pth")
    if told == "run.json":
        content = {"training_dataset": MVTEC, "training_class": "carrot"}
        released.with_name("run.json").write_text(json.dumps(content))
    flags = ("--train_class", "carrot") if told == "flag" else ()
    for title, protocol in (("MVTec 3D-AD", "one-vs-rest"), ("parts (2 of 10 class names of MVTec 3D-AD)", "")):
        record = record_of(released, golden_backbone, MVTEC, ("bagel", "cookie"), title, *flags)
        assert (record.protocol, record.training_class) == (protocol, "carrot")
        assert record.learned_classes == ("carrot",)
    record = record_of(released, golden_backbone, EYE, DATASETS[EYE].classes, "Eyecandies", *flags)
    assert (record.protocol, record.training_class) == ("cross-dataset", "carrot")


def test_the_epoch_is_that_of_the_prompts_whatever_they_are_called(
    released: Path, golden_backbone: ClipBackbone
) -> None:
    other = shutil.copy(released, released.with_name("best.pth"))
    for named, epoch in ((released, 15), (Path(other), None)):
        record = record_of(named, golden_backbone, EYE, DATASETS[EYE].classes, "Eyecandies")
        assert record.epoch == epoch
    learned = Path(shutil.copy(released, released.with_name("epoch_3.pth")))
    write_origin(learned, {"training_class": "carrot"}, 3)
    for named in (Path(other), released):
        record = record_of(named, golden_backbone, EYE, DATASETS[EYE].classes, "Eyecandies")
        assert record.epoch == 3


def test_prompts_of_own_data_on_other_data_of_that_format_are_told(
    released: Path, golden_backbone: ClipBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    content = {"training_dataset": "folder", "training_class": "bolt", "dataset_title": "bolts"}
    released.with_name("run.json").write_text(json.dumps(content))
    assert record_of(released, golden_backbone, "folder", ("nut",), "nuts").protocol == ""
    assert f"{released}: whether the data set that it was learned from is the tested one is not known" in caplog.text
    assert record_of(released, golden_backbone, "folder", ("nut",), "bolts").protocol == "one-vs-rest"


def test_the_demo_is_not_the_data_set_whose_format_it_has(golden_backbone: ClipBackbone, released: Path) -> None:
    shutil.copy(Path(__file__).parents[2] / "checkpoints" / "demo" / "gear" / "run.json", released.parent)
    content = json.loads(released.with_name("run.json").read_text())
    content["backbone_fingerprint"] = None
    released.with_name("run.json").write_text(json.dumps(content))
    whole = record_of(released, golden_backbone, MVTEC, DATASETS[MVTEC].classes, "MVTec 3D-AD")
    assert whole.protocol == "cross-dataset"
    part = record_of(released, golden_backbone, MVTEC, ("brick", "pear"), "demo data (MVTec 3D-AD format)")
    assert part.protocol == "one-vs-rest"
    assert record_of(released, golden_backbone, MVTEC, ("brick", "pear"), "somewhere else").protocol == ""

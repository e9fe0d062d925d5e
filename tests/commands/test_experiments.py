"""One idea changed, compared through the programs alone: what is recorded, what is named, what becomes a row."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from programs_clip import have_programs_take
from robustness.invocation import Ending, assert_one_error_line, invoke

from pointad.evaluation.provenance import code_fingerprint
from pointad.model.backbone import ClipBackbone

CLASS = "cookie"


@pytest.fixture(autouse=True)
def ready_backbone(golden_backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in this process take the small CLIP as it was loaded once."""
    have_programs_take(golden_backbone, monkeypatch)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features, encoded once for all tests."""
    return tmp_path_factory.mktemp("cache")


class Experiment:
    """Trains and tests on the golden samples."""

    def __init__(self, data: Path, weights: Path, cache: Path, folder: Path) -> None:
        self.folder = folder
        self.shared = ("--data_path", data, "--clip_weights", weights / "clip_tiny.pt", "--device", "cpu")
        self.shared += ("--num_workers", 0, "--feature_cache", cache)

    def train(self, name: str, *flags: object) -> Ending:
        flags = ("--train_class", CLASS, "--epoch", 1, "--depth", 2, *flags)
        return invoke("train.py", *self.shared, "--save_path", self.folder / name / "train", *flags)

    def test(self, name: str, *flags: object, prompts: str | None = None) -> Ending:
        checkpoint = self.folder / (prompts or name) / "train" / "epoch_1.pth"
        where = ("--checkpoint_path", checkpoint, "--save_path", self.folder / name / "test")
        return invoke("test.py", *self.shared, *where, "--metrics", "image-level", *flags)

    def both(self, name: str, *flags: object) -> None:
        for ending in (self.train(name, *flags), self.test(name, *flags)):
            assert ending.code == 0, ending.err

    def run(self, name: str) -> dict:
        return json.loads((self.folder / name / "test" / "results.json").read_text())["run"]

    def table(self, *flags: object) -> str:
        ending = invoke("scripts/report.py", self.folder, *flags)
        assert ending.code == 0, ending.err
        return ending.out


@pytest.fixture
def experiment(golden_inputs: Path, golden_weights: Path, cache: Path, tmp_path: Path) -> Experiment:
    return Experiment(golden_inputs / "data", golden_weights, cache, tmp_path / "runs")


def test_every_setting_is_recorded(experiment: Experiment) -> None:
    experiment.both("a", "--views", 3, "--view_fusion", "top2", "--seed", 5, "--data_name", "golden")
    run = experiment.run("a")
    training = json.loads((experiment.folder / "a" / "train" / "epoch_1.json").read_text())
    assert run["training"] == training
    assert json.loads((experiment.folder / "a" / "train" / "run.json").read_text()).keys() == training.keys()
    for told in (run, training):
        assert (told["views"], told["view_names"]) == ([1, 2, 3], ["x-15", "x0", "x15"])
        assert told["view_fusion"] == "top2" and told["dataset_title"] == "golden" and told["compiled"] is False
        assert told["sample_count"] > 0 and len(told["samples"]) == 16
        provenance = told["provenance"]
        assert provenance["code"] == code_fingerprint() and "--view_fusion top2" in provenance["command"]
        assert {"torch", "numpy"} <= set(provenance["packages"]) and provenance["device"] == "cpu"
    assert training["loss_weights"] == {
        "d2_pixel_loss": 1.0,
        "d3_point_loss": 1.0,
        "d3_global_loss": 1.0,
        "d2_image_loss": 1.0,
    }
    assert (training["seed"], run["seed"], run["epoch"], run["differences"]) == (5, 5, 1, [])
    assert not [name for name, value in training.items() if value is None and name not in NOT_ALWAYS], training


NOT_ALWAYS = {
    *("name", "normals", "visibility", "correspondence", "point_pixels"),  # not noted beside these renderings
    *("metres_per_unit", "keep_clusters", "init_checkpoint", "init_fingerprint", "learned_before", "earlier_code"),
}


def test_a_changed_fusion_is_a_row_of_its_own_over_seeds(experiment: Experiment) -> None:
    for seed in (1, 2):
        experiment.both(f"mean{seed}", "--seed", seed)
        experiment.both(f"max{seed}", "--seed", seed, "--view_fusion", "max")
        assert experiment.train(f"mine{seed}", "--seed", seed, "--loss_weights", "d2_pixel_loss=0").code == 0
        assert experiment.test(f"mine{seed}", "--name", "no pixels").code == 0
    table = experiment.table("--modalities", "point")
    for name in ("PointAD (1 epoch)", "PointAD (views fused by max, 1 epoch)", "no pixels"):
        (row,) = (line for line in table.splitlines() if f"| {name} " in line)
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[5] == "2" and "±" in cells[6]
        assert cells[1] not in ("MVTec 3D-AD", "MVTec 3D-AD (whole)")
    assert "published" not in table
    scores = [experiment.folder / name / "train" / "losses.csv" for name in ("mean1", "max1")]
    assert scores[0].read_text() != scores[1].read_text()


def test_prompts_of_another_clip_are_refused_or_named(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, golden_backbone: ClipBackbone
) -> None:
    assert experiment.train("a").code == 0
    told = json.loads((experiment.folder / "a" / "train" / "run.json").read_text())
    told["backbone_fingerprint"] = "0" * 64
    for path in (experiment.folder / "a" / "train").glob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "backbone_fingerprint": "0" * 64}))
    assert_one_error_line(experiment.test("a"), "epoch_1.pth", "another CLIP", "--allow_mismatch")
    assert not (experiment.folder / "a" / "test" / "results.json").exists()
    ending = experiment.test("a", "--allow_mismatch")
    assert ending.code == 0
    assert "tested with other settings than in training: trained with another CLIP" in ending.err
    assert experiment.run("a")["differences"] == [f"trained with another CLIP ({told['backbone']})"]


@pytest.mark.parametrize(
    ("flags", "difference"),
    [
        (("--views", 2), "trained with 9 views"),
        (("--features_list", 6), "trained with blocks 8"),
        (("--image_size", 140), "trained with pictures of 336"),
        (("--view_fusion", "max"), "trained with views fused by mean"),
    ],
)
def test_other_settings_than_in_training_are_named_and_noted(
    flags: tuple, difference: str, experiment: Experiment, golden_backbone: ClipBackbone
) -> None:
    assert experiment.train("a").code == 0
    ending = experiment.test("a", *flags)
    assert ending.code == 0, ending.err
    difference = difference.replace("blocks 8", f"blocks {golden_backbone.depth}")
    (line,) = (line for line in ending.err.splitlines() if "tested with other settings" in line)
    assert line.endswith(difference)
    assert experiment.run("a")["differences"] == [difference]
    assert difference in experiment.table()


def test_weights_of_losses_count_and_are_checked(experiment: Experiment) -> None:
    assert experiment.train("a", "--loss_weights", "d2_pixel_loss=0.5", "d2_image_loss=0").code == 0
    told = json.loads((experiment.folder / "a" / "train" / "run.json").read_text())
    assert told["loss_weights"] == {"d2_pixel_loss": 0.5, "d3_point_loss": 1.0, "d3_global_loss": 1.0}
    for wrong in ("d4_loss=1", "d2_pixel_loss", "d2_pixel_loss=-1"):
        ending = experiment.train("b", "--loss_weights", wrong)
        assert ending.code == 2 and "--loss_weights" in ending.err


def test_maps_hold_mask_and_valid_points(experiment: Experiment) -> None:
    assert experiment.train("a").code == 0
    assert experiment.test("a", "--save_maps", "--sigma", 0).code == 0
    for path in (experiment.folder / "a" / "test" / "maps").rglob("*.npz"):
        with np.load(path) as stored:
            assert stored["valid"].dtype == stored["mask"].dtype == bool
            assert stored["mask"].any() == ("good" not in path.parts)
            assert not stored["point_map"][~stored["valid"]].any()  # nothing is smoothed


def test_losses_go_to_tensorboard_as_well(experiment: Experiment, tmp_path: Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    weights = ("--loss_weights", "d2_pixel_loss=0.5", "d2_image_loss=0")
    ending = experiment.train("a", "--epoch", 2, "--tensorboard", tmp_path / "board", *weights)
    assert ending.code == 0, ending.err
    events = event_accumulator.EventAccumulator(str(tmp_path / "board")).Reload()
    assert set(events.Tags()["scalars"]) == {
        "loss/d2_pixel_loss",
        "loss/d3_point_loss",
        "loss/d3_global_loss",
        "loss/total",
    }
    with (experiment.folder / "a" / "train" / "losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = [event.value for event in events.Scalars("loss/d2_pixel_loss")]
    assert len(found) == 2
    assert found[0] == pytest.approx(np.mean([float(row["d2_pixel_loss"]) for row in rows if row["epoch"] == "1"]))
    assert all(float(row["d2_image_loss"]) == 0 for row in rows)


def test_tensorboard_shows_the_last_training_of_a_folder(experiment: Experiment, tmp_path: Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board, new_board = tmp_path / "board", tmp_path / "new"

    def train(*flags: object, board: Path = board) -> list[tuple[int, float]]:
        """Steps and values that TensorBoard shows after a training."""
        assert experiment.train("a", *flags, "--tensorboard", board).code == 0
        events = event_accumulator.EventAccumulator(str(board)).Reload()
        return [(event.step, event.value) for event in events.Scalars("loss/total")]

    first = train("--epoch", 2)
    files = list(board.iterdir())
    assert train("--epoch", 2) == first and list(board.iterdir()) == files  # there was nothing left to learn
    said = experiment.train("a", "--epoch", 2, "--tensorboard", new_board).err
    assert "--tensorboard has no effect: no epoch is left to learn" in said and not new_board.exists()
    longer = train("--epoch", 3)
    assert longer[:2] == first and [step for step, _ in longer] == [1, 2, 3]
    assert train("--epoch", 4, board=new_board)[:3] == longer, "every epoch, though some were learned before"
    again = train("--epoch", 2, "--restart", "--seed", 5)
    assert [step for step, _ in again] == [1, 2] and again != first


def test_tensorboard_that_is_not_installed_is_said(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert_one_error_line(experiment.train("a", "--tensorboard", tmp_path / "board"), "--tensorboard", "pip install")
    assert not (experiment.folder / "a" / "train" / "run.json").exists()


def test_what_is_missing_is_said_before_the_model_is_loaded(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, golden_weights: Path
) -> None:
    def loaded(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("pointad.commands.loading.load_backbone", loaded)
    assert_one_error_line(experiment.test("a"), "epoch_1.pth", "checkpoint not found")
    assert_one_error_line(experiment.train("a", "--train_class", "cookei"), "cookei")
    assert_one_error_line(experiment.train("b", "--views", 10), "views 10")
    assert_one_error_line(experiment.train("c", "--data_path", tmp_path / "nowhere"), "nowhere", "is not a folder")
    assert_one_error_line(experiment.train("d", "--init_checkpoint", golden_weights / "no.pth"), "no.pth")

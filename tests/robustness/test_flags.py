"""Flags that would be ignored or misread are refused, and those that several programs have mean the same in all."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from robustness.invocation import Ending, assert_one_error_line, invoke
from robustness.spoiling import linked_copy
from sample_scans import closed_shape, depth_scan

from pointad.commands import test
from pointad.evaluation.results import Results

pytestmark = pytest.mark.usefixtures("ready_backbone")


@pytest.mark.parametrize(
    "flags",
    [
        ("--normals", "exact"),
        ("--visibility", "splat"),
        ("--correspondence", "centred"),
        ("--metres_per_unit", 0.001),
        ("--keep_clusters", 0),
        ("--good_folder", "gut"),
    ],
)
@pytest.mark.parametrize("script", ["train.py", "test.py"])
def test_stored_renderings_refuse_flags_for_rendering(
    script: str, flags: tuple[object, ...], two_samples: Path, tmp_path: Path
) -> None:
    ending = invoke(script, "--data_path", two_samples, "--save_path", tmp_path / "out", *flags)
    assert_one_error_line(ending, str(flags[0]), "--render on_the_fly")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--loss_weights", "d2_pixel_loss=1", "d2_pixel_loss=2"), "gives d2_pixel_loss two weights"),
        (("--resume", "--restart"), "--resume: contradicts --restart"),
    ],
)
def test_trainings_refuse_flags_that_contradict(
    flags: tuple[object, ...], named: str, two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    ending = invoke("train.py", "--data_path", two_samples, "--save_path", tmp_path / "out", *train_flags, *flags)
    assert_one_error_line(ending, named)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("script", "flags", "named"),
    [
        ("scripts/predict.py", ("",), "error: an argument is empty"),
        ("scripts/predict.py", ("scan.ply", "--good", ""), "error: an argument after --good is empty"),
        ("scripts/predict.py", ("scan.ply", "--output="), "error: argument --output: expected a value after ="),
        ("scripts/predict.py", ("scan.ply", "--views=--"), "error: argument --views: expected a value after ="),
        ("test.py", ("--sigma=--",), "error: argument --sigma: expected a value after ="),
        ("test.py", ("--save_path", " "), "error: an argument after --save_path is empty"),
    ],
)
def test_values_that_a_shell_lost(script: str, flags: tuple[str, ...], named: str) -> None:
    """An empty name would be the working folder: its scans would be inspected, or taken for good ones."""
    ending = invoke(script, *flags)
    assert ending.code == 2 and named in ending.err and "Traceback" not in ending.err


@pytest.mark.parametrize(
    ("script", "flags", "said"),
    [
        ("scripts/predict.py", ("a.ply", "--good-rgb", "b"), "--good-rgb; did you mean --good_rgb?"),
        ("scripts/predict.py", ("a.ply", "--Threshhold=1"), "--Threshhold; did you mean --threshold?"),
        (
            "scripts/render_dataset.py",
            ("--dataset", "mvtec_pc_3d_rgb", "--data-path", "a", "--save_path", "b"),
            "--data-path; did you mean --data_path?",
        ),
        (
            "scripts/predict.py",
            ("a.ply", "--html", "b.ply"),
            "unrecognized arguments: b.ply; name all files and folders together, before the flags",
        ),
        ("scripts/serve.py", ("a.ply",), "unrecognized arguments: a.ply"),
        ("scripts/predict.py", ("--good", "b.ply", "a.ply"), "before the flags (behind --good, all are good scans)"),
    ],
)
def test_flags_that_would_be_dropped_or_misread(script: str, flags: tuple[str, ...], said: str) -> None:
    ending = invoke(script, *flags)
    assert ending.code == 2 and ending.err.splitlines()[-1].endswith(said), ending.err


@pytest.mark.parametrize("number", ["-1e-3", "-.5E2", "-2.", "-inf"])
def test_negative_numbers_with_exponents_are_no_flags(number: str) -> None:
    ending = invoke("scripts/predict.py", "nowhere.ply", "--threshold", number)
    assert ending.code == 2 and "expected one argument" not in ending.err
    assert ("nowhere.ply" if number != "-inf" else "-inf is not a finite number") in ending.err, ending.err


def test_endless_digits_of_no_number_are_looked_at_once() -> None:
    ending = invoke("scripts/predict.py", "nowhere.ply", "--threshold", f"-{'1' * 1_000_000}x")
    assert ending.code == 2 and "expected one argument" in ending.err


@pytest.mark.parametrize(
    ("script", "flags", "said"),
    [
        ("predict", ("nowhere.ply", "--sigma", 4, "--sigma", 2), "--sigma is given twice"),
        ("predict", ("nowhere.ply", "--views", 2, "--views", 3, "--views", "x0"), "--views is given 3 times"),
        ("predict", ("nowhere.ply", "--html", "--html", "--sigma", 2, "--sigma", "2.0"), ""),
        ("predict", ("nowhere.ply", "--sigma", 2), ""),
        ("shared_flags", ("--", "--seed", 1, "--losses", "d2_pixel_loss", "--seed", 3), "--seed is given twice"),
    ],
)
def test_of_a_flag_given_twice_the_last_value_counts(script: str, flags: tuple[object, ...], said: str) -> None:
    lines = [line for line in invoke(f"scripts/{script}.py", *flags).err.splitlines() if "is given" in line]
    assert lines == ([f"{said}, with different values; the last one counts"] if said else [])


@pytest.mark.parametrize("flag", ["--good", "--calibrate"])
def test_good_scans_may_follow_a_flag_each(flag: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", closed_shape(400))
    ending = invoke("scripts/predict.py", tmp_path / "a.npy", flag, tmp_path / "b.npy", flag, tmp_path / "c.npy")
    assert_one_error_line(ending, "b.npy: does not exist")
    assert "is given" not in ending.err


def test_rendering_on_the_fly_takes_them(
    raw_archives: dict[str, Path], test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--render", "on_the_fly", "--visibility", "splat", "--normals", "grid", "--correspondence", "centred")
    data = ("--data_path", raw_archives["mvtec_pc_3d_rgb"], "--save_path", tmp_path)
    ending = invoke("test.py", *data, *test_flags, *flags)
    assert ending.code == 0, ending.err


def misspelt(ending: Ending) -> None:
    assert_one_error_line(ending, "did you mean cookie?", "choose among bagel, cookie")


@pytest.fixture
def two_classes(two_samples: Path, tmp_path: Path) -> Path:
    """The two samples under two classes."""
    data = linked_copy(two_samples, tmp_path / "two_classes")
    for name in ("all_meta.json", "cookie_meta.json"):
        (data / name).unlink()
    linked_copy(data / "cookie", data / "bagel")
    assert invoke("generate_dataset_json/mvtec3d-ad.py", "--data_path", data).code == 0
    return data


def test_a_misspelt_class_is_not_learned(two_classes: Path, train_flags: tuple[object, ...], tmp_path: Path) -> None:
    data = ("--data_path", two_classes, "--save_path", tmp_path / "out")
    misspelt(invoke("train.py", *data, *train_flags, "--train_class", "Cooky"))


def test_a_misspelt_training_class_is_not_left_out(
    two_classes: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    data = ("--data_path", two_classes, "--save_path", tmp_path / "out")
    misspelt(invoke("test.py", *data, *test_flags, "--train_class", "cokie"))


def test_the_ensemble_learned_from_no_class(two_classes: Path, model_flags: tuple[object, ...], tmp_path: Path) -> None:
    flags = ("--data_path", two_classes, "--save_path", tmp_path / "out", *model_flags, "--prompts", "ensemble")
    assert_one_error_line(invoke("test.py", *flags, "--train_class", "cookie"), "omit --train_class")


def test_figures_of_pictures_are_of_all_samples_of_a_class(
    two_classes: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    (two_classes / "cookie" / "test" / "hole" / "rgb" / "000.png").unlink()
    assert invoke("generate_dataset_json/mvtec3d-ad.py", "--data_path", two_classes).code == 0
    ending = invoke("test.py", "--data_path", two_classes, "--save_path", tmp_path / "out", *test_flags)
    assert ending.code == 0, ending.err
    assert "1 of 2 samples of class cookie have no RGB picture, so none of the class is used" in ending.err
    classes = Results.load(tmp_path / "out" / "results.json").classes
    assert set(classes["cookie"]) == {"point"} and set(classes["bagel"]) == {"point", "color", "fused"}


def test_a_training_class_of_another_data_set_is_taken(
    two_classes: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    data = ("--data_path", two_classes, "--save_path", tmp_path / "out")
    assert invoke("test.py", *data, *test_flags, "--train_class", "Confetto").code == 0


def test_a_misspelt_class_is_not_rendered(raw_archives: dict[str, Path], tmp_path: Path) -> None:
    data = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", raw_archives["mvtec_pc_3d_rgb"], "--save_path", tmp_path)
    assert_one_error_line(invoke("scripts/render_dataset.py", *data, "--classes", "gaer"), "did you mean gear?")


@pytest.mark.parametrize(
    ("script", "flags", "said"),
    [
        ("train.py", ("--point_size", 7), "--grid_size"),
        ("test.py", ("--point_size", 7), "--grid_size"),
        ("scripts/render_dataset.py", ("--point_size", 336), "--point_pixels"),
        ("scripts/render_scans.py", ("scan.ply", "--point_size", 336), "--point_pixels"),
    ],
)
def test_flags_that_mean_something_else_elsewhere(script: str, flags: tuple[object, ...], said: str) -> None:
    ending = invoke(script, *flags)
    assert ending.code == 2
    assert said in ending.err.splitlines()[-1]


def test_old_names_of_flags_are_the_new_ones(two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path) -> None:
    flags = (*test_flags, "--data_path", two_samples)
    names = {"old": ("--views", 3, "--point_size", 336), "new": ("--views", 3, "--grid_size", 336)}
    scores = {}
    for name, own in names.items():
        assert invoke("test.py", *flags, *own, "--save_path", tmp_path / name).code == 0
        scores[name] = (tmp_path / name / "scores.csv").read_text()
    assert scores["old"] == scores["new"]


def test_old_names_of_rendering_flags_are_the_new_ones(tmp_path: Path) -> None:
    np.save(tmp_path / "blob.npy", closed_shape(400))
    names = {
        "old": ("--views", "x-45", "y30", "--point_size", 9),
        "new": ("--views", "x-45", "y30", "--point_pixels", 9),
    }
    pictures = {}
    for name, own in names.items():
        assert invoke("scripts/render_scans.py", tmp_path / "blob.npy", "--save_path", tmp_path / name, *own).code == 0
        pictures[name] = [np.asarray(Image.open(path)) for path in sorted((tmp_path / name).rglob("view_*.png"))]
    assert len(pictures["old"]) == 2 * 2  # with the drawn ground truth
    np.testing.assert_array_equal(pictures["old"], pictures["new"])


def test_a_seed_for_testing_is_accepted_and_said_to_do_nothing(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--data_path", two_samples, *test_flags)
    without, with_seed = tmp_path / "without", tmp_path / "with_seed"
    assert "--seed" not in invoke("test.py", *flags, "--save_path", without).err
    ending = invoke("test.py", *flags, "--save_path", with_seed, "--seed", 5, "--draws", 3)
    assert ending.code == 0 and "--seed has no effect" in ending.err and "--draws has no effect" in ending.err
    assert (without / "scores.csv").read_text() == (with_seed / "scores.csv").read_text()


def test_sizes_of_prompts_are_said_to_do_nothing_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pointad.commands.evaluation_run.run_test", lambda settings: None)
    told = [f"--{name} has no effect: the ensemble has no learned tokens" for name in ("depth", "n_ctx", "t_n_ctx")]
    for kind, said in (("ensemble", told), ("learned", [])):
        caplog.clear()
        words = ["--prompts", kind, "--depth", "2", "--n_ctx", "3", "--t_n_ctx", "1"]
        with caplog.at_level("INFO"):
            test.main(test.build_parser().parse_args(words))
        assert [record.message for record in caplog.records if "no effect" in record.message] == said


def test_sigma_of_zero_leaves_maps_as_they_are(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--data_path", two_samples, *test_flags, "--save_maps")
    maps = {}
    for sigma in (0, 4):
        assert invoke("test.py", *flags, "--sigma", sigma, "--save_path", tmp_path / str(sigma)).code == 0
        (path, *_) = sorted((tmp_path / str(sigma) / "maps").rglob("*.npz"))
        maps[sigma] = np.load(path)["point_map" if "point_map" in np.load(path) else "point"]
    assert np.abs(np.diff(maps[0], axis=0)).max() > np.abs(np.diff(maps[4], axis=0)).max()
    ending = invoke("test.py", *flags, "--sigma", -1)
    assert ending.code == 2 and "--sigma" in ending.err.splitlines()[-1]


@pytest.mark.parametrize("kind", ["cloud", "organized"])
def test_predict_takes_sigma_zero_and_how_the_encoder_runs(
    kind: str, model_flags: tuple[object, ...], golden_weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "scan.npy"
    np.save(path, closed_shape(600) if kind == "cloud" else depth_scan())
    flags = (path, *model_flags, "--checkpoint_path", golden_weights / "prompts.pth", "--output", tmp_path / "out")
    usual = invoke("scripts/predict.py", *flags)
    assert usual.code == 0, usual.err
    chosen = invoke("scripts/predict.py", *flags, "--precision", "fp32", "--pictures_at_once", 1)
    one, other = (json.loads(ending.out)["score"] for ending in (usual, chosen))
    assert one == pytest.approx(other, abs=1e-6)
    rough = invoke("scripts/predict.py", *flags, "--sigma", 0)
    assert rough.code == 0 and json.loads(rough.out)["score"] > one


def test_progress_bars_stay_out_of_logs(
    raw_archives: dict[str, Path], two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    np.save(tmp_path / "blob.npy", closed_shape(400))
    archive = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", raw_archives["mvtec_pc_3d_rgb"], "--num_workers", 1)
    endings = [
        invoke("scripts/render_scans.py", tmp_path / "blob.npy", "--save_path", tmp_path / "a", "--views", "x0"),
        invoke("scripts/render_dataset.py", *archive, "--save_path", tmp_path / "b", "--views", "x0"),
        invoke("train.py", "--data_path", two_samples, "--save_path", tmp_path / "c", *train_flags),
    ]
    for ending in endings:
        assert ending.code == 0, ending.err
        assert "\r" not in ending.err and "it/s" not in ending.err and "%|" not in ending.err

"""Flags that change nothing say so, and those that cannot do what they ask for are refused before anything is read."""

from pathlib import Path
from types import ModuleType

import pytest

from pointad.commands import predict, render_dataset, report, shared_flags, test, train
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.program import run
from pointad.errors import InputError

IMAGES_ONLY = ["--metrics", "image-level", "--fusion", "global"]


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("pointad.commands.evaluation_run.run_test", lambda settings: None)
    monkeypatch.setattr("pointad.commands.shots_run.run_shots", lambda settings: None)
    monkeypatch.setattr("pointad.commands.training_run.run_training", lambda settings: None)
    monkeypatch.setattr("pointad.commands.report_run.report", lambda *results, **others: None)
    caplog.set_level("INFO")


@pytest.mark.parametrize(
    ("program", "words", "idle"),
    [
        (test, ["--aupro", "published", "--metrics", "image-level"], ["--aupro"]),
        (test, ["--aupro", "published", "--metrics", "image-level", "--extra_metrics", "pixel_aupro"], []),
        (test, ["--aupro", "published", "--dataset", "real_pc_3d_rgb"], ["--aupro"]),
        (test, ["--aupro", "published"], []),
        (test, [*IMAGES_ONLY, "--sigma", "2", "--view_fusion", "max"], ["--sigma", "--view_fusion"]),
        (test, [*IMAGES_ONLY, "--sigma", "2", "--view_fusion", "max", "--save_maps"], []),
        (test, [*IMAGES_ONLY, "--sigma", "2", "--extra_metrics", "pixel_ap"], []),
        (test, ["--metrics", "image-level", "--sigma", "2", "--view_fusion", "max"], []),
        (test, ["--shots", "1", "--batch_size", "2"], ["--batch_size"]),
        (test, ["--shots", "1", "--seed", "2", "--draws", "3"], []),
        (test, ["--batch_size", "2"], []),
        (train, ["--depth", "1", "--t_n_ctx", "3"], ["--t_n_ctx"]),
        (train, ["--depth", "2", "--t_n_ctx", "3"], []),
        (train, ["--view_fusion", "max", "--losses", "d2_pixel_loss", "d3_global_loss"], ["--view_fusion"]),
        (train, ["--view_fusion", "max", "--loss_weights", "d3_point_loss=0"], ["--view_fusion"]),
        (train, ["--view_fusion", "max"], []),
        (report, ["results", "--modalities", "color", "--csv"], ["--modalities"]),
        (report, ["results", "--modalities", "color", "--csv", "--html", "pages"], []),
        (report, ["results", "--csv"], []),
    ],
)
def test_flags_without_an_effect_are_told(
    program: ModuleType, words: list[str], idle: list[str], nothing_runs: None, caplog: pytest.LogCaptureFixture
) -> None:
    program.main(program.build_parser().parse_args(words))
    told = [message for message in caplog.messages if "has no effect" in message]
    assert [message.partition(" ")[0] for message in told] == idle


def test_a_place_for_references_is_told_to_be_of_no_use_without_good_scans(caplog: pytest.LogCaptureFixture) -> None:
    for good, told in (([], ["--reference_cache has no effect without --good"]), (["--good", "b.ply"], [])):
        caplog.clear()
        words = ["a.ply", "--reference_cache", "kept", *good]
        assert PredictSettings.from_flags(predict.build_parser().parse_args(words)).reference_cache == Path("kept")
        assert caplog.messages == told


def test_normals_from_a_grid_are_refused_before_clouds_are_read(tmp_path: Path) -> None:
    words = ["--dataset", "real_pc_3d_rgb", "--data_path", str(tmp_path / "raw"), "--save_path", str(tmp_path / "out")]
    (tmp_path / "raw").mkdir()
    parsed = render_dataset.build_parser().parse_args([*words, "--normals", "grid"])
    with pytest.raises(InputError, match=r"--normals grid: needs a pixel grid, and Real3D-AD has clouds; use exact"):
        render_dataset.main(parsed)
    assert not (tmp_path / "out").exists()  # it would be a folder of these settings


def test_a_variable_without_its_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("seed", "=SEEDS", "seed="):
        with pytest.raises(SystemExit) as ending:
            run(shared_flags.main, shared_flags.build_parser(), ["--variables", word, "--", "--views", "3"])
        assert ending.value.code == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.endswith(f"argument --variables: '{word}' is not of the form FLAG=VARIABLE, such as seed=SEEDS")

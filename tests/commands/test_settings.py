"""From flags to settings: complete once the flags are parsed, and nothing changes them afterwards."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from pointad.commands import predict, reference, render_dataset, render_scans, serve, test, train
from pointad.commands.places import demo_data_folder
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.reference_settings import ReferenceSettings
from pointad.commands.render_settings import RenderSettings
from pointad.commands.serve_settings import ServeSettings
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.errors import InputError

RENDER_FLAGS = ["--dataset", "mvtec_pc_3d_rgb", "--data_path", "raw", "--save_path", "out"]


def train_settings(*flags: str) -> TrainSettings:
    return TrainSettings.from_flags(train.build_parser().parse_args(flags))


def test_settings(*flags: str) -> TestSettings:
    return TestSettings.from_flags(test.build_parser().parse_args(flags))


test_settings.__test__ = False  # type: ignore[attr-defined]


def test_without_flags_everything_is_the_demo() -> None:
    learned, tested = train_settings(), test_settings()
    for data in (learned.data, tested.data):
        assert data.folder == demo_data_folder() / "rendered" and data.is_demo and data.make_if_missing
    assert learned.model.clip_weights == tested.model.clip_weights == "demo"
    assert learned.save_path == Path("results/train/gear")
    assert [path.parent.name for path in tested.checkpoints] == ["gear", "leaf", "walnut"]
    assert tested.metrics == ("image_auroc", "image_ap", "pixel_auroc", "pixel_aupro")


def test_prompts_are_found_in_the_folders_of_weights_by_all_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POINTAD_CACHE", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "mine" / "epoch_3.pth"
    kept.parent.mkdir(parents=True)
    kept.touch()
    named = "checkpoints/mine/epoch_3.pth"
    assert train_settings("--init_checkpoint", named).init_checkpoint == kept
    assert test_settings("--checkpoint_path", named).checkpoints == (kept,)


def test_a_folder_of_its_own_asks_for_real_weights_and_for_prompts(tmp_path: Path) -> None:
    learned = train_settings("--data_path", str(tmp_path), "--train_class", "bagel")
    assert not learned.data.is_demo and not learned.data.make_if_missing
    assert learned.model.clip_weights == "openai" and learned.save_path == Path("results/train/bagel")
    assert test_settings("--data_path", str(tmp_path)).checkpoints == ()


def test_the_demo_data_by_name_are_the_demo_too() -> None:
    data = train_settings("--data_path", str(demo_data_folder() / "real3d")).data
    assert data.is_demo and not data.make_if_missing


def test_the_demo_data_may_lie_elsewhere_behind_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    monkeypatch.setattr("pointad.commands.settings.demo_data_folder", lambda: tmp_path / "data" / "demo")
    learned = train_settings()
    assert learned.data.is_demo and learned.model.clip_weights == "demo"


def test_flags_for_the_table_are_told_where_none_is_removed(caplog: pytest.LogCaptureFixture) -> None:
    flags = ("a.tiff", "--keep_clusters", "largest", "--metres_per_unit", "0.001")
    for program, settings, needed in (
        (predict, PredictSettings, ()),
        (render_scans, render_scans.RenderScansSettings, ("--save_path", "b")),
        (reference, ReferenceSettings, ("--output", "b")),
    ):
        for extra in ((), ("--remove_table",)):
            caplog.clear()
            settings.from_flags(program.build_parser().parse_args([*flags, *needed, *extra]))
            told = [f"--{name} has no effect without --remove_table" for name in ("keep_clusters", "metres_per_unit")]
            assert caplog.messages == ([] if extra else told)


def test_another_backbone_on_the_demo_data_takes_its_own_weights() -> None:
    assert train_settings("--clip_model", "ViT-B-16").model.clip_weights == "openai"


def test_the_plain_ensemble_takes_no_prompts_of_the_demo() -> None:
    assert test_settings("--prompts", "ensemble").checkpoints == ()


def test_single_scans_take_the_weights_that_suit_the_prompts() -> None:
    def weights(*flags: str) -> str:
        return ServeSettings.from_flags(serve.build_parser().parse_args(flags)).detector.model.clip_weights

    assert weights() == "demo"
    assert weights("--checkpoint_path", "epoch_15.pth") == "openai"
    assert weights("--checkpoint_path", "epoch_15.pth", "--clip_weights", "demo") == "demo"


def test_uploads_that_no_memory_holds_are_refused() -> None:
    with pytest.raises(InputError, match=r"--largest_upload: 1e\+12 MB do not fit into the memory of this machine"):
        ServeSettings.from_flags(serve.build_parser().parse_args(["--largest_upload", "1e12"]))
    assert ServeSettings.from_flags(serve.build_parser().parse_args(["--largest_upload", "500"])).largest_upload == 5e8


def test_no_scan_is_refused() -> None:
    with pytest.raises(InputError, match="no scan was given"):
        PredictSettings.from_flags(predict.build_parser().parse_args([]))


@pytest.mark.parametrize(
    "settings",
    [
        train_settings(),
        test_settings(),
        PredictSettings.from_flags(predict.build_parser().parse_args(["scan.ply"])),
        ServeSettings.from_flags(serve.build_parser().parse_args([])),
        RenderSettings.from_flags(render_dataset.build_parser().parse_args(RENDER_FLAGS)),
    ],
    ids=lambda settings: type(settings).__name__,
)
def test_settings_are_final(settings: object) -> None:
    """Neither they nor the settings inside them can be changed, and they can be compared and kept as keys."""
    assert dataclasses.is_dataclass(settings)
    hash(settings)
    for field in dataclasses.fields(settings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, field.name, None)


@pytest.mark.parametrize("program", [train_settings, test_settings])
def test_raw_scans_are_rendered_in_one_size(program: Callable[..., object]) -> None:
    for flag in ("--grid_size", "--point_size"):
        with pytest.raises(InputError, match="--grid_size 224: raw scans are rendered with 336 pixels a side; omit it"):
            program("--render", "on_the_fly", "--data_path", "raw", flag, "224")
    program("--render", "on_the_fly", "--data_path", "raw", "--grid_size", "336")

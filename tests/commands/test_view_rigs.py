"""Four or twelve rendered views train and test without a word of nine; --views means the same in every program."""

import json
from pathlib import Path

import pytest
from programs_clip import have_programs_take
from robustness.invocation import assert_one_error_line, invoke

from pointad.commands.rig_arguments import read_rig
from pointad.data.view_subset import AvailableViews, ViewChoice
from pointad.demo import scans
from pointad.demo.scans import ScanName
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.rendering.views import View, repeated_direction

FOUR = ("x-30", "x0", "x30", "y20")
TWELVE = tuple(f"x{angle}" for angle in range(-60, 60, 10))


@pytest.fixture(autouse=True)
def ready_backbone(golden_backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in this process take the small CLIP as it was loaded once."""
    have_programs_take(golden_backbone, monkeypatch)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good and an anomalous scan of each of two classes."""
    folder = tmp_path_factory.mktemp("raw") / "spools"
    for class_name in ("gear", "leaf"):
        for index, species in enumerate(("good", "pit")):
            scans.write_scan(ScanName(class_name, "test", species, index), 0, folder)
    return folder


def learn_and_test(data: Path, folder: Path, *flags: object) -> tuple[dict, str]:
    """Train on one class, test on the other; returns the test's record and all that was said."""
    shared = ("--data_path", data, "--clip_weights", "openai", "--device", "cpu", "--num_workers", 0, *flags)
    learning = ("--train_class", "gear", "--epoch", 1, "--depth", 2, "--save_path", folder / "train")
    trained = invoke("train.py", *shared, *learning)
    assert trained.code == 0, trained.err
    prompts = ("--checkpoint_path", folder / "train" / "epoch_1.pth", "--save_path", folder / "test")
    tested = invoke("test.py", *shared, *prompts)
    assert tested.code == 0, tested.err
    return json.loads((folder / "test" / "results.json").read_text())["run"], trained.err + tested.err + tested.out


@pytest.mark.parametrize("directions", [FOUR, pytest.param(TWELVE, marks=pytest.mark.slow)], ids=["four", "twelve"])
def test_other_numbers_of_views(directions: tuple[str, ...], raw: Path, tmp_path: Path) -> None:
    rendered = tmp_path / "rendered"
    flags = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", raw, "--save_path", rendered, "--num_workers", 1)
    assert invoke("scripts/render_dataset.py", *flags, "--views", *directions).code == 0
    record, said = learn_and_test(rendered, tmp_path)
    assert record["view_names"] == list(directions) and record["views"] == list(range(len(directions)))
    assert record["differences"] == [] and "nine" not in said and "9" not in record["view_names"]
    assert record["normals"] == "exact"
    checkpoint = ("--checkpoint_path", tmp_path / "train" / "epoch_1.pth", "--save_path", tmp_path / "fewer")
    common = ("--data_path", rendered, "--device", "cpu", "--num_workers", 0, *checkpoint, "--clip_weights", "openai")
    fewer = invoke("test.py", *common, "--views", directions[1], directions[0])
    assert fewer.code == 0 and f"trained with {len(directions)} views" in fewer.err
    told = json.loads((tmp_path / "fewer" / "results.json").read_text())["run"]
    assert told["view_names"] == [directions[1], directions[0]]
    too_many = len(directions) + 1
    assert_one_error_line(invoke("test.py", *common, "--views", too_many), f"views {too_many}", "rendered")
    assert_one_error_line(invoke("test.py", *common, "--views", "y77"), "y77", directions[0])


def test_on_the_fly_takes_directions_too(raw: Path, tmp_path: Path) -> None:
    record, _ = learn_and_test(raw, tmp_path, "--render", "on_the_fly", "--views", "x0", "y20")
    assert record["view_names"] == ["x0", "y20"] and record["visibility"] == "nearest"
    assert record["dataset_title"] == "spools"


def test_raw_scans_say_what_to_do(raw: Path, tmp_path: Path) -> None:
    ending = invoke("test.py", "--data_path", raw, "--prompts", "ensemble", "--save_path", tmp_path)
    assert_one_error_line(ending, str(raw), "render them first", "--render on_the_fly")


def test_a_rig_from_a_file(raw: Path, tmp_path: Path) -> None:
    """The same file renders a data set, picks its views for a test, and looks at a single scan."""
    (tmp_path / "own.json").write_text(json.dumps({"views": FOUR}))
    rig = ("--rig", tmp_path / "own.json")
    rendered = tmp_path / "rendered"
    flags = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", raw, "--save_path", rendered, "--num_workers", 1)
    assert invoke("scripts/render_dataset.py", *flags, *rig, "--views", 2).code == 0
    assert json.loads((rendered / "rendering.json").read_text())["views"] == ["x0", "y20"]
    stored = ("--rig", rendered / "rendering.json")
    assert plain_test(tmp_path / "y20", "--data_path", rendered, *stored, "--views", "y20") == ["y20"]
    on_the_fly = ("--data_path", raw, "--render", "on_the_fly")
    assert plain_test(tmp_path / "both", *on_the_fly, *stored) == ["x0", "y20"]
    others = ("--data_path", rendered, "--prompts", "ensemble", "--save_path", tmp_path / "others")
    assert_one_error_line(invoke("test.py", *others, *rig), "has no view x-30 x30", "x0 y20")

    scan = next(raw.glob("leaf/test/pit/xyz/*.tiff"))
    looked = invoke("scripts/predict.py", scan, *stored, "--device", "cpu", "--output", tmp_path / "out")
    assert looked.code == 0, looked.err
    (facts,) = (tmp_path / "out").rglob("prediction.json")
    assert list(json.loads(facts.read_text())["view_scores"]) == ["x 0°", "y 20°"]


def plain_test(folder: Path, *flags: object) -> list[str]:
    """The views of a test of the plain prompts."""
    common = ("--clip_weights", "openai", "--device", "cpu", "--num_workers", 0, "--prompts", "ensemble")
    tested = invoke("test.py", *flags, *common, "--save_path", folder)
    assert tested.code == 0, tested.err
    return json.loads((folder / "results.json").read_text())["run"]["view_names"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_rig_as_tools_on_windows_write_it(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps({"views": FOUR}), encoding=encoding)
    assert [view.name for view in read_rig(tmp_path / "own.json")] == list(FOUR)


MANY = json.dumps({"views": [f"x{number / 100}" for number in range(1001)]})


@pytest.mark.parametrize("content", ["", "[]", '{"views": []}', '{"views": [3]}', '{"views": ["z1"]}', "x0 x45", MANY])
def test_files_that_are_no_rig(content: str, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(content)
    for program in (("test.py",), ("scripts/predict.py", "scan.ply")):
        assert_one_error_line(invoke(*program, "--rig", tmp_path / "own.json"), "own.json", "views")
        assert_one_error_line(invoke(*program, "--rig", tmp_path / "none.json"), "none.json", "does not exist")


@pytest.mark.parametrize(
    "views", [("x0", "x0"), ("x0", "x-0"), ("x0", "x360"), ("y0", "y20", "x0"), ("x-45", "x315"), ("x1", "x1.00000001")]
)
def test_one_direction_under_two_names(views: tuple[str, ...], tmp_path: Path) -> None:
    """It would count twice in every mean over views."""
    first, second = (View.from_name(view).name for view in (views[0], views[-1]))  # -0 is written 0
    said = ("contains a direction twice", f"{first} and {second}")
    assert_one_error_line(invoke("scripts/predict.py", "scan.ply", "--views", *views), "--views", *said)
    (tmp_path / "own.json").write_text(json.dumps({"views": views}))
    assert_one_error_line(invoke("scripts/predict.py", "scan.ply", "--rig", tmp_path / "own.json"), "own.json", *said)


def test_all_digits_of_a_direction_are_in_its_name() -> None:
    """Standard names stay as published; any name that is read is written with the same meaning."""
    for name in ("x-45", "x0", "y30", "x-144", "x144.1234", "x144.1230", "y1000000", "x123456.75", "x0.000000001"):
        assert View.from_name(View.from_name(name).name) == View.from_name(name)
    assert [View("x", -45).name, View("y", 30.0).name, View("x", 100).name] == ["x-45", "y30", "x100"]
    assert View("x", 144.1234).name == "x144.1234"
    assert repeated_direction([View("x", 180), View("y", 180), View("x", 144.1234), View("x", 144.123)]) is None


@pytest.mark.parametrize("views", [("3", "x0"), ("2", "3"), ("x0", "x0")])
def test_views_that_mean_nothing(views: tuple[str, ...], raw: Path, tmp_path: Path) -> None:
    ending = invoke("test.py", "--data_path", raw, "--save_path", tmp_path, "--views", *views)
    assert_one_error_line(ending, "--views")


def test_numbers_are_taken_from_the_front_outwards() -> None:
    available = AvailableViews(4, tuple(map(View.from_name, ("x-30", "x10", "y0", "y20"))), "here")
    assert available.chosen(ViewChoice(count=2), organized=True) == (1, 2)
    assert available.chosen(ViewChoice(count=2), organized=False) == (1, 3)
    assert available.chosen(ViewChoice(), organized=True) == (0, 1, 2, 3)
    nameless = AvailableViews(4, None, "here")
    assert nameless.chosen(ViewChoice(count=2), organized=True) == (1, 3)
    with pytest.raises(InputError, match="does not state the directions"):
        nameless.chosen(ViewChoice(directions=(View("x", 0),)), organized=True)

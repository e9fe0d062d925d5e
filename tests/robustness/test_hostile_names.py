"""Every writer with names that lead elsewhere: all that is written stays in the output folder, and is plain text."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_names import HOSTILE
from report.toy_runs import FACTS, toy_samples
from robustness.invocation import Ending, assert_one_error_line, files_below, invoke, render
from robustness.spoiling import edit_lists, linked_copy
from sample_scans import closed_shape

from pointad.commands.scan_search import output_folders
from pointad.data.export import FAILED, export_samples
from pointad.data.layout import SampleFiles
from pointad.data.metadata import metadata_path
from pointad.data.raw import RenderingOptions
from pointad.encoding.feature_cache import FeatureCache, PictureFeatures
from pointad.errors import InputError, shown
from pointad.evaluation.class_outcome import ClassOutcome
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter
from pointad.files.names import file_name
from pointad.report.runs import find_runs, read_scores
from pointad.report.samples import saved_maps
from pointad.scans.point_cloud import RawSample

ON_DISK = [name for name in HOSTILE if name not in ("", ".", "..") and "/" not in name and "\0" not in name]
ON_DISK = [name for name in ON_DISK if len(name.encode(errors="surrogateescape")) < 240]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder deep inside another one, around which nothing may change."""
    folder = tmp_path / "a" / "b" / "c" / "d"
    folder.mkdir(parents=True)
    before = files_below(tmp_path)
    escaped = Path("/tmp/pointad-escaped")
    yield folder
    inner = {str(path.relative_to(tmp_path)) for path in folder.rglob("*")}
    assert files_below(tmp_path) - before <= inner
    assert not escaped.exists() and not escaped.with_suffix(".npz").exists()


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in a picture of a sample plays no part here, and drawing takes its time."""
    monkeypatch.setattr("pointad.evaluation.run_writer.picture_of", lambda _: np.zeros((4, 4, 3), np.uint8))


def one_of_each(folder: Path, **facts: object) -> RunWriter:
    """A run that has each hostile name as a class, as a species and as an identifier."""
    writer = RunWriter(folder, RunRecord.from_json(FACTS | facts), save_maps=True, visualize=True)
    (sample, *_) = toy_samples("duck", 1)
    metrics = {"point": {"image_auroc": None}}  # of one sample
    curve = {"false_positive_rate": [0.0, 1.0], "height": [0.0, 1.0]}
    for name in HOSTILE:
        for change in ({"class_name": name}, {"species": name}, {"identifier": name}):
            object.__setattr__(sample, "__dict__", sample.__dict__ | {"class_name": "duck", "species": "good"} | change)
            writer.add_sample(sample)
    for name in ("duck", *HOSTILE):
        writer.add_class(ClassOutcome("kite", name, metrics, {"point": {"image": {"roc": curve}}}))  # type: ignore[arg-type]
    writer.finish()
    return writer


def test_maps_and_pictures_of_a_run(outside: Path) -> None:
    one_of_each(outside)
    for kind in ("maps", "visualization"):
        assert len(list((outside / kind / "duck" / "good").iterdir())) >= len(HOSTILE)
        assert {path.name for path in (outside / kind).iterdir()} == {"duck", *map(file_name, HOSTILE)}
    (run,) = find_runs([outside])
    scores = read_scores(run)
    assert [score.class_name for score in scores[::3]] == [shown(name) for name in HOSTILE]
    assert all(saved_maps(run, score) for score in scores), "what the table names is found again"
    with (outside / "scores.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


def test_reports_about_a_run(outside: Path) -> None:
    text = "</style><script>alert(1)</script>\x1b[2J|=1+1"
    hostile = dict.fromkeys(("backbone", "dataset_title", "name", "unheard_of"), text)
    for number, name in enumerate(HOSTILE):
        facts = {"training_class": name, "checkpoint": name, "protocol": name, "data_path": name, **hostile}
        if number < 2:
            one_of_each(outside / "runs" / str(number), **facts)
        else:
            write_facts_only(outside, number, facts)
    ending = invoke("scripts/report.py", outside / "runs", "--html", outside / "html", "--save_path", outside / "t")
    assert ending.code == 0, ending.err
    assert all(line.isprintable() for line in ending.out.splitlines()), "nothing that a terminal obeys"
    pages = list((outside / "html").iterdir())
    assert len(pages) == len(HOSTILE) + 1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script>alert" not in text and "<img src=x" not in text and "\x1b" not in text
    latex = (outside / "t" / "tables.tex").read_text(encoding="utf-8")
    assert r"\input" not in latex and "|=1" not in latex
    with (outside / "t" / "tables.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]


def write_facts_only(outside: Path, number: int, facts: dict[str, object]) -> None:
    writer = RunWriter(outside / "runs" / str(number), RunRecord.from_json(FACTS | facts))
    writer.add_class(ClassOutcome("kite", "duck", {"point": {"image_auroc": 0.5}}, {}))
    writer.finish()


def test_folders_of_scans(outside: Path) -> None:
    scans = [Path("in") / f"{name}.xyz" for name in ON_DISK] + [Path("...xyz"), Path("..xyz"), Path(".xyz")]
    folders = output_folders(scans, outside)
    assert len(set(folders)) == len(scans)
    assert {folder.parent for folder in folders} == {outside}
    assert all(not folder.name.startswith(".") for folder in folders)


@pytest.mark.parametrize("script", ["scripts/predict.py", "scripts/render_scans.py"])
def test_programs_on_scans_whose_stem_is_two_dots(script: str, outside: Path) -> None:
    scans = outside.parent / "scans"
    scans.mkdir()
    np.savetxt(scans / "...xyz", closed_shape(500))
    flags = ("--output", outside) if "predict" in script else ("--save_path", outside, "--views", "x0")
    ending = invoke(script, scans / "...xyz", *flags)
    assert ending.code == 0, ending.err
    assert {path.name for path in outside.iterdir()} == {"%2E%2E"}
    shutil.rmtree(scans)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/tmp/pointad-escaped", "a\0b", "x" * 300, ".hidden"])
def test_rendered_data_sets_refuse_what_is_no_name(name: str, outside: Path) -> None:
    for names in ((name, "good", "000"), ("gear", name, "000"), ("gear", "good", name)):
        with pytest.raises(InputError, match="rename it"):
            SampleFiles(outside, *names)
        sample = RawSample("mvtec_pc_3d_rgb", *names, 0, Path("scan.tiff"))
        (outcome,) = export_samples([sample], outside, RenderingOptions())
        assert outcome.status == FAILED and "scan.tiff" in outcome.message
    with pytest.raises(InputError, match="rename it"):
        metadata_path(outside, name)


def test_scans_called_dots_touch_no_finished_rendering(raw_archives: dict[str, Path], tmp_path: Path) -> None:
    raw = linked_copy(raw_archives["mvtec_pc_3d_rgb"], tmp_path / "raw")
    assert render("mvtec_pc_3d_rgb", raw, tmp_path / "out").code == 0
    before = files_below(tmp_path / "out")
    for name in ("..tiff", "...tiff"):
        (raw / "gear/test/good/xyz" / name).hardlink_to(raw / "gear/test/good/xyz/000.tiff")
    for flags in ((), ("--overwrite",)):
        ending = render("mvtec_pc_3d_rgb", raw, tmp_path / "out", *flags)
        assert ending.code == 0, ending.err  # hidden files are no samples
        assert "0 failed" in ending.out
        assert files_below(tmp_path / "out") == before


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize(
    "name", ["..", "../../escaped", "/tmp/pointad-escaped", "a\0b\n\x1b[2J", "x" * 300, "f\udce9|<b>"]
)
def test_names_in_all_meta_json(
    name: str, data: Path, test_flags: tuple[object, ...], outside: Path, tmp_path: Path
) -> None:
    edit_lists(data, {"cls_name": name, "specie_name": name})
    flags = ("--data_path", data, "--save_path", outside, *test_flags, "--save_maps", "--visualize")
    ending = invoke("test.py", *flags)
    assert ending.code == 0, ending.err
    assert (outside / "maps" / file_name(name) / file_name(name) / "000.npz").is_file()
    assert all(line.isprintable() for line in ending.out.splitlines())
    assert json.loads((outside / "results.json").read_text())["classes"].keys() == {"cookie", name}
    again = invoke("scripts/report.py", outside, "--html", outside / "html", "--save_path", outside)
    assert again.code == 0, again.err


@pytest.mark.usefixtures("ready_backbone")
def test_training_classes_in_run_json(
    data: Path, model_flags: tuple[object, ...], golden_weights: Path, outside: Path, tmp_path: Path
) -> None:
    checkpoints = []
    for number, name in enumerate(("../../../up", "/tmp/pointad-escaped")):
        folder = tmp_path / "checkpoints" / str(number)
        folder.mkdir(parents=True)
        (folder / "prompts.pth").hardlink_to(golden_weights / "prompts.pth")
        (folder / "run.json").write_text(json.dumps({"training_class": name, "training_dataset": "mvtec_pc_3d_rgb"}))
        checkpoints.append(folder / "prompts.pth")
    flags = ("--data_path", data, "--save_path", outside, *model_flags, "--views", 1, "--num_workers", 0)
    ending = invoke("test.py", *flags, "--checkpoint_path", *checkpoints)
    shutil.rmtree(tmp_path / "checkpoints")
    assert ending.code == 0, ending.err
    folders = {path.name for path in outside.iterdir() if path.is_dir()}
    assert folders == {file_name("../../../up"), file_name("/tmp/pointad-escaped")}


@pytest.mark.parametrize("name", ["..", "a/b", "/tmp/pointad-escaped", "x" * 300])
def test_classes_of_the_demo_and_of_training(name: str, data: Path, train_flags: tuple[object, ...]) -> None:
    ending: Ending = invoke("scripts/make_demo_data.py", "--classes", name)
    assert ending.code == 2 and "Traceback" not in ending.err
    assert_one_error_line(invoke("train.py", "--data_path", data, *train_flags, "--train_class", name))


@pytest.mark.usefixtures("ready_backbone")
def test_a_class_folder_that_is_not_utf8(
    rendered_archives: dict[str, Path], test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    name = "caf\udce9"
    data = linked_copy(rendered_archives["mvtec_pc_3d_rgb"], tmp_path / "data")
    (data / "gear").rename(data / name)
    for path in data.glob("*.json"):
        path.unlink()
    ending = invoke("generate_dataset_json/mvtec3d-ad.py", "--data_path", data)
    assert ending.code == 0 and "caf\\udce9" in ending.out
    flags = (*test_flags, "--views", 1, "--save_maps")
    ending = invoke("test.py", "--data_path", data, "--save_path", tmp_path / "out", *flags)
    assert ending.code == 0, ending.err
    assert "caf\\udce9" in ending.out and ending.out.encode()
    ending = invoke("scripts/report.py", tmp_path / "out", "--html", tmp_path / "html", "--save_path", tmp_path / "t")
    assert ending.code == 0, ending.err
    assert (tmp_path / "out" / "maps" / file_name(name) / "good" / "000.npz").is_file()


def test_links_lead_no_maps_out_of_the_folder(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    kept = elsewhere / "pit" / "000.npz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of somebody else")
    (folder / "maps").mkdir(parents=True)
    (folder / "maps" / "gear").symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"maps/gear/pit: leads out of .*run by a link; remove the link"):
        RunWriter(folder, RunRecord(), save_maps=True).begin([("gear", "pit", "000")])
    (folder / "scores.csv").write_text("class,species,id,label\ngear,pit,000,1\n")
    with pytest.raises(InputError, match="by a link"):
        RunWriter(folder, RunRecord()).begin([])
    assert kept.read_bytes() == b"of somebody else"
    (tmp_path / "link").symlink_to(tmp_path / "another")
    (tmp_path / "another").mkdir()
    RunWriter(tmp_path / "link", RunRecord(), save_maps=True).begin([("gear", "pit", "000")])  # as it was asked for


@pytest.mark.parametrize(
    ("script", "flag"), [("scripts/predict.py", "--output"), ("scripts/render_scans.py", "--save_path")]
)
def test_links_lead_no_results_out_of_the_folder(script: str, flag: str, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "scan.xyz", np.random.default_rng(0).random((200, 3)))
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "scan").symlink_to(tmp_path / "elsewhere")
    ending = invoke(script, tmp_path / "scan.xyz", flag, tmp_path / "out")
    assert_one_error_line(ending, "leads out of", "by a link")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("link", ["gear/test", "gear/test/good", "gear/test/good/rgb", "gear/test/good/2d_rendering"])
def test_links_lead_no_renderings_out_of_their_class(link: str, raw_archives: dict[str, Path], tmp_path: Path) -> None:
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "out" / link
    elsewhere.mkdir()
    place.parent.mkdir(parents=True)
    place.symlink_to(elsewhere)
    flags = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", raw_archives["mvtec_pc_3d_rgb"], "--views", 1)
    ending = invoke("scripts/render_dataset.py", *flags, "--save_path", tmp_path / "out", "--num_workers", 1)
    assert ending.code == 2 and "leads out of" in ending.err and "Traceback" not in ending.err
    assert not list(elsewhere.iterdir())


def test_links_lead_no_features_out_of_their_cache(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "ab").symlink_to(tmp_path / "elsewhere")
    cache = FeatureCache(tmp_path / "cache", fingerprint="x", layers=[1], precision="fp32")
    with pytest.raises(InputError, match="leads out of"):
        cache.write("ab" * 32, PictureFeatures(torch.zeros(3), torch.zeros(1, 2, 3, dtype=torch.float16)))
    assert not list((tmp_path / "elsewhere").iterdir())

"""test.py --shots through the command line: what is drawn from where, what is written, and what reports make of it."""

import csv
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from datasets.miniatures import write_mvtec
from programs_clip import have_programs_take
from robustness.invocation import Ending, assert_one_error_line, invoke, render

from pointad.model.backbone import ClipBackbone

SHOTS, DRAWS = (1, 2), 3
FLAGS = ("--dataset", "mvtec_pc_3d_rgb", "--num_workers", 0, "--device", "cpu", "--depth", 9)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, rendered from the front: tire has a training split, bagel none."""
    folder = tmp_path_factory.mktemp("shots")
    write_mvtec(folder / "raw", "tire", (3, 2, 2))
    write_mvtec(folder / "raw", "bagel", (0, 3, 2))
    assert render("mvtec_pc_3d_rgb", folder / "raw", folder / "rendered", "--good_scans").code == 0
    return folder / "rendered"


@pytest.fixture
def shots(rendered: Path, golden_weights: Path, golden_backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run test.py on them with the small CLIP of the goldens."""
    have_programs_take(golden_backbone, monkeypatch)

    def call(*flags: object, data: Path = rendered) -> Ending:
        prompts = ("--checkpoint_path", golden_weights / "prompts.pth")
        return invoke("test.py", *FLAGS, "--data_path", data, *prompts, *flags)

    return call


def outcomes(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "shots.json").read_text())["outcomes"]


def test_figures_of_all_draws_and_shots_from_one_encoding(shots: Any, tmp_path: Path) -> None:
    ending = shots("--shots", *SHOTS, "--draws", DRAWS, "--save_path", tmp_path / "out")
    assert ending.code == 0, ending.err
    found = outcomes(tmp_path / "out")
    assert len(found) == 2 * (1 + len(SHOTS) * DRAWS)
    assert {(one["class"], one["good_from"]) for one in found if one["shots"]} == {("tire", "train"), ("bagel", "test")}
    drawn = {(one["class"], name) for one in found if one["good_from"] == "train" for name in one["good_scans"]}
    scans = 2 + 2 + 3 + 2 + len(drawn)  # one view of each, and its RGB picture
    assert f"encoded {2 * scans} pictures, 0 from the cache" in ending.err

    rows = {row[0].strip(): row[1:] for row in (line.strip("|").split("|") for line in ending.out.splitlines())}
    assert {"zero-shot", "1-shot", "2-shot"} <= set(rows)
    assert [heading in ending.out for heading in ("Point: mean", "Colour: mean", "Fused (multimodal): mean")] == [
        True
    ] * 3
    assert "Good scans were drawn from the training split, which has no part in the test; those of bagel" in ending.out

    for shots_ in SHOTS:
        stored = json.loads((tmp_path / "out" / f"{shots_}-shot" / "results.json").read_text())
        own = [one for one in found if one["shots"] == shots_ and one["class"] == "tire"]
        values = [one["metrics"]["point"]["pixel_auroc"] for one in own]
        assert stored["classes"]["tire"]["point"]["pixel_auroc"] == pytest.approx(statistics.fmean(values))
        assert stored["std"]["classes"]["tire"]["point"]["pixel_auroc"] == pytest.approx(statistics.stdev(values))
        assert stored["run"]["shots"] == shots_ and stored["run"]["good_from"] == "test or train"
        assert stored["protocol"]["supervision"] == f"{shots_}-shot"
        assert stored["draws"][1]["good_scans"]["tire"] == own[1]["good_scans"]
        means = [
            statistics.fmean(draw["classes"][name]["point"]["pixel_auroc"] for name in ("tire", "bagel"))
            for draw in stored["draws"]
        ]
        assert stored["mean"]["point"]["pixel_auroc"] == pytest.approx(statistics.fmean(means))
        assert stored["std"]["mean"]["point"]["pixel_auroc"] == pytest.approx(statistics.stdev(means))
        with (tmp_path / "out" / "shots.csv").open(newline="") as file:
            of_means = {
                row["modality"]: row
                for row in csv.DictReader(file)
                if (row["class"], row["supervision"], row["metric"]) == ("mean", f"{shots_}-shot", "pixel_auroc")
            }
        assert list(of_means) == list(stored["mean"]) == ["point", "color", "fused"]
        for modality, line in of_means.items():
            assert float(line["mean"]) == pytest.approx(stored["mean"][modality]["pixel_auroc"])
        row = of_means["point"]
        assert float(row["mean"]) == pytest.approx(statistics.fmean(means)) and row["draws"] == str(DRAWS)
        assert float(row["std"]) == pytest.approx(statistics.stdev(means))

    report = invoke("scripts/report.py", tmp_path / "out", "--html", tmp_path / "pages", "--csv", tmp_path / "tidy.csv")
    assert report.code == 0, report.err
    lines = [line for line in report.out.splitlines() if line.startswith("|")]
    assert [sum(f"| {shots_}-shot " in line for line in lines) for shots_ in SHOTS] == [2, 2]  # point and fused
    assert sum("1 × 3 draws" in line for line in lines) == 4
    index = (tmp_path / "pages" / "index.html").read_text()
    assert "1-shot: 1 good scan of each class; drawn from the test or train split; mean over 3 draws." in index
    (page,) = (tmp_path / "pages").glob("*2-shot*.html")
    assert "Per cent, 2-shot, mean ± standard deviation over the draws" in page.read_text()
    with (tmp_path / "tidy.csv").open(newline="") as file:
        tidy = list(csv.DictReader(file))
    assert {(row["supervision"], row["draw"]) for row in tidy} == {
        (f"{shots_}-shot", str(draw)) for shots_ in SHOTS for draw in (1, 2, 3)
    }


def test_good_scans_may_be_drawn_from_the_test_all_the_same(shots: Any, tmp_path: Path) -> None:
    flags = ("--shots", 1, "--draws", 2, "--metrics", "image-level", "--save_path", tmp_path)
    assert shots(*flags, "--good_from", "test").code == 0
    assert {one["good_from"] for one in outcomes(tmp_path) if one["shots"]} == {"test"}
    before = outcomes(tmp_path)
    assert shots(*flags, "--good_from", "test").code == 0
    assert outcomes(tmp_path) == before  # drawn by the seed
    run = json.loads((tmp_path / "1-shot" / "results.json").read_text())["run"]
    assert run["good_from"] == "test" and run["draws"] == 2 and run["draw_seed"] == 111


def test_a_raw_archive_gives_the_same_figures_as_its_renderings(shots: Any, rendered: Path, tmp_path: Path) -> None:
    flags = ("--shots", 1, "--draws", 1)
    assert shots(*flags, "--save_path", tmp_path / "stored").code == 0
    raw = ("--render", "on_the_fly", "--views", "x0", "--save_path", tmp_path / "raw")
    assert shots(*flags, *raw, data=rendered.parent / "raw").code == 0
    found = outcomes(tmp_path / "raw")
    assert found == outcomes(tmp_path / "stored")
    drawn = {(one["class"], one["good_from"]) for one in found if one["shots"]}
    assert drawn == {("tire", "train"), ("bagel", "test")}


def test_more_than_there_is_is_refused(shots: Any, tmp_path: Path) -> None:
    ending = shots("--shots", 4, "--save_path", tmp_path / "out")
    assert_one_error_line(ending, "--shots 4: class bagel has 3 good scans", "give at most 2")
    ending = shots("--shots", 1, "--draws", 1, "--save_maps", "--save_path", tmp_path / "out")
    assert_one_error_line(ending, "--save_maps: has no effect on a few-shot test")
    assert not list(tmp_path.glob("out/*.json"))

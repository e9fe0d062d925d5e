"""Trivial statistics against the labels: a data set whose labels leak is told apart from one that is sound."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointad.evaluation.label_leaks import (
    LabelLeakCheck,
    file_statistics,
    grid_statistics,
    leak_note,
    log_findings,
    suspicious,
)
from pointad.evaluation.results import Results
from pointad.evaluation.scored_sample import ScoredSample
from pointad.report.leak_section import leak_section

SIDE = 24


@dataclass(frozen=True)
class Source:
    """What a raw sample and a record have in common here."""

    class_name: str
    species: str
    identifier: str
    label: int
    rgb_path: Path | None = None
    scan_path: Path | None = None


def scored(source: Source, holes: int, prompts: str = "a") -> ScoredSample:
    """A sample of a full grid with so many holes in its second row."""
    valid = np.ones((SIDE, SIDE), bool)
    valid[1, 1 : 1 + holes] = False
    name = (source.class_name, source.species, source.identifier)
    nothing = np.zeros((SIDE, SIDE), np.float32)
    return ScoredSample(
        prompts,
        *name,
        source.label,
        {"point": 0.5},
        {"point": nothing},
        nothing > 0,
        valid,
        None,
        nothing[0],
        None,
        None,
    )


def sources(folder: Path, class_name: str, bytes_of_bad: int = 0, picture_side_of_bad: int = 20) -> list[Source]:
    """Six good and six bad samples; good and bad files differ as asked, and by chance."""
    random = np.random.default_rng(3)
    made = []
    for index in range(12):
        label = index % 2
        species = "dent" if label else "good"
        place = folder / class_name / species
        place.mkdir(parents=True, exist_ok=True)
        scan, picture = place / f"{index}.bin", place / f"{index}.png"
        scan.write_bytes(bytes(1000 + int(random.integers(100)) + bytes_of_bad * label))
        side = picture_side_of_bad if label else 20
        Image.fromarray(random.integers(0, 255, (side, 20), dtype=np.uint8)).save(picture)
        made.append(Source(class_name, species, str(index), label, picture, scan))
    return made


def findings_of(
    made: list[Source], holes_of_bad: int = 0, *, organized: bool = True
) -> dict[str, dict[str, float | None]]:
    check = LabelLeakCheck(made, organized=organized)
    random = np.random.default_rng(4)
    for source in made:
        holes = int(random.integers(5)) + holes_of_bad * source.label
        for prompts in ("a", "b"):  # under the second prompts nothing is counted again
            check.add(scored(source, holes, prompts))
    return check.findings()


def test_sound_data_raise_no_alarm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    findings = findings_of(sources(tmp_path, "bear"))
    assert list(findings["bear"]) == ["points", "extent", "holes", "picture_pixels", "picture_bytes", "scan_bytes"]
    assert suspicious(findings) == {}
    assert findings["bear"]["extent"] == findings["bear"]["picture_pixels"] == 0.5, "constant: says nothing"
    with caplog.at_level(logging.INFO):
        log_findings(findings)
    (record,) = caplog.records
    assert record.levelno == logging.INFO and record.getMessage().startswith("No trivial statistic separates")


@pytest.mark.parametrize(
    ("changed", "statistic", "direction"),
    [
        ({"holes_of_bad": 8}, "points", 0.0),
        ({"holes_of_bad": 8}, "holes", 1.0),
        ({"bytes_of_bad": 200}, "scan_bytes", 1.0),
        ({"bytes_of_bad": -200}, "scan_bytes", 0.0),
        ({"picture_side_of_bad": 30}, "picture_pixels", 1.0),
        ({"picture_side_of_bad": 15}, "picture_bytes", 0.0),
    ],
)
def test_leaks_are_found_in_both_directions(
    changed: dict[str, int], statistic: str, direction: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    of_grid = {name: value for name, value in changed.items() if name == "holes_of_bad"}
    of_files = {name: value for name, value in changed.items() if name not in of_grid}
    findings = findings_of(sources(tmp_path, "bear", **of_files), **of_grid)
    findings |= findings_of(sources(tmp_path, "sound"))
    assert findings["bear"][statistic] == direction
    assert list(suspicious(findings)) == ["bear"] and statistic in suspicious(findings)["bear"]
    log_findings(findings)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("Labels may leak") and "bear: " in record.getMessage()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    made = [Source("bear", "good", "0", 0), Source("bear", "dent", "1", 1, tmp_path / "missing.png")]
    findings = findings_of(made, organized=False)
    assert list(findings["bear"]) == ["points"]
    missing = "extent on the grid, share of holes, picture size, picture file size, scan file size"
    assert leak_note(findings).endswith(f"Not available: {missing}.")


def test_a_class_without_anomalies_says_nothing(tmp_path: Path) -> None:
    findings = findings_of([source for source in sources(tmp_path, "bear") if not source.label])
    assert set(findings["bear"].values()) == {None}
    assert leak_note(findings).startswith("Label leaks cannot be assessed")


def test_statistics_by_hand(tmp_path: Path) -> None:
    valid = np.zeros((8, 8), bool)
    valid[2:5, 1:7] = True
    valid[3, 3:6] = False
    assert grid_statistics(valid, organized=True) == {"points": 15, "extent": 6, "holes": 1 - 15 / 18}
    assert grid_statistics(valid, organized=False) == {"points": 15}
    assert grid_statistics(valid & False, organized=True) == {"points": 0}
    picture = tmp_path / "a.png"
    Image.new("L", (7, 5)).save(picture)
    size = picture.stat().st_size
    assert file_statistics(Source("", "", "", 0, picture)) == {"picture_bytes": size, "picture_pixels": 35}
    picture.write_bytes(b"no picture")
    assert file_statistics(Source("", "", "", 0, picture)) == {"picture_bytes": 10}


def test_section_of_the_page(tmp_path: Path) -> None:
    findings = findings_of(sources(tmp_path, "bear <1>", bytes_of_bad=200))
    page = leak_section(Results({}, label_leaks=findings))
    assert "class=warning" in page and "<strong>100.0</strong>" in page and "bear &lt;1&gt;" in page
    assert "class=warning" not in leak_section(Results({}, label_leaks=findings_of(sources(tmp_path, "duck"))))
    assert leak_section(Results({})) == ""


def test_results_keep_the_findings(tmp_path: Path) -> None:
    findings = findings_of(sources(tmp_path, "bear"))
    Results({}, label_leaks=findings).save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json").label_leaks == findings

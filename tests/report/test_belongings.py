"""Several results files in one folder: each is a run of its own, and has only those files that were written with it."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from robustness.invocation import invoke
from toy_runs import TOYS, write_run

from pointad.report.belongings import Belongings, belongings
from pointad.report.page import run_page
from pointad.report.protocol_tables import protocol_tables
from pointad.report.runs import Run, find_runs

BOTH, NONE = Belongings(scores=True, curves=True), Belongings()


def two_tests(folder: Path) -> tuple[Run, Run]:
    """Two tests in one folder, of which the results of the first were renamed."""
    write_run(folder, seed=1, save_maps=True, visualize=True)
    (folder / "results.json").rename(folder / "before.json")
    write_run(folder, seed=2)
    before, after = find_runs([folder / "before.json", folder])
    return before, after


def forget(path: Path) -> None:
    """Make a results file one of an older version, which does not tell what was written with it."""
    content = json.loads(path.read_text())
    del content["files"]
    path.write_text(json.dumps(content))


def test_a_page_shows_nothing_of_another_test(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before, after = two_tests(tmp_path)
    assert belongings(after) == BOTH and caplog.text == ""
    assert belongings(before) == NONE
    assert "before.json: scores.csv and curves.json" in caplog.text
    assert 'id="results"' in run_page(before)
    for section in ("scores", "curves", "samples", "clouds"):
        assert f'id="{section}"' not in run_page(before)
    shown = run_page(after)
    assert 'id="scores"' in shown and 'id="curves"' in shown
    assert 'id="samples"' not in shown, "maps and pictures are those of the first test"


def test_renamed_results_keep_their_files(tmp_path: Path) -> None:
    write_run(tmp_path, save_maps=True, visualize=True)
    (tmp_path / "results.json").rename(tmp_path / "mine.json")
    for name in ("scores.csv", "curves.json"):  # as git leaves them on Windows
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"\n", b"\r\n"))
    (run,) = find_runs([tmp_path / "mine.json"])
    assert belongings(run) == BOTH
    assert 'id="samples"' in run_page(run)


@pytest.mark.parametrize("kind", ["maps", "visualization"])
def test_a_page_shows_no_maps_and_pictures_of_another_test(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Tables of scores may be equal, as with --fusion global, where maps with another sigma are not."""
    options = {"save_maps": kind == "maps", "visualize": kind != "maps"}
    own, other = (write_run(tmp_path / name, seed=seed, **options) for seed, name in enumerate("ab"))
    assert 'id="samples"' in run_page(own) and caplog.text == ""
    shutil.rmtree(own.folder / kind)
    shutil.copytree(other.folder / kind, own.folder / kind)
    assert 'id="samples"' not in run_page(own)
    assert "of maps and pictures next to it are not those that it was written with" in caplog.text
    assert caplog.text.count("\n") == 1


def test_maps_whose_fingerprints_are_unknown_are_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Older versions wrote none."""
    run = write_run(tmp_path, save_maps=True)
    table = tmp_path / "scores.csv"
    table.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in table.read_text().splitlines()))
    forget(tmp_path / "results.json")
    shutil.rmtree(tmp_path / "maps")
    shutil.copytree(write_run(tmp_path / "other", seed=1, save_maps=True).folder / "maps", tmp_path / "maps")
    (run,) = find_runs([tmp_path / "results.json"])
    assert 'id="samples"' in run_page(run) and caplog.text == ""


def test_older_results_have_the_scores_that_lead_to_their_figures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before, after = two_tests(tmp_path)
    for run in (before, after):
        forget(run.folder / run.name)
    before, after = find_runs([tmp_path / "before.json", tmp_path])
    assert belongings(after) == BOTH and caplog.text == ""
    assert belongings(before) == NONE and "if they do, rename it to results.json" in caplog.text
    content = json.loads((tmp_path / "before.json").read_text())
    content["classes"]["bear"]["point"]["image_ap"] -= 1e-3
    (tmp_path / "results.json").write_text(json.dumps(content))
    (before,) = find_runs([tmp_path])
    assert belongings(before) == NONE and "its figures are not those of scores.csv" in caplog.text


def test_few_shot_results_have_no_files_of_a_test_without_good_scans(make_run: Callable[..., Run]) -> None:
    run = make_run(shots=1)
    assert belongings(run) == NONE


@pytest.mark.parametrize("value", ["x", [], {}, {"scores.csv": 1}])
def test_odd_tables_of_files_are_refused(value: object, make_run: Callable[..., Run]) -> None:
    path = make_run().folder / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": value}))
    ending = invoke("scripts/report.py", path)
    assert ending.code == 2 and "results.json: files" in ending.err


def test_runs_in_one_folder_have_rows_of_their_own(make_run: Callable[..., Run], tmp_path: Path) -> None:
    options: tuple[dict, ...] = ({"seed": 1}, {"seed": 2, "training_class": "rope"}, {"seed": 3, "sigma": 9.0})
    for name, facts in zip("abc", options, strict=True):
        run = make_run(samples="the same", **facts)
        shutil.copy(run.folder / "results.json", tmp_path / f"{name}.json")
    shutil.copy(tmp_path / "a.json", tmp_path / "copy.json")
    files = [tmp_path / f"{name}.json" for name in ("a", "b", "c", "copy")]
    ending = invoke("scripts/report.py", *files, "--csv")
    assert ending.err.count("they are counted once") == 1
    rows = list(csv.DictReader(io.StringIO(ending.out)))
    assert len(rows) == 3 * len(TOYS) * 3 * 4
    assert {(Path(row["run"]).name, row["method"]) for row in rows} == {
        ("a.json", "PointAD"),
        ("b.json", "PointAD"),
        ("c.json", "PointAD (σ 9)"),
    }


def test_repetitions_of_one_place_have_names_of_their_own(tmp_path: Path) -> None:
    rows = [row.method for row in protocol_tables(two_tests(tmp_path))[0].rows if not row.is_published]
    assert len(rows) == len(set(rows)) == 2
    assert any(name.endswith("before.json") for name in rows)


def test_repetitions_of_mixed_places_have_names_of_their_own(run_of: Callable[..., Run]) -> None:
    found = [("a", 1, 0.5), ("b", 1, 0.6), ("c", 2, 0.7), ("d", 2, 0.8)]
    runs = [run_of(value, f"all/{folder}", seed=seed) for folder, seed, value in found]
    (table,) = protocol_tables(runs)
    assert [row.method for row in table.rows if not row.is_published] == [
        "PointAD, in all",
        "PointAD, in all (repetition 2)",
    ]

"""One tidy row for every run, class, modality and metric, through the command line."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from robustness.invocation import assert_one_error_line, invoke
from toy_runs import TOYS

from pointad.report.runs import Run


@pytest.fixture
def runs(make_run: Callable[..., Run]) -> list[Run]:
    return [make_run(seed=1), make_run(seed=2, view_fusion="max", provenance={"code": "abc", "revision": "def"})]


def test_every_figure_is_a_row(runs: list[Run]) -> None:
    ending = invoke("scripts/report.py", *(run.folder for run in runs), "--csv")
    assert ending.code == 0, ending.err
    rows = list(csv.DictReader(io.StringIO(ending.out)))
    assert len(rows) == 2 * len(TOYS) * 3 * 4
    for run in runs:
        own = [row for row in rows if row["run"] == str(run.folder)]
        for row in own:
            value = run.results.classes[row["class"]][row["modality"]][row["metric"]]
            assert row["value"] == ("" if value is None else repr(value))
        assert {row["trained_on"] for row in own} == {"0"}
    assert {(row["method"], row["view_fusion"], row["code"], row["views"]) for row in rows} == {
        ("PointAD", "", "", "9"),
        ("PointAD (views fused by max)", "max", "abc", "9"),
    }
    assert {row["seed"] for row in rows} == {"111"}  # of the training


def test_a_file_may_be_named_and_tables_are_printed_then(runs: list[Run], tmp_path: Path) -> None:
    path = tmp_path / "deep" / "figures.csv"
    ending = invoke("scripts/report.py", *(run.folder for run in runs), "--csv", path)
    assert ending.code == 0 and "### One-vs-rest" in ending.out
    assert path.read_text().startswith("run,method,dataset,protocol,")


def test_a_copy_of_a_run_is_counted_once_and_told_once(runs: list[Run], tmp_path: Path) -> None:
    for run in runs:
        shutil.copytree(run.folder, tmp_path / "all" / run.folder.name)
    shutil.copytree(runs[0].folder, tmp_path / "all" / "backup")
    ending = invoke("scripts/report.py", tmp_path / "all", "--csv")
    assert ending.err.count("they are counted once") == 1
    assert len(list(csv.DictReader(io.StringIO(ending.out)))) == 2 * len(TOYS) * 3 * 4
    ending = invoke("scripts/report.py", tmp_path / "all", "--csv", tmp_path / "f.csv", "--html", tmp_path / "pages")
    assert ending.err.count("they are counted once") == 1


def test_methods_are_called_as_in_the_tables(make_run: Callable[..., Run], tmp_path: Path) -> None:
    """A run that learned nothing is in the tables of the others, where a label that both have is told apart."""
    learned = make_run(seed=1, name="mine")
    plain = make_run(seed=2, name="mine", prompts="ensemble", protocol="", training_class=None, training_dataset=None)
    flags = (learned.folder, plain.folder, "--csv", tmp_path / "figures.csv", "--save_path", tmp_path / "tables")
    assert invoke("scripts/report.py", *flags).code == 0
    paths = (tmp_path / "figures.csv", tmp_path / "tables" / "tables.csv")
    tidy, tables = ({row["method"] for row in csv.DictReader(path.open())} for path in paths)
    assert tidy == tables and len(tidy) == 2


def test_rows_replace_no_table_of_the_same_report(runs: list[Run], tmp_path: Path) -> None:
    for flag, name in (("--save_path", "tables.csv"), ("--html", "index.html")):
        ending = invoke("scripts/report.py", runs[0].folder, flag, tmp_path / "out", "--csv", tmp_path / "out" / name)
        assert_one_error_line(ending, name, "is the name of another table or page of this report")
    assert not (tmp_path / "out").exists()


def test_rows_replace_rows_alone(runs: list[Run], tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text("epoch,step,loss\n1,1,0.5\n")
    ending = invoke("scripts/report.py", runs[0].folder, "--csv", path)
    assert_one_error_line(ending, "losses.csv", "exists, and --csv did not write it")
    assert path.read_text() == "epoch,step,loss\n1,1,0.5\n"
    path.write_text("")
    for _ in range(2):  # into an empty file, and over its own rows
        assert invoke("scripts/report.py", runs[0].folder, "--csv", path).code == 0
        assert path.read_text().startswith("run,method,")

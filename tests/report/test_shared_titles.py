"""Data sets of one title, such as folders of one name in two formats, are told apart in tables and tidy rows."""

import csv
import io
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pointad.report.protocol_tables import TableRow, protocol_tables
from pointad.report.runs import Run
from pointad.report.tidy import to_tidy_csv

MakeRun = Callable[..., Run]

PARTS = {"dataset_title": "parts", "classes": ("bolt", "nut")}
REAL3D = {"dataset": "real_pc_3d_rgb", "training_dataset": "real_pc_3d_rgb"}


def rows_of(*runs: Run) -> list[TableRow]:
    return [row for table in protocol_tables(runs) for row in table.rows if not row.is_published]


def names_in_tidy_rows(*runs: Run) -> list[tuple[str, ...]]:
    """What docs/outputs.md groups the rows of runs by."""
    columns = ("protocol", "dataset", "backbone", "is_demo", "supervision", "method")
    rows = csv.DictReader(io.StringIO(to_tidy_csv(runs)))
    by_run = {row["run"]: tuple(row[name] for name in columns) for row in rows}
    return list(by_run.values())


@pytest.mark.parametrize("other", [{}, {"depth": 1}, {"name": "mine"}])
def test_formats_of_one_title_are_told(other: dict[str, Any], run_of: MakeRun) -> None:
    runs = [run_of(0.5, "a", **PARTS), run_of(0.9, "b", **PARTS, **REAL3D, **other)]
    rows = rows_of(*runs)
    assert [row.dataset for row in rows] == ["parts", "parts"]
    assert all("data in the format" in row.method for row in rows)
    assert len(set(names_in_tidy_rows(*runs))) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dataset_title": "MVTec 3D-AD"}, {"dataset_title": None}),
        ({"backbone": "demo_clip", "is_demo": True}, {"backbone": "demo_clip", "is_demo": False}),
    ],
)
def test_rows_that_read_alike_have_methods_of_different_names(
    one: dict[str, Any], other: dict[str, Any], run_of: MakeRun
) -> None:
    rows = rows_of(run_of(0.5, "a", **one), run_of(0.9, "b", **other))
    assert all(a.method != b.method for a, b in itertools.combinations(rows, 2)) and len(rows) == 2


def test_one_format_needs_no_word(run_of: MakeRun) -> None:
    (row,) = rows_of(run_of(0.5, "a", **PARTS, seed=1), run_of(0.9, "b", **PARTS, seed=2))
    assert (row.method, row.runs) == ("PointAD", 2)

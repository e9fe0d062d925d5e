"""Protocol tables as Markdown, CSV and LaTeX."""

import csv
import io
from collections.abc import Callable

import pytest

from pointad.report.formats import summary_text, to_csv, to_latex, to_markdown
from pointad.report.protocol_tables import ProtocolTable, Summary, protocol_tables
from pointad.report.runs import Run


@pytest.fixture
def tables(run_of: Callable[..., Run]) -> list[ProtocolTable]:
    return protocol_tables([run_of(0.625, "a", seed=1), run_of(0.75, "b", seed=2, backbone="x_y & z")] * 1)


def test_numbers() -> None:
    assert summary_text(None) == "–"
    assert summary_text(Summary(0.8204, None)) == "82.0"
    assert summary_text(Summary(0.8204, 0.0126)) == "82.0 ± 1.3"


def test_markdown(tables: list[ProtocolTable]) -> None:
    text = to_markdown(tables)
    assert "### One-vs-rest, point" in text
    assert "62.5" in text and "published" in text and "84.4" in text and "–" in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_csv_keeps_full_precision(tables: list[ProtocolTable]) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(tables))))
    own = [row for row in rows if row["published"] == "0" and row["metric"] == "image_auroc"]
    assert [float(row["mean"]) for row in own] == [0.625, 0.75]
    assert own[0]["std"] == "" and own[0]["seeds"] == "1" and own[0]["runs"] == "1"
    undefined = [row for row in rows if row["published"] == "0" and row["metric"] == "pixel_aupro"]
    assert {row["mean"] for row in undefined} == {""}


def test_latex_escapes_what_it_must(tables: list[ProtocolTable]) -> None:
    text = to_latex(tables)
    assert r"x\_y \& z" in text
    assert text.count(r"\begin{tabular}{llllrrrrr}") == 1
    assert "±" not in text and "–" not in text
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in body} == {8}

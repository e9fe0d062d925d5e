"""Results that the scores written with them contradict are refused, and links lead to pages of any name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from robustness.invocation import invoke
from toy_runs import write_run

from pointad.errors import InputError
from pointad.report.belongings import require_own_figures
from pointad.report.page import write_pages
from pointad.report.runs import Run, find_runs


def edited(run: Run, change: Callable[[dict[str, Any]], object]) -> Run:
    path = run.folder / "results.json"
    content = json.loads(path.read_text())
    change(content["classes"])
    path.write_text(json.dumps(content))
    return find_runs([run.folder])[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda c: c["bear"]["point"].update(image_auroc=0.123),
            r"bear, point, image_auroc: is 0\.123, but that of sc",
        ),
        (
            lambda c: c["duck"]["fused"].update(image_ap=None),
            "duck, fused, image_ap: is None, but that of scores.csv is",
        ),
        (lambda c: c.pop("duck"), "has no figures of the class duck, of which scores.csv has samples"),
        (lambda c: c.update(goose=c["duck"]), "has figures of the class goose, of which scores.csv has no sample"),
    ],
)
def test_figures_that_scores_contradict_are_refused(
    change: Callable[[dict[str, Any]], object], problem: str, make_run: Callable[..., Run]
) -> None:
    run = make_run()
    require_own_figures(run)
    with pytest.raises(InputError, match=problem):
        require_own_figures(edited(run, change))


def test_scores_of_other_tests_contradict_nothing(make_run: Callable[..., Run]) -> None:
    run = make_run()
    edited(run, lambda c: c["bear"]["point"].update(image_auroc=0.123))
    content = (run.folder / "scores.csv").read_text()
    (run.folder / "scores.csv").write_text(content + content.splitlines()[-1] + "\n")
    require_own_figures(find_runs([run.folder])[0])
    (run.folder / "scores.csv").unlink()
    require_own_figures(find_runs([run.folder])[0])


def test_names_of_classes_are_compared_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toy_runs.TOYS", ("a\nb\udce9", "=1+1", "a\\nb"))
    require_own_figures(find_runs([write_run(tmp_path / "own").folder])[0])
    monkeypatch.setattr("toy_runs.TOYS", ("a\nb", "a\\nb"))  # one name for two classes
    require_own_figures(find_runs([write_run(tmp_path / "alike").folder])[0])


def test_tables_of_edited_figures_are_refused_in_one_line(make_run: Callable[..., Run]) -> None:
    run = edited(make_run(), lambda c: c["bear"]["color"].update(image_auroc=0.0))
    ending = invoke("scripts/report.py", run.folder)
    assert ending.code == 2 and ending.out == ""
    assert "results.json: bear, color, image_auroc: is 0.0, but" in ending.err and ending.err.count("\n") == 1


def test_links_lead_to_pages_with_long_names(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    """Such names end in a per cent sign and a digest, and a server would decode what follows the sign."""
    runs = [make_run(dataset_title="x" * 300), make_run(dataset_title="toys")]
    index = write_pages(runs, tmp_path / "html")
    pages = {path.name for path in (tmp_path / "html").iterdir()} - {index.name}
    assert any("%" in name for name in pages)
    links = [line.partition('"')[0] for line in index.read_text().split('<li><a href="')[1:]]
    assert {unquote(link) for link in links} == pages and "%~" not in "".join(links)
    write_pages(runs[1:], tmp_path / "html")
    assert len(list((tmp_path / "html").iterdir())) == 2, "the page of the first run is gone"

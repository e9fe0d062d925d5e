"""Reports of thousands of runs: none is compared with each of the others."""

from pathlib import Path
from typing import Any

import pytest

from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.report import grouping, protocol_tables
from pointad.report.copies import without_copies
from pointad.report.formats import to_markdown
from pointad.report.grouping import methods
from pointad.report.methods import distinct_names
from pointad.report.runs import Run

MANY = 300


class Compared(dict):
    """A table that counts how often such tables are compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Compared.compared += 1
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]


def run(number: int, figure: float = 0.5, **facts: Any) -> Run:
    classes = Compared({"a": {"point": {"image_auroc": figure}}, "b": {"point": {"image_auroc": 0.5}}})
    facts = {"dataset": "folder", "dataset_title": "scans", "protocol": "one-vs-rest", **facts}
    return Run(Path(f"/runs/{number}"), Results(classes, RunRecord(**facts)))


def test_repetitions_of_one_run_are_looked_up() -> None:
    Compared.compared = 0
    runs = [run(number, number / MANY) for number in range(MANY)]
    assert [len(group) for _, group in methods(runs)] == [1] * MANY
    assert Compared.compared < MANY


@pytest.mark.parametrize(
    ("prompts", "kept"),
    [
        ((None, None), [0]),
        (("p", "p"), [0]),
        (("p", "q"), [0, 1]),
        (("p", None), [0]),
        ((None, "p"), [0]),
        (("p", "q", "p", "r", ""), [0, 1, 3]),
    ],
)
def test_which_runs_are_copies(prompts: tuple[str | None, ...], kept: list[int]) -> None:
    runs = [run(number, checkpoint_fingerprint=told) for number, told in enumerate(prompts)]
    assert without_copies(runs) == [runs[number] for number in kept]


def test_data_sets_are_titled_once_for_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    titled = []

    def title(one: Run) -> str:
        titled.append(one)
        return str(one.record.dataset_title)

    monkeypatch.setattr(protocol_tables, "dataset_title", title)
    ensemble = [run(number, prompts="ensemble", protocol="", dataset_title=f"{number % 50}") for number in range(MANY)]
    others = [run(MANY + number, protocol=f"p{number % 40}", dataset_title=f"{number % 45}") for number in range(MANY)]
    found = protocol_tables.runs_by_protocol([*ensemble, *others])
    assert len(titled) == 2 * MANY
    assert found[""] == [one for one in ensemble if int(str(one.record.dataset_title)) >= 45]
    own = [one for one in others if one.record.protocol == "p3"]
    titles = {one.record.dataset_title for one in own}
    assert found["p3"] == own + [one for one in ensemble if one.record.dataset_title in titles]


def test_notes_of_a_table_get_their_letters_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    marks = protocol_tables.marks
    monkeypatch.setattr(protocol_tables, "marks", lambda notes: made.append(1) or marks(notes))
    tables = protocol_tables.protocol_tables([run(number, sigma=number + 1.5) for number in range(20)])
    assert r"\[t\]" in to_markdown(tables)
    assert len(made) == len(tables)


def test_equal_names_are_numbered() -> None:
    names = distinct_names(["x", "y", "x", "x"], [{}] * 4)
    assert names == ["x", "y", "x (variant 2)", "x (variant 3)"]


def test_runs_of_other_classes_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    classes = grouping._classes
    monkeypatch.setattr(grouping, "_classes", lambda one: asked.append(one) or classes(one))
    runs = [run(number, training_class=f"c{number}") for number in range(MANY)]
    assert [len(group) for _, group in methods(runs)] == [1] * MANY
    assert len(asked) == MANY

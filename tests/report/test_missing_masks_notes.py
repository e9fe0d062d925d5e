"""What reports and few-shot tests say of anomalous samples that metrics of points leave out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pointad.commands.shots_outputs import shots_tables
from pointad.errors import InputError
from pointad.evaluation.results import Results
from pointad.reference.shots import ShotOutcome
from pointad.report.protocol_tables import protocol_tables
from pointad.report.runs import Run

MakeRun = Callable[..., Run]


@pytest.mark.parametrize(("count", "note"), [(1, "an anomalous sample whose mask marks"), (9, "9 anomalous samples")])
def test_rows_say_how_many_are_left_out(count: int, note: str, run_of: MakeRun, tmp_path: Path) -> None:
    run = run_of(0.5, training_class="carrot")
    replace(run.results, without_mask={"bagel": count}).save(tmp_path / "results.json")
    read = Results.load(tmp_path / "results.json")
    assert read.without_mask == {"bagel": count}
    (table,) = protocol_tables([replace(run, results=read)])
    said = [text for row in table.rows for text in row.notes if "leave out" in text]
    assert len(said) == 1 and note in said[0]
    (table,) = protocol_tables([run])
    assert not [text for row in table.rows for text in row.notes if "leave out" in text]


@pytest.mark.parametrize("count", ["9", -1, True, None])
def test_counts_are_numbers(count: object, run_of: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    replace(run_of(0.5).results, without_mask={"bagel": count}).save(path)
    with pytest.raises(InputError, match="without_mask, bagel: expected a count"):
        Results.load(path)


def test_few_shot_tables_say_it_too() -> None:
    figures = {"point": {"image_auroc": 0.9, "pixel_auroc": 0.8}}
    outcome = ShotOutcome("own", "bagel", 1, 0, "train", ("000",), figures)
    assert "leave out" not in shots_tables([outcome], ("image_auroc", "pixel_auroc"))
    text = shots_tables([replace(outcome, without_mask=2)], ("image_auroc", "pixel_auroc"))
    assert "Pixel metrics leave out anomalous samples whose masks mark nothing: 2 of bagel." in text


def test_few_shot_tables_tell_of_classes_that_are_in_no_mean() -> None:
    """As those of zero-shot tests do: without a word, points and colour seemed to be means over the same classes."""
    point, color = {"point": {"image_auroc": 0.5}}, {"color": {"image_auroc": 0.9}}
    first = ShotOutcome("gear", "brick", 0, 0, "test", (), point)
    second = ShotOutcome("gear", "leaf", 0, 0, "test", (), {**point, **color})
    note = "I-AUROC is undefined in 1 of 2 classes."
    of_points, of_color, *_ = shots_tables([first, second], ("image_auroc",)).split("\n\n")
    assert note not in of_points and of_color.endswith(note)
    drawn = replace(second, shots=1, drawn_from="train")
    without = replace(drawn, draw=1, metrics={**point, "color": {"image_auroc": None}})
    text = shots_tables([second, drawn, without], ("image_auroc",))
    assert text.split("\n\n")[1].endswith("I-AUROC is undefined in some draws in 1 of 1 classes.")

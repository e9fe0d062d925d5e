"""Summaries of several runs: no deviation of a single figure, and no class that looks like the mean of all."""

import csv
import io

from pointad.commands.shots_outputs import to_csv
from pointad.commands.tables import summary_table
from pointad.evaluation.group_table import group_table
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.reference.shots import ShotOutcome


def test_a_single_figure_has_no_deviation() -> None:
    figures = ({"image_auroc": 0.5, "image_ap": 0.25}, {"image_auroc": 0.75, "image_ap": None})
    runs = [Results({"bear": {"point": metrics}}, RunRecord(training_class="kite")) for metrics in figures]
    last = summary_table(runs, "point").splitlines()[-2]  # before the note
    assert "62.5 ± 17.7" in last and "25.0" in last and "± 0.0" not in last


def test_a_class_called_mean_is_not_the_mean() -> None:
    def rows(*classes: str) -> list[tuple[str, str]]:
        found = [
            ShotOutcome("kite", name, 0, 0, "", (), {"point": {"image_auroc": value}})
            for name, value in zip(classes, (0.25, 0.75), strict=True)
        ]
        return [(row["class"], row["mean"]) for row in csv.DictReader(io.StringIO(to_csv(found)))]

    assert rows("bear", "tire") == [("bear", "0.25"), ("tire", "0.75"), ("mean", "0.5")]
    assert rows("mean", "tire") == [("mean", "0.25"), ("tire", "0.75"), ("mean of all classes", "0.5")]


def test_a_mean_over_a_part_of_the_training_classes_says_so() -> None:
    figures = ({"image_auroc": 0.5, "image_ap": 0.25}, {"image_auroc": 0.75, "image_ap": None})
    runs = [Results({"bear": {"point": metrics}}, RunRecord(training_class="kite")) for metrics in figures]
    text = summary_table(runs, "point")
    assert text.endswith("\nI-AP is undefined for 1 of 2 training classes, which its mean leaves out.")


def test_a_mean_of_a_group_over_a_part_of_the_classes_says_so() -> None:
    easy = {"bear": {"point": {"image_auroc": 0.5}}, "duck": {"point": {"image_auroc": None}}}
    text = group_table(Results(easy, groups={"easy": easy}), "point")
    assert text.endswith("\neasy: I-AUROC is undefined (–) in 1 of 2 classes.")

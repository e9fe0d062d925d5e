"""Whether prompts were learned from the data set that they are tested on, which names the protocol."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointad.datasets.registry import DATASETS
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.same_dataset import learned_from_tested, protocol_name

MVTEC, EYE, REAL, ADAM, FOLDER = "mvtec_pc_3d_rgb", "eye_pc_3d_rgb", "real_pc_3d_rgb", "adam_pc_3d_rgb", "folder"
DEMO = "demo data (MVTec 3D-AD format)"
PART = ("bagel", "cookie")
WHOLE, PARTLY = "MVTec 3D-AD", "parts (2 of 10 class names of MVTec 3D-AD)"


def run(
    learned: str, dataset: str | None, tested: str, training: dict[str, Any] | None = None, **facts: Any
) -> RunRecord:
    about = {"training_class": learned, "training_dataset": dataset, "dataset": tested, "prompts": "learned"}
    return RunRecord.from_json({**about, **facts, "training": training or {}})


def named(title: str) -> dict[str, Any]:
    return {"dataset_title": title, "inputs": {"flags": {"data_name": json.dumps(title)}}}


def titled(title: str, folder: str) -> dict[str, Any]:
    return {"dataset_title": title, **lying_in(folder)}


def lying_in(folder: str) -> dict[str, Any]:
    return {"inputs": {"folder": folder}}


@pytest.mark.parametrize(
    ("record", "classes"),
    [
        (run("carrot", MVTEC, MVTEC), PART),
        (run("carrot", None, MVTEC), PART),
        (run("carrot", MVTEC, MVTEC, {"dataset_title": WHOLE}, dataset_title=WHOLE), DATASETS[MVTEC].classes),
        (run("carrot", MVTEC, MVTEC, {"dataset_title": WHOLE}), PART),
        (run("carrot", MVTEC, MVTEC, {"dataset_title": "cleaned"}, dataset_title="cleaned"), PART),
        (run("tire", MVTEC, MVTEC, lying_in("/a") | {"dataset_title": "a"}, **lying_in("/a")), ("rope",)),
        (run("gear", MVTEC, MVTEC, named("a") | lying_in("/a"), **named("a")), ("bolt",)),
        (run("gear", MVTEC, MVTEC, titled("a", "/1/a"), **titled("a", "/2/a")), ("bolt", "gear")),
        (run("gear", MVTEC, MVTEC, {"dataset_title": DEMO}, dataset_title=DEMO), ("brick", "button")),
        (run("bolt", FOLDER, FOLDER, {"dataset_title": "parts"}, dataset_title="parts"), ("nut",)),
        (run("bolt", FOLDER, FOLDER, lying_in("/data/rendered"), **lying_in("/data/rendered")), ("nut",)),
        (run("bolt", ADAM, ADAM, {"dataset_title": "3D-ADAM"}, dataset_title="3D-ADAM"), PART),
    ],
)
def test_classes_that_the_tested_part_lacks_are_of_the_same_data_set(
    record: RunRecord, classes: tuple[str, ...]
) -> None:
    assert protocol_name(record, classes) == "one-vs-rest"


@pytest.mark.parametrize(
    ("record", "classes"),
    [
        (run("carrot", MVTEC, EYE), DATASETS[EYE].classes),
        (run("carrot", None, EYE), DATASETS[EYE].classes),
        (run("gear", MVTEC, MVTEC, {"dataset_title": DEMO}), DATASETS[MVTEC].classes),
        (run("gear", MVTEC, EYE, {"dataset_title": DEMO}, dataset_title="demo data (Eyecandies format)"), ("pear",)),
        (run("carrot", MVTEC, MVTEC, dataset_title=DEMO), ("brick", "button")),
        (run("carrot", MVTEC, FOLDER, dataset_title="bolts"), ("bolt", "nut")),
        (run("bolt", FOLDER, MVTEC, {"dataset_title": "bolts"}), PART),
        (run("carrot", MVTEC, ADAM, dataset_title="3D-ADAM"), ("bolt", "nut")),
        (run("bolt", ADAM, MVTEC, {"dataset_title": "3D-ADAM"}), PART),
        (run("bolt", ADAM, FOLDER, {"dataset_title": "parts"}, dataset_title="others"), ("nut",)),
        (run("bolt", FOLDER, FOLDER, named("bolts"), **named("nuts")), ("nut",)),
        (run("bolt", FOLDER, FOLDER, named("bolts"), **named("nuts")), ("bolt", "nut")),
        (run("tire", MVTEC, MVTEC, named("mine"), **named("yours")), ("tire", "rope")),
        (run("carrot", MVTEC, EYE, {"dataset_title": "carrots"}, dataset_title="Eyecandies"), DATASETS[EYE].classes),
        (run("carrot", MVTEC, EYE, {"learned_before": [f"{MVTEC}/rope"]}), DATASETS[EYE].classes),
        (run("Confetto", EYE, MVTEC, {"learned_before": [f"{MVTEC}/bagel"]}), PART),  # which is left out, and noted
    ],
)
def test_what_is_known_to_be_another_data_set(record: RunRecord, classes: tuple[str, ...]) -> None:
    assert protocol_name(record, classes) == "cross-dataset"


@pytest.mark.parametrize(
    ("record", "classes"),
    [
        (run("gear", MVTEC, MVTEC, {"dataset_title": DEMO}, dataset_title="part"), ("brick", "button")),
        (run("gear", MVTEC, MVTEC, dataset_title=DEMO), ("brick", "button")),
        (run("carrot", MVTEC, MVTEC, {"dataset_title": "carrots"}), PART),
        (run("carrot", MVTEC, MVTEC, dataset_title="cleaned"), PART),
        (run("bagel", MVTEC, MVTEC, {"dataset_title": "cleaned"}), PART),
        # Classes of one's own may be called as published ones, and those of two data sets alike.
        (run("carrot", MVTEC, MVTEC, {"dataset_title": WHOLE}, dataset_title=PARTLY), ("rope", "tire")),
        (run("carrot", MVTEC, MVTEC, dataset_title=PARTLY), ("carrot", "rope")),
        (run("tire", MVTEC, MVTEC, {"dataset_title": PARTLY}, dataset_title=WHOLE), DATASETS[MVTEC].classes),
        (run("tire", MVTEC, MVTEC, {"dataset_title": WHOLE}, dataset_title="mine"), ("rope", "tire")),
        (run("tire", MVTEC, MVTEC, {"dataset_title": WHOLE}, **named("mine")), ("rope", "tire")),
        (run("gear", MVTEC, MVTEC, {"dataset_title": "parts"}, dataset_title="others"), ("bolt", "gear")),
        (run("gear", MVTEC, MVTEC, titled("scans", "/1/scans"), **titled("scans", "/2/scans")), ("bolt", "nut")),
        (run("carrot", MVTEC, EYE, named("mine"), **named("mine")), DATASETS[EYE].classes),
        (run("tire", MVTEC, FOLDER, {"dataset_title": "bench"}, dataset_title="parts"), ("bagel", "rope")),
        (run("carrot", MVTEC, MVTEC, dataset_title="mixed"), ("bagel", "spool")),
        (run("carrot", None, MVTEC, dataset_title="mixed"), ("spool",)),
        (run("carrot", MVTEC, FOLDER, dataset_title="mvtec3d"), PART),
        (run("carrot", MVTEC, EYE, dataset_title="mvtec3d"), PART),
        (run("carrot", FOLDER, MVTEC, {"dataset_title": "mvtec3d"}), PART),
        (run("bolt", FOLDER, MVTEC, {"dataset_title": "parts"}, dataset_title="parts"), ("nut",)),
        (run("bolt", FOLDER, MVTEC, {"dataset_title": "parts"}, dataset_title="others"), ("bolt", "nut")),
        (run("bolt", FOLDER, MVTEC, lying_in("/data"), **lying_in("/data")), ("nut",)),
        (run("bolt", FOLDER, FOLDER, {"dataset_title": "bolts"}, dataset_title="nuts"), ("nut",)),
        (run("bolt", FOLDER, FOLDER, {"dataset_title": "own data"}, dataset_title="own data"), ("nut",)),
        (run("bolt", FOLDER, FOLDER, named("bolts"), dataset_title="nuts"), ("nut",)),
        (run("carrot", None, ADAM, dataset_title="3D-ADAM (2 classes)"), PART),
        # Of data in a format whose classes are not listed, no more is known than of those in a folder.
        (run("bolt", ADAM, ADAM, {"dataset_title": "bolts"}, dataset_title="nuts"), ("nut",)),
        (run("bolt", ADAM, ADAM, {"dataset_title": "3D-ADAM (1 class)"}, dataset_title="3D-ADAM (2 classes)"), PART),
        (run("bolt", ADAM, FOLDER, {"dataset_title": "parts"}, dataset_title="others"), ("bolt", "nut")),
        (run("bolt", ADAM, MVTEC, {"dataset_title": "parts"}, dataset_title="others"), ("bolt", "nut")),
        (run("carrot", MVTEC, ADAM, dataset_title="parts"), ("bolt", "carrot")),
        (run("carrot", MVTEC, EYE, {"learned_before": [""]}), DATASETS[EYE].classes),
        (run("Confetto", EYE, MVTEC, {"learned_before": [f"{MVTEC}/carrot"]}), PART),
    ],
)
def test_what_nothing_tells_is_not_called_another_data_set(record: RunRecord, classes: tuple[str, ...]) -> None:
    assert protocol_name(record, classes) == ""


def test_without_a_training_class_nothing_is_known() -> None:
    assert learned_from_tested(RunRecord(dataset=MVTEC), PART) is None


@pytest.mark.parametrize(
    ("tested", "classes", "name"),
    [(MVTEC, PART, "one-vs-rest"), (MVTEC, ("spool", "bagel"), "unknown"), (REAL, ("seahorse",), "cross-dataset")],
)
def test_finished_runs_of_older_versions_are_called_what_they_are(
    tested: str, classes: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    record = run("carrot", MVTEC, tested, protocol="cross-dataset")
    figures = {one: {"point": {"image_auroc": 0.5}} for one in classes}
    Results(figures, record).save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json").protocol.name == name


def test_the_other_data_set_is_named_and_no_class_of_it_is_left_out() -> None:
    demo = run("gear", MVTEC, MVTEC, {"dataset_title": DEMO}, protocol="cross-dataset")
    protocol = Results({one: {} for one in DATASETS[MVTEC].classes}, demo).protocol
    assert protocol.learned_from == f"gear of {DEMO}, split test" and protocol.left_out == ()
    unknown = Results({"Confetto": {}}, run("carrot", None, EYE, protocol="cross-dataset")).protocol
    assert unknown.learned_from == "carrot of unknown, split test" and unknown.left_out == ()

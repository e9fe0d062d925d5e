"""Tables say which of their figures are missing, or of fewer classes than others in their row."""

import json
from collections.abc import Callable
from pathlib import Path

from robustness.invocation import invoke
from toy_runs import TOYS

from pointad.report.protocol_tables import protocol_tables
from pointad.report.runs import Run

MakeRun = Callable[..., Run]


def test_a_run_of_fewer_classes_in_a_row_is_told(run_of: MakeRun) -> None:
    facts = {"dataset_title": "toys", "training_class": "kite", "samples": "0123456789abcdef"}
    whole, edited = (
        run_of(0.5 + seed / 10, f"{seed}", classes=classes, seed=seed, **facts)
        for seed, classes in ((1, TOYS), (2, TOYS[:2]))
    )
    (table,) = protocol_tables([whole, edited])
    assert [row.runs for row in table.rows] == [2]
    assert "the means of its runs are over 2 or 3 classes" in table.rows[0].notes
    (table,) = protocol_tables([whole])
    assert not any("the means of its runs" in note for note in table.rows[0].notes)


def test_a_modality_that_no_run_has_is_told(make_run: MakeRun) -> None:
    run = make_run()
    place = Path(run.folder) / "results.json"
    content = json.loads(place.read_text())
    content["classes"] = {name: {"point": of["point"]} for name, of in content["classes"].items()}
    place.write_text(json.dumps(content))
    ending = invoke("scripts/report.py", run.folder, "--modalities", "point", "color")
    assert ending.code == 0 and "no table of --modalities color: no run has such figures" in ending.err
    assert "point" not in ending.err

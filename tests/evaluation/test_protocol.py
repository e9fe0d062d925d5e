"""The protocol that figures belong to, in results.json and above every table."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointad.evaluation.agreement import differences
from pointad.evaluation.group_table import group_table
from pointad.evaluation.protocol import protocol_of
from pointad.evaluation.result_table import result_table
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import PipelineRecord, RunRecord, TrainingRecord

FACTS: dict[str, Any] = {
    "dataset": "mvtec_pc_3d_rgb",
    "training_dataset": "mvtec_pc_3d_rgb",
    "training_class": "carrot",
    "protocol": "one-vs-rest",
    "prompts": "learned",
    "sigma": 4.0,
    "fusion": "both",
    "seed": 111,
    "aupro": "exact",
}


def run(**facts: Any) -> RunRecord:
    return RunRecord.from_json({**FACTS, **facts})


def test_one_vs_rest_says_everything() -> None:
    protocol = protocol_of(run(), ["bagel", "carrot", "tire"])
    assert protocol.to_json() == {
        "name": "one-vs-rest",
        "supervision": "zero-shot",
        "learned_from": "carrot of mvtec_pc_3d_rgb, split test",
        "left_out": ("carrot",),
        "aupro": "over regions of 8-connected positions of the mask, false-positive rate to 0.3, every threshold",
        "sigma": 4.0,
        "fusion": "both",
        "seed": 111,
        "classes": ("bagel", "tire"),
    }
    assert "learned from carrot of mvtec_pc_3d_rgb, split test; left out: carrot;" in protocol.text
    assert "2 classes: bagel, tire" in protocol.text


@pytest.mark.parametrize(
    ("facts", "field", "value"),
    [
        ({"training_dataset": "eye_pc_3d_rgb", "protocol": "cross-dataset"}, "left_out", ()),
        ({"prompts": "ensemble", "training_class": None, "protocol": ""}, "learned_from", "nothing"),
        ({"prompts": "ensemble", "training_class": None, "protocol": ""}, "name", "nothing learned"),
        ({"training_class": None, "protocol": ""}, "learned_from", "unknown"),
        ({"protocol": ""}, "left_out", ()),  # a carrot of this data set or of another
        ({"shots": 4}, "supervision", "4-shot"),
        ({"transductive": True}, "supervision", "transductive"),
    ],
)
def test_other_protocols(facts: dict[str, Any], field: str, value: object) -> None:
    assert protocol_of(run(**facts), ["bagel"]).to_json()[field] == value


def test_regions_of_aupro_are_told_apart() -> None:
    graph = protocol_of(run(region_neighbours=16, aupro="published"), ["bagel"]).aupro
    assert "graph of each point's 16 nearest points" in graph and "200 thresholds" in graph
    assert protocol_of(run(), ["bagel"], measures_aupro=False).aupro == "not measured"


def test_results_hold_and_tables_tell_the_protocol(tmp_path: Path) -> None:
    metrics = {"point": {"image_auroc": 0.5, "pixel_aupro": 0.25}}
    results = Results({"bagel": metrics}, run())
    results.save(tmp_path / "results.json")
    stored = json.loads((tmp_path / "results.json").read_text())["protocol"]
    assert stored["supervision"] == "zero-shot" and stored["classes"] == ["bagel"]
    assert Results.load(tmp_path / "results.json").protocol == results.protocol
    assert "Protocol in full: one-vs-rest, zero-shot; learned from carrot" in result_table(results, "point")


def test_groups_are_kept_and_shown(tmp_path: Path) -> None:
    def figures(value: float) -> dict[str, dict[str, float | None]]:
        return {"point": {"image_auroc": value}}

    groups = {"easy": {"a": figures(0.9), "b": figures(0.7)}, "hard": {"a": figures(0.4), "b": figures(0.6)}}
    results = Results({"a": figures(0.6), "b": figures(0.65)}, RunRecord(), groups=groups)
    results.save(tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text())["groups"]["hard"]["mean"]["point"]["image_auroc"] == 0.5
    loaded = Results.load(tmp_path / "results.json")
    assert loaded.groups == groups
    table = group_table(loaded, "point").splitlines()
    assert [line.split("|")[1:3] for line in table[3:]] == [[" easy    ", "      80.0 "], [" hard    ", "      50.0 "]]
    assert group_table(Results({"a": figures(0.6)}, RunRecord()), "point") == ""


def test_another_precision_and_other_clusters_are_differences() -> None:
    trained = TrainingRecord(precision="bf16", keep_clusters="largest", views=(0,))
    tested = PipelineRecord(precision="fp32", keep_clusters="all", views=(0,))
    found = differences(trained, tested, same_dataset=True)
    assert found == ("trained with clusters kept: largest", "trained with precision bf16")
    assert differences(trained, PipelineRecord(views=(0,)), same_dataset=True) == ()

"""Results: means, JSON and tables."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.evaluation.draws import Draw, mean_over_draws
from pointad.evaluation.result_table import result_table
from pointad.evaluation.results import Results, describe_run, metric_title, percent
from pointad.evaluation.run_record import RunRecord, TrainingRecord

RUN = RunRecord(dataset="toys", training_dataset="toys", training_class="duck", seed=111)
CLASSES = {
    "bear": {"point": {"image_auroc": 0.75, "pixel_aupro": None}, "fused": {"image_auroc": 0.5}},
    "duck": {"point": {"image_auroc": 1.0, "pixel_aupro": 0.9}, "fused": {"image_auroc": 1.0}},
    "train": {"point": {"image_auroc": 0.25, "pixel_aupro": 0.4}, "fused": {"image_auroc": 0.7}},
}


def test_mean_leaves_the_training_class_and_the_undefined_out() -> None:
    mean = Results(CLASSES, RUN).mean
    assert mean["point"] == {"image_auroc": 0.5, "pixel_aupro": 0.4}
    assert mean["fused"]["image_auroc"] == pytest.approx(0.6)


def test_mean_leaves_out_what_the_prompts_were_learned_from_before() -> None:
    run = replace(RUN, training=TrainingRecord(learned_before=("toys/train", "other toys/bear")))
    results = Results(CLASSES, run)
    assert results.mean["point"]["image_auroc"] == 0.75 and results.protocol.classes == ("bear",)
    text = result_table(results, "point")
    assert "| train * |" in text and "* duck, train are classes that the prompts learned from" in text


def test_a_class_that_was_learned_from_before_is_not_called_the_training_class() -> None:
    results = Results(
        CLASSES, replace(RUN, training_class=None, training=TrainingRecord(learned_before=("toys/duck",)))
    )
    assert "* duck is a class that the prompts learned from, and is excluded" in result_table(results, "point")


def test_mean_keeps_a_class_of_the_same_name_in_another_data_set() -> None:
    mean = Results(CLASSES, replace(RUN, training_dataset="other toys")).mean
    assert mean["point"]["image_auroc"] == pytest.approx(2 / 3)


def test_mean_is_undefined_where_no_class_is_defined() -> None:
    assert Results({"bear": CLASSES["bear"]}).mean["point"]["pixel_aupro"] is None
    assert Results({}).mean == {}


def test_json_round_trip(tmp_path: Path) -> None:
    results = Results(CLASSES, RUN, masks={"bear": "a1"}, pictures={"bear": "b2"})
    results.save(tmp_path / "deep" / "results.json")
    assert Results.load(tmp_path / "deep" / "results.json") == results
    content = json.loads((tmp_path / "deep" / "results.json").read_text())
    assert content["classes"]["bear"]["point"]["pixel_aupro"] is None
    assert content["mean"]["point"]["image_auroc"] == 0.5


def test_files_of_older_versions_load(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    run = {"dataset": "mvtec_pc_3d_rgb", "sigma": 4, "views": [0, 1], "losses": ["d2_pixel_loss"], "unheard_of": [1]}
    path.write_text(json.dumps({"classes": CLASSES, "run": run}))
    record = Results.load(path).run
    assert (record.sigma, record.views, record.losses) == (4.0, (0, 1), ("d2_pixel_loss",))
    assert record.others == {"unheard_of": [1]}
    Results(CLASSES, record).save(path)
    assert Results.load(path).run == record


def test_trainings_of_older_versions_load() -> None:
    told = {"training_dataset": "mvtec_pc_3d_rgb", "views": 3, "learning_rate": 0.001, "init_checkpoint": None}
    assert TrainingRecord.from_json(told).views == (1, 2, 3)


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ({"sigma": "4"}, "sigma"),
        ({"views": [0.5]}, "views"),
        ({"training": {"depth": True}}, "depth"),
        ({"seed": {}}, "seed"),
    ],
)
def test_facts_of_another_type_are_refused(run: dict, name: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"classes": CLASSES, "run": run}))
    with pytest.raises(InputError, match=f"its run's {name} is"):
        Results.load(path)


@pytest.mark.parametrize("value", [1.5, 75.0, -0.1])
def test_figures_that_are_no_fractions_are_refused(value: float, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"classes": {"bear": {"point": {"image_auroc": value}}}}))
    with pytest.raises(InputError, match=f"bear, point, image_auroc: expected a fraction from 0 to 1, found {value}"):
        Results.load(path)


def test_a_training_class_that_contradicts_the_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    run = {"training_class": "spoon", "training": {"training_class": "gear"}}
    path.write_text(json.dumps({"classes": CLASSES, "run": run}))
    with pytest.raises(InputError, match="its run's training_class is 'spoon', but its training's is 'gear'"):
        Results.load(path)


@pytest.mark.parametrize("name", ["masks", "pictures"])
def test_fingerprints_of_another_type_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"classes": CLASSES, name: {"bear": 1}}))
    with pytest.raises(InputError, match=f"{name}, bear: expected a text, found 1"):
        Results.load(path)


def test_not_a_number_becomes_null(tmp_path: Path) -> None:
    Results({"bear": {"point": {"image_auroc": float("nan")}}}).save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json").classes["bear"]["point"]["image_auroc"] is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"classes": {"bear": {"point": 3}}}', '{"classes": {}, "run": 1}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(InputError, match="results"):
        Results.load(path)


def test_table_says_where_it_comes_from() -> None:
    run = replace(RUN, backbone="ViT-L/14@336px", checkpoint="epoch_15.pth", protocol="one-vs-rest")
    table = result_table(Results(CLASSES, run), "point")
    for fact in ("toys", "ViT-L/14@336px", "epoch_15.pth", "duck", "one-vs-rest"):
        assert fact in table
    assert "DEMO" not in table
    assert "75.0" in table and "–" in table
    assert "AUPRO is undefined (–) in 1 of 2 classes." in table
    assert "duck is the training class" in table


def test_the_mean_is_told_from_a_class_of_that_name() -> None:
    lines = [line.split()[0:4] for line in result_table(Results({**CLASSES, "mean": {}}, RUN), "point").splitlines()]
    assert sum("mean" in line[:2] for line in lines) == 2
    assert sum({"mean", "of", "all"} <= set(line) for line in lines) == 1


def test_demo_backbone_is_named() -> None:
    assert "DEMO" in result_table(Results(CLASSES, RunRecord(is_demo=True, backbone="tiny")), "fused")


def test_description_leaves_out_what_is_unknown() -> None:
    assert describe_run(RunRecord()) == {}
    assert describe_run(RunRecord(prompts="ensemble"))["Checkpoint"] == "none (prompt ensemble)"
    assert describe_run(RunRecord(views=(0, 4), training_class="a", training_dataset="b", dataset="c")) == {
        "Data set": "c",
        "Training class": "a (b)",
        "Views": "2 (0, 4)",
    }


def test_numbers_and_titles() -> None:
    assert [percent(value) for value in (0.8204, 0.0, 1.0, None, float("nan"))] == ["82.0", "0.0", "100.0", "–", "–"]
    assert metric_title("pixel_aupro_0.05") == "AUPRO@0.05"
    assert metric_title("image_ap") == "I-AP"


def test_figures_that_some_draws_lack_are_told_and_the_mean_is_that_of_the_draws() -> None:
    def draw(**values: float | None) -> Draw:
        return Draw({name: {"color": {"image_auroc": value}} for name, value in values.items()}, {})

    draws = (draw(bear=0.2, duck=0.4), draw(bear=0.6, duck=None))
    results = Results(mean_over_draws(draws), RunRecord(shots=1, draws=2), draws=draws)
    assert results.mean == {"color": {"image_auroc": pytest.approx((0.3 + 0.6) / 2)}}
    table = result_table(results, "color")
    assert "45.0 ± 21.2" in table
    assert table.endswith("\nI-AUROC is undefined in some draws in 1 of 2 classes.")

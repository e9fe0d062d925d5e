"""Rows, means, deviations and published figures of the protocol tables."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointad.datasets.registry import DATASETS
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import Provenance, RunRecord, TrainingRecord
from pointad.report.methods import _LABELS, method_name
from pointad.report.protocol_tables import TableRow, protocol_tables, summarize
from pointad.report.published import PUBLISHED
from pointad.report.runs import Run

MakeRun = Callable[..., Run]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "PointAD"),
        ({"prompts": "learned", "depth": 9, "views": list(range(9)), "sigma": 4.0, "image_size": 336}, "PointAD"),
        ({"prompts": "ensemble"}, "CLIP + R."),
        ({"depth": 1}, "PointAD-CoOp"),
        ({"object_aware": True}, "PointAD (object-aware)"),
        ({"views": [2, 6, 7], "sigma": 2.0}, "PointAD (3 views, σ 2)"),
        ({"views": [2]}, "PointAD (1 view)"),
        ({"losses": ["d2_pixel_loss", "d3_point_loss"]}, "PointAD (losses d2 pixel + d3 point)"),
        ({"prompts": "ensemble", "views": [2]}, "CLIP + R. (1 view)"),
        ({"fusion": "map", "aupro": "published"}, "PointAD (fusion map, AUPRO as published)"),
        ({"view_fusion": "max"}, "PointAD (views fused by max)"),
        ({"training": {"learning_rate": 0.01, "batch_size": 4, "epochs": 3}}, "PointAD (learning rate 0.01, 3 epochs)"),
        (
            {"training": {"loss_weights": {"d2_pixel_loss": 0.5, "d3_point_loss": 1.0}}},
            "PointAD (weights 0.5 d2 pixel + 1 d3 point)",
        ),
        ({"name": "my idea", "sigma": 2.0}, "my idea"),
        ({"differences": ["trained with 9 views"]}, "PointAD (trained with 9 views)"),
    ],
)
def test_method_names(facts: dict, name: str) -> None:
    assert method_name(RunRecord.from_json(facts)) == name


def test_mean_and_sample_deviation() -> None:
    assert summarize([0.5]).deviation is None
    summary = summarize([0.2, 0.4, 0.6])
    assert (summary.mean, summary.deviation) == pytest.approx((0.4, 0.2))


def test_runs_of_a_method_become_one_row(run_of: MakeRun) -> None:
    runs = [
        run_of(value, f"run {index}", training_class=name, seed=seed)
        for index, (value, name, seed) in enumerate([(0.6, "carrot", 1), (0.8, "carrot", 2), (0.7, "cookie", 1)])
    ]
    (table,) = protocol_tables(runs)
    assert (table.protocol, table.modality) == ("one-vs-rest", "point")
    own = [row for row in table.rows if not row.is_published]
    assert len(own) == 1
    assert own[0].runs == 3
    assert own[0].training_classes == ("carrot", "cookie")
    assert own[0].seeds == ("1", "2")
    assert own[0].metrics["image_auroc"].mean == pytest.approx(0.7)
    assert own[0].metrics["image_auroc"].deviation == pytest.approx(0.1)
    assert "pixel_aupro" not in own[0].metrics


def test_methods_backbones_and_protocols_stay_apart(run_of: MakeRun) -> None:
    runs = [
        run_of(0.5, "a", is_demo=True),
        run_of(0.6, "b", is_demo=True, depth=1),
        run_of(0.7, "c", backbone="ViT-B/16"),
        run_of(0.8, "d", protocol="cross-dataset", dataset="eye_pc_3d_rgb"),
        run_of(0.9, "e", protocol="something new"),
        run_of(0.4, "f", protocol=None),
    ]
    tables = {table.protocol: table for table in protocol_tables(runs)}
    own = {protocol: [row for row in table.rows if row.runs] for protocol, table in tables.items()}
    assert [(row.method, row.backbone) for row in own["one-vs-rest"]] == [
        ("PointAD-CoOp", "tiny ViT (demo)"),
        ("PointAD", "tiny ViT (demo)"),
        ("PointAD", "ViT-B/16"),
    ]
    assert [row.dataset for row in own["cross-dataset"]] == ["Eyecandies"]
    assert len(own["something new"]) == len(own[""]) == 1


def test_plain_ensemble_joins_the_protocols_of_its_data_set(run_of: MakeRun) -> None:
    ensemble = run_of(0.3, "a", prompts="ensemble", protocol=None, training_class=None)
    learned = [run_of(0.5, "b"), run_of(0.6, "c", protocol="cross-dataset")]
    tables = protocol_tables([ensemble, *learned])
    assert [table.protocol for table in tables] == ["one-vs-rest", "cross-dataset"]
    for table in tables:
        assert [row.metrics["image_auroc"].mean for row in table.rows if row.method == "CLIP + R." and row.runs] == [
            0.3
        ]
    (alone,) = protocol_tables([ensemble])
    assert alone.protocol == ""


def own_rows(runs: list[Run]) -> list[TableRow]:
    (table,) = protocol_tables(runs)
    return [row for row in table.rows if not row.is_published]


def test_a_repeated_run_counts_once_and_that_is_said(run_of: MakeRun, caplog: pytest.LogCaptureFixture) -> None:
    (row,) = own_rows([run_of(0.5, "a"), run_of(0.5, "b")])
    assert row.runs == 1
    assert "same figures" in caplog.text


def test_other_prompts_that_do_equally_well_are_no_repeated_run(run_of: MakeRun) -> None:
    facts = {"training_class": None, "seed": None}
    runs = [run_of(1.0, name, checkpoint_fingerprint=name, **facts) for name in ("a", "b")]
    assert [row.runs for row in own_rows(runs)] == [1, 1]
    (row,) = own_rows([*runs[:1], run_of(1.0, "copy", checkpoint_fingerprint="a", **facts)])
    assert row.runs == 1


def test_repetitions_with_other_figures_get_rows_of_their_own(run_of: MakeRun) -> None:
    runs = [
        run_of(value, folder, seed=seed)
        for folder, seed, value in [
            ("first/1", 1, 0.5),
            ("first/2", 2, 0.6),
            ("second/1", 1, 0.7),
            ("second/2", 2, 0.8),
        ]
    ]
    rows = own_rows(runs)
    assert {(row.method, row.runs, round(row.metrics["image_auroc"].mean, 3)) for row in rows} == {
        ("PointAD, in first", 2, 0.55),
        ("PointAD, in second", 2, 0.75),
    }


def with_masks(run: Run, **masks: str) -> Run:
    return replace(run, results=replace(run.results, masks=masks))


def test_runs_before_and_after_corrected_masks_stay_apart(run_of: MakeRun, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    before = [
        with_masks(run_of(0.5, "a", training_class="bagel"), carrot="a1", tire="c3"),
        with_masks(run_of(0.7, "b", training_class="tire"), carrot="a1", bagel="d4"),
    ]
    (row,) = own_rows(before)
    assert row.runs == 2 and "masks" not in row.method
    assert "do not say which pictures they were measured with" in caplog.text
    caplog.clear()
    after = with_masks(run_of(0.9, "c", training_class="rope"), carrot="b2", bagel="d4", tire="c3")
    rows = own_rows([*before, after])
    assert {(row.method, row.runs) for row in rows} == {
        ("PointAD (masks of carrot a1)", 2),
        ("PointAD (masks of carrot b2)", 1),
    }
    assert "which masks" not in caplog.text


def test_runs_on_other_samples_are_told_apart_by_their_lists(run_of: MakeRun) -> None:
    runs = [run_of(0.5, "a", samples="1234567", seed=1), run_of(0.7, "b", samples="abcdefg", seed=2)]
    expected = {"PointAD (samples 123456)", "PointAD (samples abcdef)"}
    for order in (runs, runs[::-1]):
        assert {row.method for row in own_rows(order)} == expected


def test_runs_on_other_pictures_of_the_same_names_stay_apart(run_of: MakeRun, caplog: pytest.LogCaptureFixture) -> None:
    def on(value: float, seed: int, pictures: str, learned_from: str = "e5") -> Run:
        training = {"training_class": "bagel", "masks": "d4", "pictures": learned_from}
        run = run_of(value, f"{seed}", training_class="bagel", seed=seed, training=training)
        return replace(run, results=replace(run.results, masks={"carrot": "a1"}, pictures={"carrot": pictures}))

    caplog.set_level("INFO")
    assert [(row.method, row.runs) for row in own_rows([on(0.5, 1, "b2"), on(0.7, 2, "b2")])] == [("PointAD", 2)]
    assert "do not say" not in caplog.text
    rows = own_rows([on(0.5, 1, "b2"), on(0.7, 2, "b2"), on(0.1, 3, "c3")])
    assert {(row.method, row.runs) for row in rows} == {
        ("PointAD (pictures of carrot b2)", 2),
        ("PointAD (pictures of carrot c3)", 1),
    }
    rows = own_rows([on(0.5, 1, "b2"), on(0.1, 2, "b2", learned_from="f6")])
    assert {row.method for row in rows} == {
        "PointAD (pictures of bagel in training e5)",
        "PointAD (pictures of bagel in training f6)",
    }


def test_runs_of_other_classes_stay_apart_though_nothing_else_tells_them(run_of: MakeRun) -> None:
    facts = {"training_class": "carrot"}
    part = run_of(0.5, "a", classes=("bagel",), seed=1, **facts)
    more = run_of(0.7, "b", classes=("bagel", "tire"), seed=2, **facts)
    another = run_of(0.9, "c", classes=("bagel", "carrot"), training_class="tire", seed=1)  # tire is left out
    own = [row for row in protocol_tables([part, more, another])[0].rows if not row.is_published]
    assert sorted((row.dataset, row.runs) for row in own) == [
        ("own data (2 of 10 class names of MVTec 3D-AD)", 1),
        ("own data (3 of 10 class names of MVTec 3D-AD)", 2),
    ]


def test_runs_that_learned_from_other_masks_stay_apart(run_of: MakeRun) -> None:
    def learned(value: float, seed: int, name: str, masks: str) -> Run:
        training = {"training_class": name, "masks": masks}
        return with_masks(run_of(value, f"{name} {seed}", training_class=name, seed=seed, training=training), tire="c3")

    one, same, other = learned(0.5, 1, "carrot", "a1"), learned(0.7, 2, "carrot", "a1"), learned(0.9, 3, "bagel", "b2")
    (row,) = (row for row in protocol_tables([one, same, other])[0].rows if not row.is_published)
    assert row.runs == 3
    corrected = learned(0.1, 4, "carrot", "d4")
    rows = [row for row in protocol_tables([one, same, corrected])[0].rows if not row.is_published]
    assert [(row.method, row.runs) for row in rows] == [
        ("PointAD (masks of carrot in training a1)", 2),
        ("PointAD (masks of carrot in training d4)", 1),
    ]


def learned_and_tested(run_of: MakeRun, value: float, learned: str, scans: Any, tested: Any, **facts: Any) -> Run:
    """A run that learned from one of bagel and carrot, and tested the other, with what it recorded of their scans."""
    views = list(range(9))
    training = {"training_class": learned, "training_dataset": "mvtec_pc_3d_rgb", "views": views, "scans": scans}
    made = run_of(value, learned, training_class=learned, training=training | facts)
    return replace(made, results=replace(made.results, scans={"carrot" if learned == "bagel" else "bagel": tested}))


def test_a_run_that_learned_from_a_class_shares_no_row_with_one_tested_on_other_scans_of_it(run_of: MakeRun) -> None:
    def run(value: float, learned: str, scans: dict[str, str], tested: dict[str, str], **facts: Any) -> Run:
        return learned_and_tested(run_of, value, learned, scans, tested, **facts)

    bagel = run(0.5, "bagel", scans={"x0": "a1"}, tested={"x0": "c3", "y9": "d4"}, image_size=8)
    same = run(0.7, "carrot", scans={"x0": "c3"}, tested={"x0": "a1", "y9": "b2"}, image_size=8)
    assert [row.runs for row in own_rows([bagel, same])] == [2]
    other = run(0.7, "carrot", scans={"x0": "c3"}, tested={"x0": "b2", "y9": "b2"}, image_size=8)
    expected = {"PointAD (scans of bagel a1)", "PointAD (scans of bagel b2)"}
    assert {row.method for row in own_rows([bagel, other])} == expected
    apart = run(0.7, "carrot", scans={"y0": "c3"}, tested={"x9": "b2"}, image_size=8)
    assert [row.runs for row in own_rows([bagel, apart])] == [2], "without a common view nothing can be compared"
    shaded = [
        run(0.5, "bagel", scans={"x0": "a1"}, tested={"x0": "c3"}, normals="grid"),
        run(0.7, "carrot", scans={"x0": "d4"}, tested={"x0": "b2"}, normals="grid"),
    ]
    assert [row.runs for row in own_rows(shaded)] == [2], "other renderings of the same scans look otherwise"


def test_older_files_tell_all_views_of_a_class_together(run_of: MakeRun, tmp_path: Path) -> None:
    def run(value: float, learned: str, scans: str, tested: str, **facts: Any) -> Run:
        made = learned_and_tested(run_of, value, learned, scans, {}, **facts)
        content = json.loads(made.results.to_bytes())
        content["run"]["training"]["scans"] = scans
        content["scans"] = {"carrot" if learned == "bagel" else "bagel": tested}
        (tmp_path / "results.json").write_text(json.dumps(content))
        return replace(made, results=Results.load(tmp_path / "results.json"))

    bagel = run(0.5, "bagel", scans="a1", tested="c3")
    (row,) = own_rows([bagel, run(0.7, "carrot", scans="c3", tested="a1")])
    assert row.runs == 2
    rows = own_rows([bagel, run(0.7, "carrot", scans="c3", tested="b2")])
    assert {row.method for row in rows} == {"PointAD (scans of bagel a1)", "PointAD (scans of bagel b2)"}
    (row,) = own_rows([run(0.5, "bagel", "a1", "c3", image_size=8), run(0.7, "carrot", "c3", "b2", image_size=8)])
    assert row.runs == 2, "pictures of other sizes cannot be compared"


def test_few_shot_runs_on_other_good_scans_stay_apart(run_of: MakeRun) -> None:
    def run(value: float, seed: int, **good: str) -> Run:
        made = run_of(value, str(seed), shots=1, draws=1, draw_seed=seed, good_from="train")
        return replace(made, results=replace(made.results, good_pictures={"carrot": good}))

    one, same, other = run(0.5, 1, a="1", b="2"), run(0.7, 2, b="2", c="3"), run(0.9, 3, b="4", a="1")
    (row,) = own_rows([one, same])
    assert row.runs == 2
    rows = own_rows([one, same, other])
    assert sorted(row.runs for row in rows) == [1, 2] and all("(1-shot, good scans " in row.method for row in rows)


@pytest.mark.parametrize(("bound", "note"), [(0.0001, ""), (0.004, "within 0.40 points"), (None, "is not known")])
def test_binned_figures_whose_digits_may_be_wrong_are_marked(bound: float | None, note: str, run_of: MakeRun) -> None:
    run = run_of(0.5, training_class="carrot")
    bounds = {"bagel": {"point": {"pixel_aupro": bound}}}
    (table,) = protocol_tables([replace(run, results=replace(run.results, error_bounds=bounds))])
    said = [text for row in table.rows for text in row.notes if "binned" in text]
    assert len(said) == bool(note) and all(note in text for text in said)


def test_runs_that_did_not_record_their_masks_share_a_row_and_that_is_said(
    run_of: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    old = [run_of(0.5, "a", seed=1), run_of(0.7, "b", seed=2)]
    new = with_masks(run_of(0.9, "c", seed=3), carrot="a1")
    assert sorted(row.runs or 0 for row in own_rows([*old, new])) == [1, 2]
    assert "do not say which masks and pictures they were measured with" in caplog.text


@pytest.mark.parametrize(
    ("baseline", "changed", "names"),
    [
        ({"features_list": [24]}, {"features_list": [4, 8]}, {"PointAD (block 24)", "PointAD (blocks 4, 8)"}),
        ({}, {"sigma": 2.0}, {"PointAD", "PointAD (σ 2)"}),
        ({}, {"name": "mine"}, {"PointAD", "mine"}),
        ({"precision": "fp32"}, {"precision": "bf16"}, {"PointAD (precision fp32)", "PointAD (precision bf16)"}),
        (
            {"training": {"n_ctx": 12, "seed": 1}},
            {"training": {"n_ctx": 16, "seed": 2}},
            {"PointAD (trained with 12 context tokens)", "PointAD (trained with 16 context tokens)"},
        ),
        (
            {"provenance": {"code": "0123456789"}},
            {"provenance": {"code": "abcdefghij"}},
            {"PointAD (code 012345)", "PointAD (code abcdef)"},
        ),
        (
            {"views": [0], "training": {"views": [0]}, "view_names": ["x0"]},
            {"views": [0], "training": {"views": [0]}, "view_names": ["y90"]},
            {"PointAD (1 view, views x0)", "PointAD (1 view, views y90)"},
        ),
        ({"something_new": 1}, {"something_new": 2}, {"PointAD (something new 1)", "PointAD (something new 2)"}),
        ({}, {"precision": "fp32"}, {"PointAD", "PointAD (fewer facts recorded)"}),
    ],
)
def test_runs_that_differ_get_rows_labelled_by_what_differs(
    baseline: dict, changed: dict, names: set[str], run_of: MakeRun
) -> None:
    runs = [run_of(0.5 + seed / 10, f"a{seed}", seed=seed, **baseline) for seed in (1, 2)]
    runs += [run_of(0.6 + seed / 10, f"b{seed}", seed=seed, **changed) for seed in (1, 2)]
    rows = own_rows(runs)
    assert {row.method for row in rows} == names
    assert [row.runs for row in rows] == [2, 2]


def test_names_do_not_hide_differences(run_of: MakeRun) -> None:
    rows = own_rows([run_of(0.5, "a", name="mine", sigma=2.0), run_of(0.6, "b", name="mine", sigma=3.0)])
    assert {row.method for row in rows} == {"mine (σ 2)", "mine (σ 3)"}


def test_place_and_time_set_nothing_apart(run_of: MakeRun) -> None:
    places = [
        {"data_path": f"/{name}", "checkpoint": f"/{name}.pth", "clip_weights": name, "render": name}
        | {"provenance": {"command": name, "date": name, "device": name, "revision": name, "packages": {"torch": name}}}
        for name in ("here", "there")
    ]
    (row,) = own_rows([run_of(0.5 + seed, f"{seed}", seed=seed, **place) for seed, place in enumerate(places)])
    assert row.runs == 2


def test_every_fact_of_a_method_can_be_told() -> None:
    names = {field.name for kind in (RunRecord, TrainingRecord, Provenance) for field in dataclasses.fields(kind)}
    for name in _LABELS:
        assert name.removeprefix("training.").removeprefix("provenance.") in names, name


@pytest.mark.parametrize(
    ("classes", "title"),
    [
        (DATASETS["mvtec_pc_3d_rgb"].classes, "MVTec 3D-AD"),
        (("bagel", "rope"), "spools (3 of 10 class names of MVTec 3D-AD)"),  # and carrot, which was learned from
        (("spool",), "spools"),
        (("bagel", "spool"), "spools"),
    ],
)
def test_only_the_whole_of_a_published_data_set_bears_its_name(
    classes: tuple[str, ...], title: str, run_of: MakeRun
) -> None:
    run = run_of(0.5, classes=classes, data_path="/scans/spools/rendered", dataset_title="MVTec 3D-AD")
    (table,) = protocol_tables([run])
    own = [row for row in table.rows if not row.is_published]
    assert [row.dataset for row in own] == [title]
    assert any(row.is_published for row in table.rows) == (title == "MVTec 3D-AD")


@pytest.mark.parametrize(
    "facts",
    [
        {"dataset": "mvtec_pc_3d_rgb", "dataset_title": None, "data_path": "data/MVTec 3D-AD"},
        {"dataset": "mvtec_pc_3d_rgb", "dataset_title": "Real3D-AD"},
    ],
)
def test_no_published_figures_stand_beside_own_data_of_that_title(facts: dict, run_of: MakeRun) -> None:
    (table,) = protocol_tables([run_of(0.5, classes=("bolt",), **facts)])
    (row,) = table.rows
    assert row.dataset.endswith("-AD (own data)") and not row.is_published


def test_published_figures_stand_beside_their_data_set_only(run_of: MakeRun) -> None:
    (real,) = protocol_tables([run_of(0.5)])
    (demo,) = protocol_tables([run_of(0.5, dataset_title="demo data")])
    (demo_backbone,) = protocol_tables([run_of(0.5, is_demo=True)])
    published = [row for row in real.rows if row.is_published]
    assert [row.method for row in published] == ["CLIP + R.", "PointAD-CoOp", "PointAD", "GS-CLIP", "MVP-PCLIP"]
    assert published[2].metrics["pixel_aupro"].mean == pytest.approx(0.844)
    assert not any(row.is_published for row in [*demo.rows, *demo_backbone.rows])


def test_published_figures_are_fractions() -> None:
    assert len({(row.method, row.protocol, row.dataset, row.modality) for row in PUBLISHED}) == len(PUBLISHED) == 18
    assert all(row.source for row in PUBLISHED)
    assert all(0.5 < value < 1 for row in PUBLISHED for value in row.metrics.values())

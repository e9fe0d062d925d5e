"""Rows, means, deviations and published figures of the protocol tables."""

from collections.abc import Callable

import pytest

from pointad.report.methods import method_name
from pointad.report.protocol_tables import protocol_tables, summarize
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
    ],
)
def test_method_names(facts: dict, name: str) -> None:
    assert method_name(facts) == name


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


def test_repeated_run_counts_once(run_of: MakeRun, caplog: pytest.LogCaptureFixture) -> None:
    (table,) = protocol_tables([run_of(0.5, "a"), run_of(0.9, "b")])
    assert [row.runs for row in table.rows if row.runs] == [1]
    assert "repeats" in caplog.text


def test_published_figures_stand_beside_their_data_set_only(run_of: MakeRun) -> None:
    (real,) = protocol_tables([run_of(0.5)])
    (demo,) = protocol_tables([run_of(0.5, dataset_title="demo data")])
    (demo_backbone,) = protocol_tables([run_of(0.5, is_demo=True)])
    published = [row for row in real.rows if row.is_published]
    assert [row.method for row in published] == ["CLIP + R.", "PointAD-CoOp", "PointAD"]
    assert published[-1].metrics["pixel_aupro"].mean == pytest.approx(0.844)
    assert not any(row.is_published for row in [*demo.rows, *demo_backbone.rows])


def test_published_figures_are_fractions() -> None:
    assert len({(row.method, row.protocol, row.dataset, row.modality) for row in PUBLISHED}) == len(PUBLISHED) == 10
    assert all(0.5 < value < 1 for row in PUBLISHED for value in row.metrics.values())

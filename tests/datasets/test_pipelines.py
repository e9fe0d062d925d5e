"""The miniature of every data set through the programs: render, train, test, report."""

from pathlib import Path

import pytest
from datasets.miniatures import MINIATURES
from datasets.pipeline import run_pipeline

from pointad.datasets.registry import DATASETS
from pointad.metrics.regions import REGION_NEIGHBOURS


@pytest.mark.parametrize("name", MINIATURES)
@pytest.mark.usefixtures("quick_backbone")
def test_raw_archive_to_tables(name: str, tmp_path: Path) -> None:
    MINIATURES[name](tmp_path / "raw")
    dataset = DATASETS[name]
    outcome = run_pipeline(name, tmp_path / "raw", tmp_path)
    trained_on, tested = outcome.listed
    assert {entry["anomaly"] for entry in outcome.listed[tested]} == {0, 1}
    assert list(outcome.results["classes"]) == [tested]
    assert outcome.results["run"]["training_class"] == trained_on
    assert outcome.results["run"]["region_neighbours"] == (None if dataset.organized else REGION_NEIGHBOURS)
    modalities = {"point", "color", "fused"} if dataset.has_color else {"point"}
    assert set(outcome.results["mean"]) == modalities
    for metrics in outcome.results["mean"].values():
        expected = {"image_auroc", "image_ap", "pixel_auroc", "pixel_aupro"}
        assert set(metrics) == expected | (set() if dataset.organized else {"pixel_ap"})
        assert metrics["pixel_aupro"] is not None
        assert all(value is None or 0 <= value <= 1 for value in metrics.values())
    assert outcome.results["protocol"]["classes"] == [tested]
    assert "Protocol in full: one-vs-rest, zero-shot" in outcome.said and "Protocol unless marked" in outcome.tables
    assert set(outcome.results.get("groups", {})) == set(dataset.groups)
    for group in outcome.results.get("groups", {}).values():
        assert list(group["classes"]) == [tested] and group["mean"]["point"]["image_auroc"] is not None
    title = dataset.title if dataset.classes else tmp_path.name
    assert title in outcome.tables and title in outcome.said

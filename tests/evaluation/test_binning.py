"""Classes of more pixels than are kept: the results say that their metrics are binned, and how far they can be off."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_engine import small_backbone, small_dataset

from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.evaluation.binning import binning_note
from pointad.evaluation.class_outcome import ClassOutcome
from pointad.evaluation.evaluation import evaluate
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.result_table import result_table
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter
from pointad.evaluation.scored_sample import PromptSet

SETTINGS = EvaluationSettings(metrics=("image_auroc", "pixel_auroc", "pixel_aupro"), description=None)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[ClassOutcome]]:
    """Two classes, measured exactly and with room for a single map's pixels."""
    features = torch.nn.functional.normalize(torch.randn(2, 64, generator=torch.Generator().manual_seed(1)), dim=-1)
    encoder = PictureEncoder(small_backbone())
    dataset = small_dataset({"cube": 4, "cone": 3})
    prompts = [PromptSet("random", lambda class_name: features)]
    return {
        name: list(evaluate(encoder, dataset, prompts, settings))
        for name, settings in {"exact": SETTINGS, "binned": replace(SETTINGS, exact_pixels=900)}.items()
    }


def test_bounds_come_with_binned_metrics_only(outcomes: dict[str, list[ClassOutcome]]) -> None:
    assert [outcome.error_bounds for outcome in outcomes["exact"]] == [{}, {}]
    for binned, exact in zip(outcomes["binned"], outcomes["exact"], strict=True):
        assert list(binned.error_bounds) == list(binned.metrics) == ["point", "color", "fused"]
        for modality, bounds in binned.error_bounds.items():
            assert list(bounds) == ["pixel_auroc", "pixel_aupro"]
            for metric, bound in bounds.items():
                difference = abs(binned.metrics[modality][metric] - exact.metrics[modality][metric])
                assert difference <= bound + 1e-12


def test_bounds_reach_the_file_the_log_and_the_table(
    outcomes: dict[str, list[ClassOutcome]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, found in outcomes.items():
        writer = RunWriter(tmp_path / name, RunRecord())
        caplog.clear()
        with caplog.at_level(logging.INFO):
            for outcome in found:
                writer.add_class(outcome)
        writer.finish()
        content = json.loads((tmp_path / name / "results.json").read_text())
        results = Results.load(tmp_path / name / "results.json")
        said = "are binned" in result_table(results, "fused")
        assert ("error_bounds" in content, said, "are binned" in caplog.text) == 3 * (name == "binned",)
        if name == "binned":
            assert results.error_bounds == {outcome.class_name: outcome.error_bounds for outcome in found}
            assert "Pixel metrics of cube, cone are binned" in result_table(results, "fused")


def test_note_gives_the_largest_bound_in_points_rounded_up() -> None:
    bounds = {"bear": {"a": 0.00012341, "b": None, "c": 0.0}, "du\nck": {"a": 1e-9, "b": 0.5, "c": 0.0}}
    note = binning_note(bounds, str.upper)
    assert note.startswith("Pixel metrics of bear, du\\nck are binned")
    assert note.endswith("at most: A 0.013, B unknown, C 0.000.")


def test_other_tables_of_bounds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"classes": {}, "error_bounds": {"bear": 3}}')
    with pytest.raises(InputError, match="bear: expected"):
        Results.load(tmp_path / "results.json")

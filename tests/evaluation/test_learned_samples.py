"""A test tells of samples that the prompts were learned from, although their class is called otherwise."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_engine import RandomScan, random_scan, small_backbone, small_dataset, some_views

from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions
from pointad.data.sample_identity import looks_and_sights, looks_of, views_digest
from pointad.encoding.features import PictureEncoder
from pointad.evaluation.evaluation import evaluate
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.learned_samples import with_learned_samples
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord, TrainingRecord, repeatable, to_json
from pointad.evaluation.run_writer import RunWriter
from pointad.evaluation.scored_sample import PromptSet
from pointad.training.training import load_examples


def test_renderings_of_another_name_are_recognized(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoder = PictureEncoder(small_backbone())
    examples = load_examples(encoder, small_dataset({"cube": 4}, training=True), description=None)
    assert len(set(examples.renderings)) == 4
    plain = small_dataset({"cube": 3, "cone": 2})
    renamed = [replace(scan, class_name="cog") if scan.class_name == "cube" else scan for scan in plain.sources]

    def load(scan: RandomScan, options: SampleOptions) -> LoadedScan:
        """The scans of cube as those of cog, the last of them changed."""
        source = replace(scan, class_name="cube") if scan.class_name == "cog" else scan
        return random_scan(source, options, repaint=int(scan.identifier == "002"))

    dataset = MultiViewDataset(renamed, load, plain.options)
    prompts = PromptSet("gear", lambda _: torch.nn.functional.normalize(torch.eye(2, 64), dim=-1))
    training = TrainingRecord(training_class="gear", renderings=" ".join(examples.renderings))
    writer = RunWriter(tmp_path, RunRecord(checkpoint="a/epoch_15.pth", differences=("σ 2",), training=training))
    for outcome in evaluate(encoder, dataset, [prompts], EvaluationSettings(description=None), writer.add_sample):
        writer.add_class(outcome)
    with caplog.at_level(logging.WARNING):
        results = writer.finish()
    said = "learned from 2 of the 3 test samples of cog"
    assert f"a/epoch_15.pth: {said}, by their renderings" in caplog.text and "cone" not in caplog.text
    assert results.run.differences == ("σ 2", said)
    assert Results.load(tmp_path / "results.json").run.differences == ("σ 2", said)


@pytest.mark.parametrize(("trained", "tested"), [((0,), (0, 1)), ((0, 1), (1,)), ((1, 0), (0, 1))])
def test_one_view_of_any_size_is_enough(trained: tuple[int, ...], tested: tuple[int, ...]) -> None:
    before = some_views(small_dataset({"cube": 3}, training=True), *trained, size=56)
    now = some_views(small_dataset({"cube": 4, "cone": 2}), *tested, size=28)
    record = TrainingRecord(renderings=" ".join(before[place].looks or "" for place in range(3)))
    looks: dict[str, list[str]] = {}
    for sample in (now[place] for place in range(len(now))):
        looks.setdefault(sample.class_name, []).append(looks_of(sample))
    found = with_learned_samples(RunRecord(checkpoint="a.pth", training=record), looks)
    assert found.differences == ("learned from 3 of the 4 test samples of cube",)


def test_views_that_show_nothing_are_those_of_no_sample() -> None:
    views = np.full((2, 8, 8, 3), 255, np.uint8)
    views[1, 0, 0] = 0
    places, points = np.zeros((2, 4, 3), int), np.ones(4, bool)
    looks, sights = looks_and_sights(views, places, points)
    assert (looks, sights[1:]) == looks_and_sights(views[1:, ..., 0], places[1:], points) != ("", sights[:1])
    assert looks_and_sights(views[:1], places[:1], points) == ("", sights[:1])


def test_records_of_older_trainings_tell_all_views_together() -> None:
    dataset = small_dataset({"cube": 2})
    samples = [dataset[place] for place in range(2)]
    assert samples[0].views is not None
    record = RunRecord(checkpoint="a.pth", training=TrainingRecord(renderings=views_digest(samples[0].views)))
    found = with_learned_samples(record, {"cog": list(map(looks_of, samples))})
    assert found.differences == ("learned from 1 of the 2 test samples of cog",)


def test_without_a_record_nothing_is_said() -> None:
    for training in (None, TrainingRecord(), TrainingRecord(renderings="")):
        record = RunRecord(training=training)
        assert with_learned_samples(record, {"cog": ["", "0123456789ab"]}) is record


def test_a_training_goes_on_whatever_its_record_says_of_renderings() -> None:
    record = TrainingRecord(training_class="gear", renderings="0123456789ab")
    assert "renderings" not in repeatable(record) and to_json(record)["renderings"] == "0123456789ab"

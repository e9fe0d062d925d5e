"""Evaluation: the same numbers whatever the batches; every picture once for all prompts; classes left out."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_engine import POINT_SIZE, VIEWS, RandomScan, random_scan, small_backbone, small_dataset, some_views

from pointad.data.batch import collate
from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions
from pointad.data.sample_identity import SampleFingerprint, packed_mask
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.evaluation.class_outcome import ClassOutcome
from pointad.evaluation.evaluation import evaluate
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.group_table import group_table
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter
from pointad.evaluation.scored_sample import PromptSet, ScoredSample
from pointad.metrics import class_metrics
from pointad.model.backbone import ClipBackbone
from pointad.scoring.inference import predict_views, score_samples
from pointad.training.training import load_examples

CLASSES = {"cube": 4, "cone": 3}
SETTINGS = EvaluationSettings(description=None)


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return small_backbone()


def prompts(name: str, seed: int, left_out: frozenset[str] = frozenset()) -> PromptSet:
    features = torch.randn(2, 64, generator=torch.Generator().manual_seed(seed))
    return PromptSet(name, lambda class_name: torch.nn.functional.normalize(features, dim=-1), left_out)


def run(
    encoder: PictureEncoder, prompt_sets: list[PromptSet], settings: EvaluationSettings = SETTINGS
) -> tuple[list[ClassOutcome], list[ScoredSample]]:
    samples: list[ScoredSample] = []
    outcomes = list(evaluate(encoder, small_dataset(CLASSES), prompt_sets, settings, samples.append))
    return outcomes, samples


def test_numbers_are_those_of_the_single_steps(backbone: ClipBackbone) -> None:
    chosen = prompts("a", 1)
    outcomes, samples = run(PictureEncoder(backbone), [chosen])
    dataset = small_dataset(CLASSES)
    assert [(s.class_name, s.identifier) for s in samples] == [(s.class_name, s.identifier) for s in dataset.sources]
    text_features = chosen.text_features("cube")
    for index, sample in enumerate(samples):
        batch = collate([dataset[index]])
        features = PictureEncoder(backbone).encode(batch)
        views = predict_views(features, text_features, POINT_SIZE)
        scores = score_samples(features, views, text_features, batch.correspondences, batch.non_zero)
        for modality in ("point", "color", "fused"):
            assert sample.scores[modality] == pytest.approx(getattr(scores, f"{modality}_score").item(), abs=1e-6)
            np.testing.assert_allclose(sample.maps[modality], getattr(scores, f"{modality}_map")[0], atol=1e-6)
    for outcome in outcomes:
        own = [sample for sample in samples if sample.class_name == outcome.class_name]
        expected = class_metrics(
            np.array([sample.label for sample in own]),
            np.array([sample.scores["fused"] for sample in own]),
            np.stack([sample.mask for sample in own]),
            np.stack([sample.maps["fused"] for sample in own]),
        )
        assert outcome.metrics["fused"] == pytest.approx(expected)


@pytest.mark.parametrize("batch_size", [2, 7])
def test_batches_change_nothing(backbone: ClipBackbone, batch_size: int) -> None:
    _, expected = run(PictureEncoder(backbone), [prompts("a", 1)])
    _, found = run(PictureEncoder(backbone), [prompts("a", 1)], replace(SETTINGS, batch_size=batch_size))
    for one, other in zip(found, expected, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-6)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_several_prompts_share_one_pass(backbone: ClipBackbone) -> None:
    encoder = PictureEncoder(backbone)
    together, _ = run(encoder, [prompts("a", 1), prompts("b", 2)])
    assert encoder.encoded == sum(CLASSES.values()) * (VIEWS + 1)
    alone, _ = run(PictureEncoder(backbone), [prompts("b", 2)])
    assert [o for o in together if o.prompts == "b"] == alone
    assert {(o.prompts, o.class_name) for o in together} == {(p, c) for p in "ab" for c in CLASSES}


@dataclass(frozen=True)
class ScanWithPicture(RandomScan):
    rgb_path: Path | None = None


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_a_class_keeps_its_pictures_whatever_shares_a_batch(backbone: ClipBackbone, batch_size: int) -> None:
    plain = small_dataset(CLASSES)
    scans = [
        ScanWithPicture(one.class_name, one.identifier, one.label, Path("a.png") if one.class_name == "cube" else None)
        for one in plain.sources
    ]

    def load(scan: ScanWithPicture, options: SampleOptions) -> LoadedScan:
        return replace(plain.load(scan, options), **({} if scan.rgb_path else {"color": None}))

    settings = replace(SETTINGS, batch_size=batch_size)
    data = MultiViewDataset(scans, load, plain.options)
    cube, cone = evaluate(PictureEncoder(backbone), data, [prompts("a", 1)], settings)
    expected, _ = run(PictureEncoder(backbone), [prompts("a", 1)])
    assert cube.metrics == expected[0].metrics
    assert cone.metrics == {"point": expected[1].metrics["point"]}


def test_the_fingerprint_of_the_masks_is_that_of_a_few_shot_test(backbone: ClipBackbone) -> None:
    outcomes, _ = run(PictureEncoder(backbone), [prompts("a", 1), prompts("b", 2, frozenset({"cube"}))])
    batched, _ = run(PictureEncoder(backbone), [prompts("a", 1)], replace(SETTINGS, batch_size=3))
    found = {(one.class_name, one.masks) for one in [*outcomes, *batched]}
    assert len(found) == len(CLASSES)
    for class_name, text in found:
        masks = SampleFingerprint()
        for sample in small_dataset({class_name: CLASSES[class_name]}):
            masks.add(sample.species, sample.identifier, packed_mask(sample.mask.numpy()))
        assert masks.text == text


def test_a_training_has_the_fingerprint_of_the_scans_of_a_test(backbone: ClipBackbone) -> None:
    data = small_dataset({"cube": CLASSES["cube"]})
    (tested,) = evaluate(PictureEncoder(backbone), data, [prompts("a", 1)], SETTINGS)
    options = replace(data.options, with_views_gt=True)
    turned = MultiViewDataset(data.sources[::-1], data.load, options)
    learned = load_examples(PictureEncoder(backbone), turned, description=None)
    assert learned.scans == tested.scans and len(set(tested.scans)) == VIEWS
    for view in range(VIEWS):
        fewer = some_views(MultiViewDataset(data.sources, data.load, options), view, size=28)
        assert load_examples(PictureEncoder(backbone), fewer, description=None).scans == (tested.scans[view],)

    def darker(scan: RandomScan, options: SampleOptions) -> LoadedScan:
        loaded = data.load(scan, options)
        assert loaded.views is not None
        return replace(loaded, views=loaded.views // 2)

    def elsewhere(scan: RandomScan, options: SampleOptions) -> LoadedScan:
        loaded = data.load(scan, options)
        return replace(loaded, correspondences=loaded.correspondences[:, ::-1])

    for load in (darker, elsewhere):
        other = load_examples(PictureEncoder(backbone), MultiViewDataset(data.sources, load, options), description=None)
        assert all(now != before for now, before in zip(other.scans, tested.scans, strict=True))


def test_other_pictures_or_points_change_one_fingerprint_and_batches_do_not(backbone: ClipBackbone) -> None:
    def told(data: MultiViewDataset, **settings: int) -> list[tuple[str, str, str]]:
        chosen = replace(SETTINGS, **settings)  # type: ignore[arg-type]
        outcomes = evaluate(PictureEncoder(backbone), data, [prompts("a", 1)], chosen)
        return [(one.class_name, one.masks, one.pictures) for one in outcomes]

    plain = small_dataset(CLASSES)
    before = told(plain)
    assert told(plain, batch_size=3) == told(plain, keep_views=False) == before
    assert len({pictures for *_, pictures in before}) == len(CLASSES) and all(all(one) for one in before)

    def changed(field: str) -> MultiViewDataset:
        def load(scan: RandomScan, options: SampleOptions) -> LoadedScan:
            loaded = random_scan(scan, options, repaint=0)
            if scan != plain.sources[0]:
                return loaded
            if field == "nonzero_indices":
                fewer = {
                    "nonzero_indices": loaded.nonzero_indices[1:],
                    "correspondences": loaded.correspondences[:, 1:],
                }
                return replace(loaded, **fewer)
            values = getattr(loaded, field).copy()
            values[0, 0] += 1
            return replace(loaded, **{field: values})

        return MultiViewDataset(plain.sources, load, plain.options)

    for field in ("views", "color", "nonzero_indices", "correspondences"):
        after = told(changed(field))
        assert [one[:2] for one in after] == [one[:2] for one in before] and after[1] == before[1]
        assert after[0][2] != before[0][2], field


def test_other_regions_of_a_cloud_change_the_fingerprint_of_its_masks(backbone: ClipBackbone) -> None:
    plain = small_dataset(CLASSES)

    def told(apart: float) -> list[tuple[str, str, tuple[str, ...]]]:
        def load(scan: RandomScan, options: SampleOptions) -> LoadedScan:
            loaded = random_scan(scan, options, repaint=0)
            row, column = np.divmod(np.arange(POINT_SIZE**2), POINT_SIZE)
            gap = apart * (row >= 4) * (scan == plain.sources[1])  # through the middle of the corner that is anomalous
            points = np.stack([row + gap, column, np.zeros(len(row))], axis=-1)
            return replace(loaded, points=points, mask=None if loaded.mask is None else loaded.mask.ravel() > 0)

        data = MultiViewDataset(plain.sources, load, replace(plain.options, region_neighbours=4))
        outcomes = evaluate(PictureEncoder(backbone), data, [prompts("a", 1)], SETTINGS)
        return [(one.masks, one.pictures, one.scans) for one in outcomes]

    before, moved, split = told(0.0), told(0.01), told(100.0)
    assert moved == before
    assert split[1] == before[1] and split[0][1:] == before[0][1:] and split[0][0] != before[0][0]


def test_how_far_binned_figures_of_groups_can_be_off_is_told(backbone: ClipBackbone, tmp_path: Path) -> None:
    settings = replace(SETTINGS, groups=("dent",), exact_pixels=50)
    outcomes, samples = run(PictureEncoder(backbone), [prompts("a", 1)], settings)
    writer = RunWriter(tmp_path, RunRecord())
    for sample in samples:
        writer.add_sample(sample)
    for outcome in outcomes:
        writer.add_class(outcome)
    results = writer.finish()
    stored = Results.load(tmp_path / "results.json")
    assert stored.of_group("dent").error_bounds == results.of_group("dent").error_bounds
    assert set(stored.of_group("dent").error_bounds) == set(CLASSES)
    assert "Pixel metrics of cube, dent, cone, dent are binned" in group_table(results, "point")
    exact, _ = run(PictureEncoder(backbone), [prompts("a", 1)], replace(settings, exact_pixels=10**6))
    assert not any(one.group_error_bounds for one in exact)


def test_a_class_that_all_prompts_leave_out_is_not_even_encoded(backbone: ClipBackbone) -> None:
    encoder = PictureEncoder(backbone)
    outcomes, _ = run(encoder, [prompts("a", 1, frozenset({"cube"}))])
    assert [outcome.class_name for outcome in outcomes] == ["cone"]
    assert encoder.encoded == CLASSES["cone"] * (VIEWS + 1)
    with pytest.raises(InputError, match="no class"):
        run(encoder, [prompts("a", 1, frozenset(CLASSES))])


def test_views_are_kept_on_request_only(backbone: ClipBackbone) -> None:
    _, (kept, *_) = run(PictureEncoder(backbone), [prompts("a", 1)])
    _, (bare, *_) = run(PictureEncoder(backbone), [prompts("a", 1)], replace(SETTINGS, keep_views=False))
    assert kept.view_maps is not None and kept.view_maps.shape == (VIEWS, POINT_SIZE, POINT_SIZE)
    assert kept.views is not None and kept.color is not None
    assert bare.view_maps is bare.views is bare.color is None
    assert bare.scores == kept.scores

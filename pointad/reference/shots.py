"""The few-shot protocol: good scans are drawn from a data set, and the rest is compared with them.

Every class has its own good scans: those that the data set has outside the test split (its training split, or
prototypes), else good ones of the test. A draw is an order of them by chance; its k-shot reference is made of the first
k. Those of the test split take no part in the test of that draw. Every scan is encoded once, whatever the numbers of
shots and draws.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from pointad.data.batch import MultiViewBatch, MultiViewSample, collate
from pointad.data.dataset import MultiViewDataset, SampleSource
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.errors import InputError
from pointad.evaluation.evaluation import PIXEL_PREFIX, PromptSet
from pointad.metrics import PixelScores, image_metrics, pixel_metrics
from pointad.metrics.aupro import AuproMethod
from pointad.reference.cues import cue_powers, join_cues
from pointad.reference.geometry_bank import GeometryBank, compare_geometry, gather_geometry
from pointad.reference.observation import Observation, observe, select_blocks
from pointad.reference.patch_bank import PatchBank, compare_patches, gather_patches
from pointad.reference.reference import GEOMETRY_BYTES, PATCH_BYTES, distance_cues, prompt_cue
from pointad.scoring.fusion import smooth
from pointad.scoring.inference import predict_views, score_samples

ZERO_SHOT = 0
TEST_SPLIT, TRAINING_SPLIT = "test", "train"  # where good scans may be drawn from


@dataclass(frozen=True)
class ShotSettings:
    """Which references are made, and what is measured."""

    shots: tuple[int, ...]  # numbers of good scans
    draws: int
    seed: int
    prompt_blocks: tuple[int, ...]
    bank_blocks: tuple[int, ...]
    sigma: float
    metrics: tuple[str, ...]
    aupro: AuproMethod
    organized: bool
    allow_empty_masks: bool = False  # see `EvaluationSettings`


@dataclass(frozen=True)
class ShotOutcome:
    """What one set of prompts reached on one class with the good scans of one draw."""

    prompts: str
    class_name: str
    shots: int  # 0: zero-shot, on all test scans of the class
    draw: int
    drawn_from: str  # TEST_SPLIT or TRAINING_SPLIT
    good: tuple[str, ...]  # identifiers of the good scans that were drawn
    metrics: dict[str, float | None]


def draw_orders(good: Sequence[int], class_name: str, draws: int, seed: int) -> list[list[int]]:
    """Orders of the good scans of a class by chance, one a draw; they depend on the seed and the class alone."""
    generators = (np.random.default_rng([seed, draw, zlib.crc32(class_name.encode())]) for draw in range(draws))
    return [[good[place] for place in random.permutation(len(good))] for random in generators]


def evaluate_shots(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    prompt_sets: Sequence[PromptSet],
    settings: ShotSettings,
    good: Sequence[SampleSource] = (),
) -> Iterator[ShotOutcome]:
    """Test every class with every number of good scans, every draw and every set of prompts; points alone count.

    Args:
        encoder: gives the blocks of the prompts and of the banks.
        dataset: test samples with pictures and points.
        prompt_sets: what is compared; classes that they leave out are not tested.
        settings: which references are made, and what is measured.
        good: good scans that are no test samples, which the data set can load; classes without any draw theirs from
            the test samples.

    Raises:
        InputError: a class has too few good scans, or a sample cannot be read.
    """
    everything = MultiViewDataset([*dataset.sources, *good], dataset.load, dataset.options)
    tested = [
        source.class_name
        for source in dataset.sources
        if any(source.class_name not in prompts.left_out for prompts in prompt_sets)
    ]
    classes = [members_of(class_name, everything.sources, len(dataset.sources)) for class_name in dict.fromkeys(tested)]
    for members in classes:
        check_shots(members, settings.shots)
    for members in classes:
        compared = [prompts for prompts in prompt_sets if members.class_name not in prompts.left_out]
        yield from _OneClass(encoder, everything, members, compared, settings).outcomes()


@dataclass(frozen=True)
class ClassMembers:
    """The scans of one class, by their numbers in the data set."""

    class_name: str
    tested: tuple[int, ...]
    good: tuple[int, ...]  # to draw from
    drawn_from: str  # TEST_SPLIT or TRAINING_SPLIT


def members_of(class_name: str, sources: Sequence[SampleSource], test_count: int) -> ClassMembers:
    """Where the scans of a class are among the sources, whose first ones are the test samples."""
    own = [number for number, source in enumerate(sources) if source.class_name == class_name]
    tested = tuple(number for number in own if number < test_count)
    beside = tuple(number for number in own if number >= test_count)
    if beside:
        return ClassMembers(class_name, tested, beside, TRAINING_SPLIT)
    good = tuple(number for number in tested if not sources[number].label)
    return ClassMembers(class_name, tested, good, TEST_SPLIT)


def check_shots(members: ClassMembers, shots: Sequence[int]) -> None:
    """Refuse more shots than a class has good scans; of those in the test split one must remain to be tested.

    Raises:
        InputError: it has too few.
    """
    there, name = len(members.good), members.class_name
    most = there if members.drawn_from == TRAINING_SPLIT else there - 1
    if max(shots) <= most:
        return
    scans = f"{there} good scan{'' if there == 1 else 's'}"
    if members.drawn_from == TRAINING_SPLIT:
        problem = f"class {name} has {scans} in its {TRAINING_SPLIT} split"
        remedy = f"give at most {most}, or --good_from {TEST_SPLIT}"
    else:
        problem = f"class {name} has {scans}, of which one must remain to be tested"
        remedy = f"give at most {most}, or omit the class" if most > 0 else "omit the class"
    raise InputError(f"--shots {max(shots)}", problem, remedy)


@dataclass(frozen=True)
class _Scan:
    """One scan of a class, before any prompts look at it."""

    sample: MultiViewSample
    batch: MultiViewBatch
    features: SampleFeatures  # of the prompts' blocks
    seen: Observation  # by the first set of prompts


@dataclass
class _Collected:
    """Scores of one class, under one set of prompts with one reference."""

    labels: list[int]
    scores: list[float]
    pixels: PixelScores
    allow_empty_masks: bool

    def add(self, sample: MultiViewSample, values: np.ndarray, score: float) -> None:
        side = round(len(values) ** 0.5)
        self.labels.append(sample.label)
        self.scores.append(score)
        if self.allow_empty_masks and sample.label and not sample.mask.any():
            return
        regions = None if sample.regions is None else sample.regions.view(side, side).numpy()
        self.pixels.add(values.reshape(side, side), sample.mask.view(side, side).numpy(), regions)

    def metrics(self, settings: ShotSettings) -> dict[str, float | None]:
        pixel_names = [name for name in settings.metrics if name.startswith(PIXEL_PREFIX)]
        image_names = [name for name in settings.metrics if not name.startswith(PIXEL_PREFIX)]
        found = image_metrics(np.array(self.labels), np.array(self.scores), image_names)
        return found | pixel_metrics(self.pixels, pixel_names, settings.aupro) if pixel_names else found


class _OneClass:
    """Scores the scans of one class with all references that are drawn from them."""

    def __init__(
        self,
        encoder: PictureEncoder,
        dataset: MultiViewDataset,
        members: ClassMembers,
        prompt_sets: Sequence[PromptSet],
        settings: ShotSettings,
    ) -> None:
        self._encoder, self._dataset, self._settings = encoder, dataset, settings
        self._members, self._prompt_sets = members, prompt_sets

    def outcomes(self) -> Iterator[ShotOutcome]:
        """Everything that was drawn, after all scans have gone by."""
        settings, members = self._settings, self._members
        sources = self._dataset.sources
        orders = draw_orders(members.good, members.class_name, settings.draws, settings.seed)
        drawn = sorted({number for order in orders for number in order[: max(settings.shots)]})
        kept = {number: self._look(number) for number in drawn}
        banks = {
            number: (
                gather_patches([scan.seen.patches], PATCH_BYTES),
                gather_geometry([scan.seen.geometry], GEOMETRY_BYTES),
            )
            for number, scan in kept.items()
        }
        keys = [(ZERO_SHOT, 0)] + [(k, draw) for k in settings.shots for draw in range(settings.draws)]
        found = {
            (prompts.name, *key): _Collected([], [], PixelScores(), settings.allow_empty_masks)
            for prompts in self._prompt_sets
            for key in keys
        }
        for number in tqdm(members.tested, desc=members.class_name, unit="scan", leave=False, disable=None):
            scan = kept[number] if number in kept else self._look(number)
            prompt_cues = {}
            for prompts in self._prompt_sets:
                values, score, prompt_cues[prompts.name] = self._zero_shot(scan, prompts)
                found[prompts.name, ZERO_SHOT, 0].add(scan.sample, values, score)
            for k, draw, cues in self._compared(scan, number, banks, orders):
                for name, cue in prompt_cues.items():
                    values = join_cues({"prompts": cue, **cues}, cue_powers(k))
                    found[name, k, draw].add(scan.sample, values, float(values.max()))
        for (name, k, draw), collected in found.items():
            identifiers = tuple(sources[number].identifier for number in orders[draw][:k])
            metrics = collected.metrics(settings)
            yield ShotOutcome(name, members.class_name, k, draw, members.drawn_from, identifiers, metrics)

    def _compared(
        self,
        scan: _Scan,
        number: int,
        banks: dict[int, tuple[PatchBank, GeometryBank]],
        orders: Sequence[Sequence[int]],
    ) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """Number of good scans, draw, and the distance cues with every reference that the scan is no part of."""
        distances: dict[int, tuple[Tensor, np.ndarray]] = {
            other: (compare_patches(scan.seen.patches, patches), compare_geometry(scan.seen.geometry, geometry))
            for other, (patches, geometry) in banks.items()
            if other != number
        }
        known: dict[frozenset[int], dict[str, np.ndarray]] = {}  # several draws may have the same good scans
        for k in self._settings.shots:
            for draw, order in enumerate(orders):
                good = frozenset(order[:k])
                if number in good:
                    continue
                if good not in known:
                    patches = torch.stack([distances[other][0] for other in good]).amin(dim=0)
                    centres = np.min([distances[other][1] for other in good], axis=0)
                    known[good] = distance_cues(scan.seen, patches, centres)
                yield k, draw, known[good]

    @torch.no_grad()
    def _zero_shot(self, scan: _Scan, prompts: PromptSet) -> tuple[np.ndarray, float, np.ndarray]:
        """Values of the grid's places (P,), the score of the scan, and the prompts' cue for comparisons."""
        seen, text_features = scan.seen, prompts.text_features(scan.sample.class_name)
        views = predict_views(scan.features, text_features, _side(scan.batch))
        scores = score_samples(
            scan.features, views, text_features, seen.correspondences, seen.non_zero, sigma=self._settings.sigma
        )
        values = scores.point_map[0].cpu().numpy().ravel()
        return values, float(scores.point_score[0]), prompt_cue(replace(seen, views=views))

    @torch.no_grad()
    def _look(self, number: int) -> _Scan:
        settings, encoder = self._settings, self._encoder
        sample = self._dataset[number]
        batch = collate([sample])
        assert batch.points is not None
        features = encoder.encode(batch).without_color()
        side = _side(batch)
        places = batch.non_zero[0].numpy()
        points = batch.points[0].numpy()[places]

        def on_grid(values: np.ndarray) -> np.ndarray:
            grid = np.zeros(len(places), np.float32)
            grid[places] = values
            return smooth(torch.from_numpy(grid).view(side, side), settings.sigma).numpy().ravel()

        for_prompts = select_blocks(features, encoder.layers, settings.prompt_blocks)
        seen = observe(
            for_prompts,
            select_blocks(features, encoder.layers, settings.bank_blocks),
            self._prompt_sets[0].text_features(sample.class_name),
            batch.correspondences.to(encoder.device),
            batch.non_zero.to(encoder.device),
            points,
            smooth=on_grid,
            size=side,
            from_front=settings.organized,
            extent=float(np.ptp(points, axis=0).max()),
        )
        return _Scan(replace(sample, views=None, color=None), batch, for_prompts, seen)


def _side(batch: MultiViewBatch) -> int:
    return round(batch.mask.shape[-1] ** 0.5)

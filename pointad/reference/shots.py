"""The few-shot protocol: good scans are drawn from a data set, and the rest is compared with them.

Every class has its own good scans: those that the data set has outside the test split (its training split, or
prototypes), else good ones of the test. A draw is an order of them by chance; its k-shot reference is made of the first
k. Those of the test split take no part in the test of that draw. Every scan is encoded once, whatever the numbers of
shots and draws.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tqdm import tqdm

from pointad.data.dataset import MultiViewDataset
from pointad.data.sample_identity import SampleFingerprint, ScanFingerprints, evaluated_mask
from pointad.data.sample_source import SampleSource
from pointad.encoding.features import PictureEncoder
from pointad.errors import short
from pointad.evaluation.class_scores import ClassScores
from pointad.evaluation.results import Metrics
from pointad.evaluation.scored_sample import PromptSet
from pointad.metrics.aupro import AuproMethod
from pointad.metrics.pixel_scores import EXACT_PIXELS
from pointad.reference.copies import ScanContents
from pointad.reference.cues import cue_powers, join_scores
from pointad.reference.good_draws import TRAINING_SPLIT, ClassMembers, check_shots, draw_orders, members_by_class
from pointad.reference.observation import Observation
from pointad.reference.sample_looks import SampleLook, look_at_sample
from pointad.reference.scan_cues import prompt_cues
from pointad.reference.single_scans import SingleBank, bank_of, distances_from, nearest_cues

ZERO_SHOT = 0


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
    exact_pixels: int = EXACT_PIXELS  # likewise


@dataclass(frozen=True)
class ShotOutcome:
    """What one set of prompts reached on one class with the good scans of one draw."""

    prompts: str
    class_name: str
    shots: int  # 0: zero-shot, on all test scans of the class
    draw: int
    drawn_from: str  # see `pointad.reference.good_draws`
    good: tuple[str, ...]  # identifiers of the good scans that were drawn
    metrics: dict[str, Metrics]  # modality -> metric -> fraction, None where undefined
    error_bounds: dict[str, Metrics] = field(default_factory=dict)  # modality -> of binned pixel metrics
    masks: str = ""  # fingerprint of the ground truth of all test scans of the class; empty: unknown
    pictures: str = ""  # the same of their pictures and points
    renderings: tuple[str, ...] = ()  # what tells each view of each of them, see `looks_of`
    without_mask: int = 0  # anomalous scans that are in no pixel metric, since their masks mark nothing
    scans: tuple[str, ...] = ()  # fingerprint of all test scans of the class as a training knows them, of each view
    good_pictures: dict[str, str] = field(default_factory=dict)  # of `good` that are no test scans, as `pictures`


def evaluate_shots(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    prompt_sets: Sequence[PromptSet],
    settings: ShotSettings,
    good: Sequence[SampleSource] = (),
) -> Iterator[ShotOutcome]:
    """Test every class with every number of good scans, every draw and every set of prompts.

    RGB pictures are compared as `Reference.compare` does: where a scan and all good scans of the draw have one.

    Args:
        encoder: gives the blocks of the prompts and of the banks.
        dataset: test samples with pictures and points.
        prompt_sets: what is compared; classes that they leave out are not tested.
        settings: which references are made, and what is measured.
        good: good scans that are no test samples, which the data set can load; classes without any draw theirs from
            the test samples.

    Raises:
        InputError: a class has too few good scans, one of them is tested as well, or a sample cannot be read.
    """
    everything = MultiViewDataset([*dataset.sources, *good], dataset.load, dataset.options)
    tested = [
        source.class_name
        for source in dataset.sources
        if any(source.class_name not in prompts.left_out for prompts in prompt_sets)
    ]
    by_class = members_by_class(everything.sources, len(dataset.sources))
    classes = [by_class[class_name] for class_name in dict.fromkeys(tested)]
    for members in classes:
        check_shots(members, settings.shots)
    for members in classes:
        compared = [prompts for prompts in prompt_sets if members.class_name not in prompts.left_out]
        yield from _OneClass(encoder, everything, members, compared, settings).outcomes()


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
        self._contents = ScanContents()

    def outcomes(self) -> Iterator[ShotOutcome]:
        """Everything that was drawn, after all scans have gone by."""
        settings, members = self._settings, self._members
        sources = self._dataset.sources
        orders = draw_orders(members.good, members.class_name, settings.draws, settings.seed)
        drawn = sorted({number for order in orders for number in order[: max(settings.shots)]})
        kept = {number: self._look(number) for number in drawn}
        for order in orders:
            self._contents.refuse_twins(order[: max(settings.shots)])
        banks = {number: bank_of(look.seen) for number, look in kept.items()}
        keys = [(ZERO_SHOT, 0)] + [(k, draw) for k in settings.shots for draw in range(settings.draws)]
        masks, pictures, scans = SampleFingerprint(), SampleFingerprint(), ScanFingerprints()
        renderings = []
        found = {(prompts.name, *key): ClassScores(settings) for prompts in self._prompt_sets for key in keys}
        title = short(members.class_name)
        for number in tqdm(members.tested, desc=title, unit="scan", leave=False, disable=None):
            look = kept[number] if number in kept else self._look(number)
            self._contents.refuse_copy(number, drawn)
            who, label = (look.sample.species, look.sample.identifier), look.sample.label
            side = math.isqrt(len(look.sample.mask))
            mask = look.sample.mask.view(side, side).numpy()
            regions = None if look.sample.regions is None else look.sample.regions.view(side, side).numpy()
            masks.add(*who, evaluated_mask(mask, regions))
            pictures.add(*who, look.content)
            scans.add(*who, label, mask, look.sample.sights)
            renderings.append(look.renderings)
            said = {}
            for prompts in self._prompt_sets:
                scores, maps, said[prompts.name] = self._under(look, prompts)
                found[prompts.name, ZERO_SHOT, 0].add(label, mask, regions, scores, maps)
            for k, draw, cues in self._compared(look.seen, number, banks, orders):
                for name, own_cues in said.items():
                    joined = join_scores(own_cues | cues, cue_powers(k), look.seen.at_points)
                    maps = {modality: values.reshape(side, side) for modality, values in joined.maps.items()}
                    found[name, k, draw].add(label, mask, regions, {name: joined.scores[name] for name in maps}, maps)
        beside = members.drawn_from == TRAINING_SPLIT
        for (name, k, draw), collected in found.items():
            good = orders[draw][:k]
            yield ShotOutcome(
                prompts=name,
                class_name=members.class_name,
                shots=k,
                draw=draw,
                drawn_from=members.drawn_from,
                good=tuple(sources[number].identifier for number in good),
                metrics=collected.metrics(),
                error_bounds=collected.error_bounds(),
                masks=masks.text,
                pictures=pictures.text,
                renderings=tuple(renderings),
                without_mask=collected.without_mask,
                scans=scans.texts,
                good_pictures={sources[number].identifier: kept[number].content.hex() for number in good if beside},
            )

    def _compared(
        self, scan: Observation, number: int, banks: Mapping[int, SingleBank], orders: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """Number of good scans, draw, and the distance cues with every reference that the scan is no part of."""
        distances = {other: distances_from(scan, bank) for other, bank in banks.items() if other != number}
        known: dict[frozenset[int], dict[str, np.ndarray]] = {}  # several draws may have the same good scans
        for k in self._settings.shots:
            for draw, order in enumerate(orders):
                good = frozenset(order[:k])
                if number in good:
                    continue
                if good not in known:
                    known[good] = nearest_cues(scan, [distances[other] for other in good])
                yield k, draw, known[good]

    @torch.no_grad()
    def _under(
        self, look: SampleLook, prompts: PromptSet
    ) -> tuple[dict[str, float], dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The scores and the maps that the prompts give alone, by modality, and their cues for comparisons."""
        text_features = prompts.text_features(look.sample.class_name)
        own = look.under(text_features)
        scores, maps = own.zero_shot(text_features, self._settings.sigma).of_sample()
        return scores, maps, prompt_cues(own.seen)

    def _look(self, number: int) -> SampleLook:
        sample, settings, source = self._dataset[number], self._settings, self._dataset.sources[number]
        is_beside = self._members.drawn_from == TRAINING_SPLIT and number in self._members.good
        name = "/".join((source.class_name, "good scan" if is_beside else source.species, source.identifier))
        self._contents.add(number, sample, name)
        return look_at_sample(
            self._encoder,
            sample,
            self._prompt_sets[0].text_features(sample.class_name),
            prompt_blocks=settings.prompt_blocks,
            bank_blocks=settings.bank_blocks,
            sigma=settings.sigma,
            organized=settings.organized,
        )

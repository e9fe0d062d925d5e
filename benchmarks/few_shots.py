"""Measures what a few good scans bring on rendered data, for points, for the RGB picture and for both.

    python benchmarks/few_shots.py data/demo/rendered --omit gear
    python benchmarks/few_shots.py data/demo/rendered more/rendered --omit gear --false_alarms 0.05 0.1

Good scans are drawn from the test split and left out of the test of their draw, as by `test.py --shots`; here zero-shot
figures leave them out too. Pixels count in every second row and column. With --false_alarms, every good scan of a
class is also judged once with all others as its good scans, and the rates of false alarms are counted.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

from pointad.commands.argument_types import positive_integer
from pointad.commands.arguments import add_model_arguments
from pointad.commands.program import HelpFormatter, run
from pointad.compute.device import choose_device
from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.metadata import read_metadata
from pointad.data.rendered_scan import load_rendered
from pointad.encoding.features import PictureEncoder
from pointad.evaluation.modalities import MODALITIES
from pointad.metrics import PixelScores, image_metrics, pixel_metrics
from pointad.model.backbone import load_backbone
from pointad.model.checkpoint import load_prompt_learner
from pointad.model.weight_locations import demo_checkpoints
from pointad.reference.conformal import p_value, rate_interval
from pointad.reference.cues import cue_powers, join_scores
from pointad.reference.good_draws import draw_orders
from pointad.reference.observation import Observation, bank_blocks, joint_blocks
from pointad.reference.sample_looks import look_at_sample
from pointad.reference.scan_cues import prompt_cues
from pointad.reference.single_scans import Distances, SingleBank, bank_of, distances_from, nearest_cues
from pointad.scoring.options import DEFAULT_SIGMA

EVERY = 2  # rows and columns that pixel metrics are computed from
Maps = dict[str, tuple[np.ndarray, float]]  # modality -> map (S, S) and score


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "data", type=Path, nargs="+", help="folders rendered in MVTec 3D-AD's format; their classes are pooled"
    )
    parser.add_argument("--checkpoint_path", type=Path, help="learned prompts (default: the demo prompts of gear)")
    parser.add_argument("--omit", nargs="*", default=[], metavar="CLASS", help="classes to leave out")
    parser.add_argument("--shots", type=positive_integer, nargs="+", default=[1, 2, 4], help="numbers of good scans")
    parser.add_argument("--draws", type=positive_integer, default=5, help="number of draws of good scans")
    parser.add_argument("--seed", type=int, default=111, help="random seed of the draws")
    parser.add_argument(
        "--false_alarms", type=float, nargs="*", default=[], metavar="RATE", help="false-alarm rates to check"
    )
    parser.add_argument("--feature_cache", type=Path, metavar="DIR", help="cache of encoded features")
    add_model_arguments(parser)
    return parser


@dataclass(frozen=True)
class Seen:
    """One scan, looked at once."""

    label: int
    mask: np.ndarray  # (S, S) bool
    zero_shot: Maps
    scan: Observation
    prompts: dict[str, np.ndarray]  # (P,) each, their cues


class Looker:
    """Looks at scans with one backbone and one set of prompts."""

    def __init__(self, flags: argparse.Namespace) -> None:
        backbone = load_backbone(flags.clip_model, flags.clip_weights or "demo", choose_device(flags.device))
        with torch.no_grad():
            learner = load_prompt_learner(flags.checkpoint_path or demo_checkpoints()[0], backbone)
            self._texts = learner(backbone.text)
        self._for_prompts = PictureEncoder(backbone, flags.features_list).layers
        self._for_bank = bank_blocks(backbone.depth)
        blocks = joint_blocks(self._for_prompts, self._for_bank)
        self._encoder = PictureEncoder(backbone, blocks, cache_folder=flags.feature_cache)

    @torch.no_grad()
    def look(self, dataset: MultiViewDataset, number: int) -> Seen:
        """Encode one scan and observe it."""
        look = look_at_sample(
            self._encoder,
            dataset[number],
            self._texts,
            prompt_blocks=self._for_prompts,
            bank_blocks=self._for_bank,
            sigma=DEFAULT_SIGMA,
            organized=True,
        )
        scores = look.zero_shot(self._texts, DEFAULT_SIGMA)
        zero_shot = {
            name: (getattr(scores, f"{name}_map")[0].cpu().numpy(), float(getattr(scores, f"{name}_score")[0]))
            for name in MODALITIES
            if getattr(scores, f"{name}_map") is not None
        }
        sample = look.sample
        mask = sample.mask.view(look.side, look.side).numpy()
        return Seen(sample.label, mask, zero_shot, look.seen, prompt_cues(look.seen))


class OneClass:
    """All scans of one class, and how they compare with one another."""

    def __init__(self, scans: Sequence[Seen]) -> None:
        self.scans = scans
        self.good = [number for number, scan in enumerate(scans) if not scan.label]
        self._distances = cache(self._compare)
        self._banks = cache(self._gather)

    def _gather(self, number: int) -> SingleBank:
        return bank_of(self.scans[number].scan)

    def _compare(self, number: int, other: int) -> Distances:
        return distances_from(self.scans[number].scan, self._banks(other))

    def compared(self, number: int, good: Sequence[int], shots: int) -> Maps:
        """One scan compared with good ones, with the powers for so many."""
        seen = self.scans[number]
        cues = seen.prompts | nearest_cues(seen.scan, [self._distances(number, other) for other in good])
        joined = join_scores(cues, cue_powers(shots), seen.scan.at_points)
        side = len(seen.mask)
        return {name: (one.reshape(side, side), joined.scores[name]) for name, one in joined.maps.items()}

    def measured(self, good: Sequence[int]) -> dict[str, tuple[float, float]]:
        """I-AUROC and AUPRO of all scans but the good ones, which are none for zero-shot, by modality."""
        tested = [number for number in range(len(self.scans)) if number not in good]
        found: dict[str, list[tuple[np.ndarray, float]]] = defaultdict(list)
        for number in tested:
            maps = self.compared(number, good, len(good)) if good else self.scans[number].zero_shot
            for name, one in maps.items():
                found[name].append(one)
        return {name: self._metrics(tested, one) for name, one in found.items()}

    def zero_shot_without(self, good: Sequence[int]) -> dict[str, tuple[float, float]]:
        """The same figures of zero-shot on the scans that remain when these are left out."""
        tested = [number for number in range(len(self.scans)) if number not in good]
        names = self.scans[0].zero_shot
        return {name: self._metrics(tested, [self.scans[n].zero_shot[name] for n in tested]) for name in names}

    def _metrics(self, tested: Sequence[int], found: Sequence[tuple[np.ndarray, float]]) -> tuple[float, float]:
        pixels = PixelScores()
        for number, (values, _) in zip(tested, found, strict=True):
            pixels.add(np.ascontiguousarray(values[::EVERY, ::EVERY]), self.scans[number].mask[::EVERY, ::EVERY], None)
        labels = np.array([self.scans[number].label for number in tested])
        image = image_metrics(labels, np.array([score for _, score in found]), ["image_auroc"])["image_auroc"]
        return float(image or 0), float(pixel_metrics(pixels, ["pixel_aupro"], "exact")["pixel_aupro"] or 0)

    def p_values(self) -> list[float]:
        """Of every good scan, judged with all others as its good scans."""
        found = []
        for new in self.good:
            others = [number for number in self.good if number != new]
            scores = []
            for number in others:
                without = [other for other in others if other != number]
                scores.append(_deciding(self.compared(number, without, len(others))))
            found.append(p_value(_deciding(self.compared(new, others, len(others))), scores))
        return found


def _deciding(maps: Maps) -> float:
    return maps.get("fused", maps["point"])[1]


def main(flags: argparse.Namespace) -> None:
    """Print the tables."""
    looker = Looker(flags)
    records = [record for folder in flags.data for record in read_metadata(folder)]
    classes: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        if record.class_name not in flags.omit:
            classes[record.class_name].append(number)
    dataset = MultiViewDataset(records, load_rendered, SampleOptions(with_points=True))
    found: dict[tuple[str, str, int], list[list[tuple[float, float]]]] = defaultdict(
        lambda: [[] for _ in range(flags.draws)]
    )
    p_values: list[float] = []
    for name, members in tqdm(classes.items(), unit="class", disable=None):
        one = OneClass([looker.look(dataset, number) for number in members])
        orders = draw_orders(one.good, name, flags.draws, flags.seed)
        for shots in flags.shots:
            for draw, order in enumerate(orders):
                for how, measured in (
                    ("zero-shot", one.zero_shot_without(order[:shots])),
                    ("good scans", one.measured(order[:shots])),
                ):
                    for modality, figures in measured.items():
                        found[how, modality, shots][draw].append(figures)
        if flags.false_alarms:
            p_values += one.p_values()
        print(tabulate(_rows(found), headers=["", "modality", "k", "I-AUROC", "AUPRO"]), file=sys.stderr)
    print(f"{len(classes)} classes, {flags.draws} draws, per cent: mean ± standard deviation over draws")
    print(tabulate(_rows(found), headers=["", "modality", "k", "I-AUROC", "AUPRO"]))
    for rate in flags.false_alarms:
        alarms = sum(value <= rate for value in p_values)
        low, high = rate_interval(alarms, len(p_values))
        counted = f"{alarms} of {len(p_values)} good scans fail, {alarms / len(p_values):.3f}"
        print(f"stated rate {rate:g}: {counted} (95 % interval {low:.3f} to {high:.3f})")


def _rows(found) -> list[list]:  # type: ignore[no-untyped-def]
    rows = []
    for (how, modality, shots), draws in found.items():
        means = 100 * np.array([np.mean(one, axis=0) for one in draws])  # (draws, 2)
        spread = means.std(axis=0, ddof=1) if len(draws) > 1 else np.zeros(2)
        rows.append(
            [how, modality, shots, *(f"{m:.1f} ± {s:.1f}" for m, s in zip(means.mean(axis=0), spread, strict=True))]
        )
    return rows


if __name__ == "__main__":
    run(main, build_parser())

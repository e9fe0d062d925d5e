"""What test.py works with."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.prompt_names import prompts_name
from pointad.commands.run_inputs import Given
from pointad.commands.settings import (
    DataSettings,
    EncodingSettings,
    ExperimentSettings,
    ModelSettings,
    PromptSettings,
    ScoringSettings,
)
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.evaluation.protocol import supervision_of
from pointad.evaluation.sample_outputs import MAPS, PICTURES, UNFINISHED_NAME
from pointad.files.names import place_below
from pointad.files.search import files_written_below
from pointad.metrics import metric_names
from pointad.metrics.aupro import AuproMethod
from pointad.metrics.regions import REGION_NEIGHBOURS
from pointad.model.weight_locations import demo_checkpoints, locate
from pointad.scoring.back_projection import MEAN
from pointad.scoring.options import FUSIONS

_WRITTEN = ("results.json", "scores.csv", "curves.json", "log.txt", "shots.csv", "shots.json", UNFINISHED_NAME)
DRAWS = 5  # of the good scans, unless --draws says otherwise


@dataclass(frozen=True)
class TestSettings:
    """One run of test.py."""

    __test__ = False  # the name tells pytest otherwise

    checkpoints: tuple[Path, ...]  # learned prompts; none for the plain ensemble
    train_class: str | None  # None: as it is known from each checkpoint
    save_path: Path
    data: DataSettings
    model: ModelSettings
    encoding: EncodingSettings
    prompts: PromptSettings
    scoring: ScoringSettings
    metrics: tuple[str, ...]
    aupro: AuproMethod
    save_maps: bool
    visualize: bool
    batch_size: int | None  # None: as many samples as suit the device's memory
    experiment: ExperimentSettings
    allow_mismatch: bool  # whether another CLIP than in training will do
    shots: tuple[int, ...]  # numbers of good scans to compare with; none for the zero-shot test
    draws: int  # of the good scans
    draw_seed: int
    good_from: str  # "train": from outside the test split where there are any; "test"
    skip_finished: bool  # whether results that are there are kept
    several: bool  # whether each set of prompts has its own folder of results
    given: Given | None = None  # what the program was given; None: it was not looked at

    def region_neighbours(self, dataset: DatasetSpecification) -> int | None:
        """k of the graph that makes the regions of clouds without a grid; None where AUPRO needs none."""
        needed = not dataset.organized and any("aupro" in name for name in self.metrics)
        return REGION_NEIGHBOURS if needed else None

    def written(self) -> Iterator[Path]:
        """The files of results, and the maps and pictures of earlier ones, which are removed."""
        names = map(prompts_name, self.checkpoints) if self.several else ()
        for folder in (self.save_path, *(place_below(self.save_path, name) for name in names)):
            for place in (folder, *(folder / supervision_of(shots) for shots in self.shots)):
                yield from (place / name for name in _WRITTEN)
            for outputs in (MAPS, PICTURES):
                yield from files_written_below(folder / outputs)

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "TestSettings":
        """The settings that parsed flags ask for; for the demo data, the demo's prompts by default.

        Raises:
            InputError: a flag does not go with another.
        """
        if flags.shots:
            _refuse_with_shots(flags)
        data = DataSettings.from_flags(flags)
        checkpoints = flags.checkpoint_path
        if checkpoints is None and flags.data_path is None and flags.prompts != "ensemble":
            checkpoints = demo_checkpoints()
        return cls(
            checkpoints=tuple(map(locate, checkpoints or ())),
            train_class=flags.train_class,
            save_path=flags.save_path,
            data=data,
            model=ModelSettings.for_data(flags, data),
            encoding=EncodingSettings.from_flags(flags),
            prompts=PromptSettings.from_flags(flags),
            scoring=ScoringSettings.from_flags(flags),
            metrics=_metrics(flags),
            aupro=flags.aupro,
            save_maps=flags.save_maps,
            visualize=flags.visualize,
            batch_size=flags.batch_size,
            experiment=ExperimentSettings.from_flags(flags),
            allow_mismatch=flags.allow_mismatch,
            shots=tuple(sorted(set(flags.shots or ()))),
            draws=DRAWS if flags.draws is None else flags.draws,
            draw_seed=111 if flags.seed is None else flags.seed,
            good_from=flags.good_from or "train",
            skip_finished=flags.skip_finished,
            several=len(checkpoints or ()) > 1,
        )


def _refuse_with_shots(flags: argparse.Namespace) -> None:
    """Few-shot tests compare the points' mean over the views; other settings would be ignored without a word.

    Raises:
        InputError: such a setting is asked for.
    """
    others = {
        "--fusion": flags.fusion != FUSIONS[0],
        "--view_fusion": flags.view_fusion != MEAN,
        "--save_maps": flags.save_maps,
        "--visualize": flags.visualize,
    }
    for flag, is_given in others.items():
        if is_given:
            raise InputError(flag, "has no effect on a few-shot test", "omit it, or --shots")


def _metrics(flags: argparse.Namespace) -> tuple[str, ...]:
    """The published metrics, the data set's further ones at the level asked for, and the extra ones."""
    dataset = specification(flags.dataset)
    further = [name for name in dataset.further_metrics if name.partition("_")[0] in flags.metrics]
    return metric_names(flags.metrics, aupro=dataset.reports_aupro, extra=[*further, *flags.extra_metrics])

"""The specification of a data set for the pipeline; each sibling module describes one data set."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointad.rendering.views import View, ViewRig
from pointad.scans.point_cloud import PreparedSample, RawSample

GOOD = "good"
"""The species of samples without a defect, whatever their name in the archive."""

SampleLister = Callable[[Path, str, Iterable[str] | None], list[RawSample]]
"""Lists the samples of (root, split, classes or None for all existing ones), by class, good samples first.

Raises an InputError if the folder is no such archive, lacks a requested class, or a file that it must read is broken.
"""

GoodLister = Callable[[Path, Iterable[str] | None], list[RawSample]]
"""Lists scans outside the test split, by class, of (root, classes or None for all); the good ones are chosen later."""

SampleReader = Callable[[RawSample], PreparedSample]
"""Reads and cleans one sample; no file is changed."""


def group_of(species: str, groups: Iterable[str]) -> str | None:
    """The group of a species, given by its last word (hard for pit_hard); None if it has no group."""
    last = species.rpartition("_")[2]
    return last if last != species and last in groups else None


@dataclass(frozen=True)
class DatasetSpecification:
    """One data set: what its samples contain, how they are read, and how they are rendered."""

    name: str  # as on the command line
    title: str  # as in the tables
    classes: tuple[str, ...]  # in the order of the tables; a data set on disk may hold others
    training_classes: tuple[str, ...]  # the classes that the one-vs-rest protocol trains on in turn
    has_color: bool  # samples come with an RGB picture
    organized: bool  # scans lie on a pixel grid
    reports_aupro: bool  # over the regions of the mask; without a grid, over those of the neighbour graph of the points
    rig: ViewRig  # how its scans are rendered
    default_split: str  # the archive's folder with good and anomalous samples, for training and for testing
    list_samples: SampleLister
    prepare: SampleReader
    list_good: GoodLister | None = None  # good scans that few-shot tests may compare with; None: only those of the test
    further_metrics: tuple[str, ...] = ()  # measured in addition to the published ones, as with `--extra_metrics`
    groups: tuple[str, ...] = ()  # suffixes of species (pit_easy) also measured separately, each with all good samples
    test_samples: int | None = None  # in the published test split; None: not known for certain
    point_sizes: Mapping[str, int] | None = field(default=None, hash=False)  # by class, in place of the rig's
    metres_per_unit: float | None = None  # the unit that rig and cleaning assume; None: any unit
    chooses_clusters: bool = False  # its cleaning keeps some clusters of points, as `ReadingOptions.keep_clusters` says
    organized_rig: ViewRig | None = None  # for scans with a pixel grid, if a data set has both kinds
    is_open: bool = False  # custom data: the files determine whether they are organized and have pictures
    settled_by: Path | None = None  # the scan that determined it, which all others must be like
    truth_patterns: tuple[str, ...] = ()  # where masks lie, {split} included; those without a scan are told
    lists_point_cloud: bool = False  # the JSON files list the rendered points as well as the scan (d3_pcd_path)

    @property
    def own_directions(self) -> tuple[View, ...] | None:
        """The rig's directions if the data set's name alone does not determine them, else None."""
        return self.rig.views if self.is_open else None

    def rig_for(self, class_name: str, *, on_grid: bool = False) -> ViewRig:
        """The rig of a class; for a class not in `point_sizes`, the point size follows from the spacing of its points.

        Args:
            class_name: which class.
            on_grid: whether the scan lies on a pixel grid; only relevant to data sets of both kinds.
        """
        if on_grid and self.organized_rig is not None:
            return self.organized_rig
        if self.point_sizes is None:
            return self.rig
        return dataclasses.replace(self.rig, point_size=self.point_sizes.get(class_name))

"""What the pipeline must know about a data set; each module beside this one describes one of them."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointad.rendering.views import View, ViewRig
from pointad.scans.point_cloud import PreparedSample, RawSample

GOOD = "good"
"""The species of the samples without a defect, whatever an archive calls them."""

SampleLister = Callable[[Path, str, Iterable[str] | None], list[RawSample]]
"""Lists the samples of (root, split, classes or None for all that are there), by class, good ones first."""

SampleReader = Callable[[RawSample], PreparedSample]
"""Reads and cleans one sample; files are only read."""


def group_of(species: str, groups: Iterable[str]) -> str | None:
    """The group that a species belongs to, as its last word tells: hard of pit_hard; None for others."""
    last = species.rpartition("_")[2]
    return last if last != species and last in groups else None


@dataclass(frozen=True)
class DatasetSpecification:
    """One data set: what its samples have, how they are read, and how they are rendered."""

    name: str  # as on the command line
    title: str  # as in the tables
    classes: tuple[str, ...]  # in the order of the tables; a data set on disk may hold others
    training_classes: tuple[str, ...]  # the classes that the one-vs-rest protocol trains on in turn
    has_color: bool  # samples come with an RGB picture
    organized: bool  # scans lie on a pixel grid
    reports_aupro: bool  # over the regions of the mask; without a grid, over those of the graph of the points
    rig: ViewRig  # how its scans are photographed
    default_split: str  # the archive's folder with good and anomalous samples, for training and for testing
    list_samples: SampleLister
    prepare: SampleReader
    further_metrics: tuple[str, ...] = ()  # measured beside the published ones, as `--extra_metrics`
    groups: tuple[
        str, ...
    ] = ()  # endings of species (pit_easy) that are measured apart too, each with all good samples
    point_sizes: Mapping[str, int] | None = field(default=None, hash=False)  # by class, in place of the rig's
    metres_per_unit: float | None = None  # the unit that rig and cleaning suppose; None: any unit will do
    organized_rig: ViewRig | None = None  # of scans with a pixel grid, where a data set has both kinds
    is_open: bool = False  # one's own data: whether they are organized and have pictures, the files say
    lists_point_cloud: bool = False  # the JSON files name the rendered points beside the scan (d3_pcd_path)

    @property
    def own_directions(self) -> tuple[View, ...] | None:
        """The rig's directions where the data set's name alone does not tell them; None where it does."""
        return self.rig.views if self.is_open else None

    def rig_for(self, class_name: str, *, on_grid: bool = False) -> ViewRig:
        """The rig of a class; one that `point_sizes` lacks gets its point size from the spacing of its points.

        Args:
            class_name: which class.
            on_grid: whether the scan lies on a pixel grid; only data sets of both kinds care.
        """
        if on_grid and self.organized_rig is not None:
            return self.organized_rig
        if self.point_sizes is None:
            return self.rig
        return dataclasses.replace(self.rig, point_size=self.point_sizes.get(class_name))

"""Opens a data set from its folder: rendered ones through their JSON files, raw ones by rendering on the fly."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions
from pointad.data.layout import SPLIT, STORED, VIEWS
from pointad.data.listed_paths import WRITE_AGAIN
from pointad.data.listing import tell_unlisted
from pointad.data.metadata import GOOD_SCANS_NAME, SampleRecord, read_good_scans, read_metadata
from pointad.data.own_data import check_kind
from pointad.data.raw import RenderingOptions, check_apart, list_good_scans, list_raw_samples, render_raw_sample
from pointad.data.rendered_scan import from_rendered_sample, load_rendered
from pointad.data.rendering_settings import require_dataset, stored_views
from pointad.data.sample_source import SampleSource
from pointad.data.view_subset import AvailableViews
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError
from pointad.scans.point_cloud import RawSample

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListedDataset:
    """The samples of a data set, not yet loaded, and their views."""

    sources: Sequence[SampleSource]
    views: AvailableViews
    load: Callable[[Any, SampleOptions], LoadedScan]
    good: Sequence[SampleSource] = ()  # good scans that are no test samples, where they were asked for

    def open(self, options: SampleOptions) -> MultiViewDataset:
        """The data set; ``options.view_indices`` refer to its views."""
        return MultiViewDataset(self.sources, self.load, options)


def list_dataset(
    dataset: DatasetSpecification,
    root: str | Path,
    *,
    class_name: str | None = None,
    render: str = STORED,
    rendering: RenderingOptions | None = None,
    with_good: bool = False,
) -> ListedDataset:
    """List the samples of a data set, or of one of its classes.

    Args:
        dataset: the data set's format.
        root: its folder.
        class_name: list only this class; None lists all.
        render: ``stored`` reads renderings, ``on_the_fly`` renders raw scans when a sample is asked for;
            both give identical results.
        rendering: how raw scans are rendered; None as the released weights were trained.
        with_good: list the good scans outside the test split as well, if there are any.

    Raises:
        InputError: the folder or its JSON files are missing or unreadable, or it lacks the class.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(root, "is not a folder", "give the folder of the data set as --data_path")
    if render == STORED:
        _refuse_raw_scans(dataset, root)
        require_dataset(root, dataset)
        records = read_metadata(root, class_name)
        tell_unlisted(root, dataset, records, class_name)
        views = stored_views(root, dataset, (record.views_folder for record in records))
        return ListedDataset(records, views, load_rendered, _good_beside(records, root) if with_good else ())
    rendering = rendering or RenderingOptions()
    classes = None if class_name is None else [class_name]
    samples = list_raw_samples(dataset, root, classes=classes, reading=rendering.reading)
    directions = rendering.views or dataset.rig.views
    views = AvailableViews(len(directions), directions, f"the rig of {dataset.title}")
    good = list_good_scans(dataset, root, classes, rendering.reading) if with_good else []
    check_apart(samples, good)
    return ListedDataset(samples, views, partial(_render, rendering=rendering, dataset=dataset, told=[]), good)


def _good_beside(tested: Sequence[SampleRecord], root: Path) -> list[SampleRecord]:
    """The listed good scans, none of which may be tested: compared with itself, it would seem better than it is."""
    folders = {record.views_folder for record in tested}
    good = read_good_scans(root)
    for record in good:
        if record.views_folder in folders:
            raise InputError(root / GOOD_SCANS_NAME, f"lists the test sample {record.views_folder}", WRITE_AGAIN)
    return good


def _refuse_raw_scans(dataset: DatasetSpecification, root: Path) -> None:
    """Explain what to do with a raw data set where a rendered one is expected."""
    if any(root.glob("*_meta.json")):
        return
    try:
        samples = dataset.list_samples(root, dataset.default_split, None)
    except InputError:
        return
    if samples and not any(root.glob(f"*/{SPLIT}/*/{VIEWS}")):
        remedy = "render them first with scripts/render_dataset.py, or give --render on_the_fly"
        raise InputError(root, "holds raw scans but no renderings", remedy)


def _render(
    sample: RawSample,
    options: SampleOptions,
    rendering: RenderingOptions,
    dataset: DatasetSpecification,
    told: list[Path],
) -> LoadedScan:
    """Render one sample; the first file that is resized is logged, and added to those that were told."""
    rendered, prepared = render_raw_sample(sample, rendering)
    check_kind(dataset, prepared, sample.scan_path)
    if prepared.resized and not told:
        told.append(prepared.resized[0])
        logger.info("%s: is resized to its scan; so is every other picture and mask of another size", told[0])
    numbered = options.region_neighbours is not None and rendered.nonzero_indices is None
    wanted = numbered or options.with_points
    return from_rendered_sample(
        rendered,
        prepared.rgb,
        prepared.mask if sample.label else None,
        options,
        points=prepared.point_cloud.points if wanted else None,
    )

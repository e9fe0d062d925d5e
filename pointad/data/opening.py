"""Opens a data set by its folder: rendered ones through their JSON files, raw ones by rendering on the fly."""

from functools import partial
from pathlib import Path

from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions, from_rendered_sample, load_rendered
from pointad.data.metadata import read_metadata
from pointad.data.raw import RenderingOptions, list_raw_samples, render_raw_sample
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError
from pointad.scans.point_cloud import RawSample

STORED, ON_THE_FLY = "stored", "on_the_fly"


def open_dataset(
    dataset: DatasetSpecification,
    root: str | Path,
    options: SampleOptions,
    *,
    class_name: str | None = None,
    render: str = STORED,
    rendering: RenderingOptions | None = None,
) -> MultiViewDataset:
    """Open the samples of a data set, or of one of its classes.

    Args:
        dataset: the data set's format.
        root: its folder.
        options: what the samples must hold.
        class_name: only this class; None opens all.
        render: ``stored`` reads renderings, ``on_the_fly`` renders raw scans when a sample is asked for;
            both give the same numbers.
        rendering: how raw scans are rendered; None as the released weights were trained.

    Raises:
        InputError: the folder or its JSON files are missing or unreadable, or the class is not in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(root, "is not a folder", "give the folder of the data set as --data_path")
    if render == STORED:
        return MultiViewDataset(read_metadata(root, class_name), load_rendered, options)
    rendering = rendering or RenderingOptions()
    classes = None if class_name is None else [class_name]
    samples = list_raw_samples(dataset.name, root, classes=classes, reading=rendering.reading)
    return MultiViewDataset(samples, partial(_render, rendering=rendering), options)


def _render(sample: RawSample, options: SampleOptions, rendering: RenderingOptions) -> LoadedScan:
    rendered, prepared = render_raw_sample(sample, rendering)
    numbered = options.region_neighbours is not None and rendered.nonzero_indices is None
    return from_rendered_sample(
        rendered,
        prepared.rgb,
        prepared.mask if sample.label else None,
        options,
        points=prepared.point_cloud.points if numbered else None,
    )

"""From a raw archive to rendered samples in memory: the rendering script stores them, the data loader uses them."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import POINT_CLOUD, render
from pointad.rendering.views import View, ViewRig
from pointad.scans.point_cloud import PreparedSample, RawSample


@dataclass(frozen=True)
class RenderingOptions:
    """How raw samples are rendered; the defaults give what the released weights were trained with."""

    views: tuple[View, ...] | None = None  # None: the data set's nine
    point_size: int | str | None = None  # pixels, or "auto" (from the points' spacing); None: the class's own
    image_size: int = 336  # side of the pictures in pixels
    normals_method: str = "exact"  # or "grid": faster, for organized scans
    visibility: str = "nearest"  # or "splat"
    correspondence: str = "truncated"  # or "centred"


def list_raw_samples(
    dataset_name: str, root: str | Path, split: str | None = None, classes: Iterable[str] | None = None
) -> list[RawSample]:
    """The samples of a raw archive, by class, good ones first.

    Args:
        dataset_name: see `pointad.datasets.registry`.
        root: the archive's folder.
        split: the folder inside every class; None: the one with good and anomalous samples, which both training and
            testing use.
        classes: take these only.

    Raises:
        InputError: the data set is unknown, its folder is not such an archive, or lacks a class that was asked for.
    """
    dataset = specification(dataset_name)
    samples = dataset.list_samples(Path(root), split or dataset.default_split, classes)
    if not samples:
        raise InputError(root, "holds no scans", f"give the folder of the unpacked {dataset.title} archive")
    return samples


def load_raw_sample(sample: RawSample) -> PreparedSample:
    """Read and clean one sample; files are only read.

    Raises:
        InputError: a file is missing or broken.
    """
    return specification(sample.dataset_name).prepare(sample)


def rig_of(sample: RawSample, options: RenderingOptions) -> ViewRig:
    """How the sample is photographed: its class's own rig with the options' changes."""
    rig = specification(sample.dataset_name).rig_for(sample.class_name)
    if options.views is not None:
        rig = dataclasses.replace(rig, views=options.views)
    if options.point_size is not None:
        size = None if isinstance(options.point_size, str) else options.point_size
        rig = dataclasses.replace(rig, point_size=size)
    return rig


def render_prepared(sample: RawSample, prepared: PreparedSample, options: RenderingOptions) -> RenderedSample:
    """Render what `load_raw_sample` returned.

    Raises:
        InputError: the scan has too few points, or an option does not fit it.
    """
    try:
        return render(
            prepared.point_cloud,
            rig_of(sample, options),
            image_size=options.image_size,
            normals_method=options.normals_method,
            visibility=options.visibility,
            correspondence=options.correspondence,
        )
    except InputError as error:
        if error.subject != POINT_CLOUD:
            raise
        raise InputError(sample.scan_path, error.problem, error.remedy) from error


def render_raw_sample(
    sample: RawSample, options: RenderingOptions | None = None
) -> tuple[RenderedSample, PreparedSample]:
    """Read, clean and render one sample, to the very numbers that its stored files would hold.

    Returns:
        The rendering, and what was rendered with its RGB picture and its mask.

    Raises:
        InputError: a file is missing or broken, or the scan cannot be rendered.
    """
    prepared = load_raw_sample(sample)
    return render_prepared(sample, prepared, options or RenderingOptions()), prepared

"""One scan prepared, rendered from all directions and encoded: the input of scoring."""

import dataclasses
import time
from dataclasses import dataclass

import numpy as np
import torch

from pointad.data.batch import MultiViewBatch, collate
from pointad.data.dataset import LoadedScan, SampleOptions, to_sample
from pointad.data.view_subset import chosen_directions
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.errors import InputError, named_subjects
from pointad.inspection.look_options import LookOptions
from pointad.inspection.parallel_rendering import render_in_threads
from pointad.inspection.preparation import PreparedScan, prepare
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.views import View, ViewRig, repeated_direction
from pointad.scans.grid import GRID_SIZE


@dataclass(frozen=True)
class Look:
    """The views of one scan and their features."""

    scan: PreparedScan
    rendered: RenderedSample
    batch: MultiViewBatch  # of this sample alone, on the CPU
    features: SampleFeatures  # on the encoder's device
    timings: dict[str, float]  # seconds by stage: prepare, render, encode


def look_at(
    points: np.ndarray,
    colors: np.ndarray | None,
    rgb: np.ndarray | None,
    options: LookOptions,
    image_size: int,
    encoder: PictureEncoder,
    name: str = "scan",
) -> Look:
    """Prepare, render and encode one scan.

    Args:
        points, colors, rgb: those of `PointAD.predict`.
        options: how the scan is looked at.
        image_size: side of the encoder's pictures in pixels.
        encoder: the image encoder; on a GPU, the views are rendered there too.
        name: of the scan, for the log.

    Raises:
        InputError: the arrays do not fit, or hold too few points.
    """
    started = time.perf_counter()
    gpu = encoder.device if encoder.device.type == "cuda" else None
    scan = prepare(
        points,
        colors,
        rgb,
        options.rig,
        remove_table=options.remove_table,
        metres_per_unit=options.metres_per_unit,
        keep_clusters=options.keep_clusters,
        seed=options.seed,
        name=name,
    )
    directions = views_of(options, scan.rig, scan.organized)
    scan = dataclasses.replace(scan, rig=dataclasses.replace(scan.rig, views=directions))
    prepared = time.perf_counter()
    visibility = visibility_of(options, scan.organized)
    rendered = render_in_threads(scan.point_cloud, scan.rig, visibility=visibility, device=gpu)
    drawn = time.perf_counter()
    sample = to_sample(
        SingleScan(),
        LoadedScan(rendered.views, None, rendered.correspondences, rendered.nonzero_indices, scan.color, None),
        SampleOptions(image_size=image_size, point_size=GRID_SIZE),
    )
    batch = collate([sample])
    with named_subjects({batch.name_of(0): "scan"}):
        features = encoder.encode(batch.to(encoder.device))
    if gpu is not None:
        torch.cuda.synchronize()  # the encoder's time is not to be counted as the scoring's
    encoded = time.perf_counter()
    return Look(
        scan=scan,
        rendered=rendered,
        batch=batch,
        features=features,
        timings={"prepare": prepared - started, "render": drawn - prepared, "encode": encoded - drawn},
    )


def views_of(options: LookOptions, rig: ViewRig, organized: bool) -> tuple[View, ...]:
    """The directions that a scan is looked at from, see `PointAD.predict`; ``rig`` is the scan's.

    Raises:
        InputError: they are no views, or one is there twice.
    """
    views = chosen_directions(options.views, rig, organized=organized) or rig.views
    repeated = repeated_direction(views)
    if repeated is not None:
        first, second = (view.name for view in repeated)
        raise InputError("views", f"{first} and {second} are the same direction", "give every direction once")
    return views


def visibility_of(options: LookOptions, organized: bool) -> str:
    """Which points a view counts as seen, see `PointAD.predict`."""
    return options.visibility or ("nearest" if organized else "splat")


@dataclass(frozen=True)
class SingleScan:
    """A scan that belongs to no data set."""

    class_name: str = "scan"
    species: str = "unknown"
    identifier: str = "0"
    label: int = 0

"""Renders one scan with several threads, for those who wait for a single result."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import cloud_normals, render
from pointad.rendering.views import ViewRig
from pointad.scans.point_cloud import PointCloud

THREADS = 2


def render_in_threads(
    point_cloud: PointCloud, rig: ViewRig, *, visibility: str, threads: int = THREADS
) -> RenderedSample:
    """The same as `pointad.rendering.renderer.render`, with the views shared out among threads.

    Args:
        point_cloud: M points.
        rig: V directions; every thread takes its share of them.
        visibility: see `render`.
        threads: how many; NumPy lets them work at once.

    Raises:
        InputError: as `render` does.
    """
    normals = cloud_normals(point_cloud, rig)
    shares = [share for share in np.array_split(np.arange(len(rig.views)), threads) if len(share)]
    rigs = [dataclasses.replace(rig, views=tuple(rig.views[number] for number in share)) for share in shares]
    with ThreadPoolExecutor(len(rigs)) as pool:
        parts = list(pool.map(lambda part: render(point_cloud, part, normals=normals, visibility=visibility), rigs))
    return RenderedSample(
        views=np.concatenate([part.views for part in parts]),
        views_gt=np.concatenate([part.views_gt for part in parts]),
        correspondences=np.concatenate([part.correspondences for part in parts]),
        nonzero_indices=point_cloud.nonzero_indices,
    )

"""Renders a scan from all directions of a rig, with point-to-pixel correspondences (PointAD, section 3.1).

No window system is needed: the pictures that Open3D's window would show are computed pixel by pixel.
"""

from typing import TYPE_CHECKING

import numpy as np

from pointad.errors import InputError
from pointad.rendering.camera import rotate_about_x
from pointad.rendering.drawing import draw_views
from pointad.rendering.normals import estimate_normals, grid_normals
from pointad.rendering.options import CORRESPONDENCES, NORMALS_METHODS, VISIBILITIES
from pointad.rendering.point_size import automatic_point_size
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.scene import Scene
from pointad.rendering.splatting import MOST_POINTS
from pointad.rendering.views import ViewRig
from pointad.scans.point_cloud import PointCloud

if TYPE_CHECKING:
    import torch

SMALLEST_EXTENT, LARGEST_EXTENT = 1e-35, 1e35  # beyond these, pictures would be white
POINT_CLOUD = "point cloud"  # the subject of errors; callers that know the file name that instead


def render(
    point_cloud: PointCloud,
    rig: ViewRig,
    *,
    image_size: int = 336,
    normals: np.ndarray | None = None,
    normals_method: str = "exact",
    visibility: str = "nearest",
    correspondence: str = "truncated",
    device: "torch.device | str | None" = None,
) -> RenderedSample:
    """Render a point cloud from all directions of a rig.

    The defaults reproduce the published renderings. Rendering is deterministic.

    Args:
        point_cloud: N points; without labels, or with no anomalous point, the ground-truth views are black.
        rig: directions, window and point sizes.
        image_size: side S of the pictures in pixels.
        normals: (N, 3) in the frame of the points, any sign; None: estimated with `normals_method`.
        normals_method: "exact" as in Open3D, or "grid", faster and for organized clouds only.
        visibility: "nearest", one point per pixel, or "splat", every point of the surface that the picture shows.
        correspondence: "truncated" or "centred", see `picture_pixels`.
        device: None: draw with NumPy; otherwise draw all views at once with PyTorch on this device.

    Raises:
        InputError: the cloud has fewer than three points, more than seven million, no extent, one too small or
            large, or values that are not finite; labels or normals do not match the points; an option is unknown;
            "grid" normals are requested for a cloud without a grid; the device does not support double precision.
    """
    _check_cloud(point_cloud)
    _check_option("visibility", visibility, VISIBILITIES)
    _check_option("correspondence", correspondence, CORRESPONDENCES)
    if normals is None:
        normals = cloud_normals(point_cloud, rig, normals_method)
    elif normals.shape != point_cloud.points.shape:
        raise InputError("normals", f"have shape {normals.shape}", "give one for each point as (N, 3)")
    points = rotate_about_x(np.ascontiguousarray(point_cloud.points.T, dtype=np.float64), rig.first_rotation)
    center = points.mean(axis=1)
    scene = Scene(
        centred=points - center[:, None],
        center=center,
        normals=rotate_about_x(np.ascontiguousarray(normals.T, dtype=np.float32), rig.first_rotation),
        labels=point_cloud.labels if point_cloud.labels is not None and point_cloud.labels.any() else None,
        rig=rig,
        point_size=automatic_point_size(points, rig.window) if rig.point_size is None else rig.point_size,
        image_size=image_size,
        surface_visibility=visibility == "splat",
        centred_correspondence=correspondence == "centred",
    )
    if device is None:
        views, views_gt, correspondences = draw_views(scene)
    else:
        from pointad.rendering.batched_drawing import draw_views_batched  # PyTorch takes seconds to import

        views, views_gt, correspondences = draw_views_batched(scene, device)
    return RenderedSample(views, views_gt, correspondences, point_cloud.nonzero_indices)


def cloud_normals(point_cloud: PointCloud, rig: ViewRig, method: str = "exact") -> np.ndarray:
    """Normals (N, 3) of a cloud in its own frame, by one of NORMALS_METHODS.

    Raises:
        InputError: the method is unknown, or is "grid" and the cloud is not organized.
    """
    _check_option("normals", method, NORMALS_METHODS)
    if method == "exact":
        return estimate_normals(point_cloud.points, rig.normal_radius, rig.normal_neighbours)
    if point_cloud.nonzero_indices is None:
        raise InputError("normals 'grid'", "need an organized scan, and this cloud has no grid", "use 'exact'")
    return grid_normals(point_cloud.points, point_cloud.nonzero_indices)


def _check_cloud(point_cloud: PointCloud) -> None:
    points, labels = point_cloud.points, point_cloud.labels
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3:
        raise InputError(POINT_CLOUD, f"has shape {points.shape}", "give at least three points as (N, 3)")
    if len(points) > MOST_POINTS:
        raise InputError(POINT_CLOUD, f"has {len(points)} points, more than {MOST_POINTS}", "downsample it")
    if not np.isfinite(points).all():
        raise InputError(POINT_CLOUD, "holds values that are not finite", "remove these points first")
    extent = float(np.ptp(points, axis=0).max())
    if not extent:  # the neighbour search would compare all pairs
        raise InputError(POINT_CLOUD, "all points lie at the same place", "give a cloud with a non-zero extent")
    if not SMALLEST_EXTENT <= extent <= LARGEST_EXTENT:
        problem = f"has an extent of {extent:.3g}, which cannot be drawn in single precision"
        raise InputError(POINT_CLOUD, problem, "give it in another unit")
    if labels is not None and labels.shape != (len(points),):
        raise InputError(POINT_CLOUD, f"has {len(points)} points but labels {labels.shape}", "give one label each")


def _check_option(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} {value!r}", "is unknown", f"use one of {', '.join(known)}")

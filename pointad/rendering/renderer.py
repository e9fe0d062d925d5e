"""Renders a scan from all directions of a rig, with point-to-pixel correspondences (PointAD, section 3.1).

No window system is needed: the pictures that Open3D's window would show are computed pixel by pixel.
"""

from typing import TYPE_CHECKING

import numpy as np

from pointad.compute.argument_kinds import as_choice, as_whole_number
from pointad.errors import InputError
from pointad.rendering.camera import rotate_about_x
from pointad.rendering.checks import check_cloud, check_normals
from pointad.rendering.drawing import draw_views
from pointad.rendering.normals import estimate_normals, grid_normals
from pointad.rendering.options import CORRESPONDENCES, NORMALS_METHODS, VISIBILITIES
from pointad.rendering.point_size import automatic_point_size
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.scene import Scene
from pointad.rendering.views import LARGEST_WINDOW, ViewRig, require_size
from pointad.scans.point_cloud import PointCloud

if TYPE_CHECKING:
    import torch


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
        normals: (N, 3) unit vectors in the frame of the points, any sign; None: estimated with `normals_method`.
        normals_method: "exact" as in Open3D, or "grid", faster and for organized clouds only.
        visibility: "nearest", one point per pixel, or "splat", every point of the surface that the picture shows.
        correspondence: "truncated" or "centred", see `picture_pixels`.
        device: None: draw with NumPy; otherwise draw all views at once with PyTorch on this device.

    Raises:
        InputError: the cloud cannot be drawn, see `check_cloud`; the normals do not match the points, or do not have
            length 1; an option is unknown or out of range; "grid" normals are requested for a cloud without a grid; the
            device is unknown, not available, or does not support double precision.
    """
    check_cloud(point_cloud)
    as_choice(visibility, "visibility", VISIBILITIES)
    as_choice(correspondence, "correspondence", CORRESPONDENCES)
    image_size = as_whole_number(image_size, "image_size")
    require_size(image_size, "image_size", LARGEST_WINDOW)
    if normals is None:
        normals = cloud_normals(point_cloud, rig, normals_method)
    else:
        check_normals(normals, point_cloud.points)
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
    as_choice(method, "normals", NORMALS_METHODS)
    if method == "exact":
        return estimate_normals(point_cloud.points, rig.normal_radius, rig.normal_neighbours)
    if point_cloud.nonzero_indices is None:
        raise InputError("normals 'grid'", "need an organized scan, and this cloud has no grid", "use 'exact'")
    return grid_normals(point_cloud.points, point_cloud.nonzero_indices)

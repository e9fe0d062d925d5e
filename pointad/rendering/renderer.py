"""One scan in, its pictures from all directions out, with the place of every point on them (PointAD, section 3.1).

No window system takes part: the pictures that Open3D's window would show are computed, pixel by pixel.
"""

import numpy as np
import torch

from pointad.errors import InputError
from pointad.rendering.camera import Camera, look_at, project, step_back, turn, turn_about_x, turn_directions
from pointad.rendering.correspondence import nearest_visible, picture_pixels, surface_visible
from pointad.rendering.normals import estimate_normals, grid_normals
from pointad.rendering.point_size import automatic_point_size
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.resizing import resize_layer
from pointad.rendering.shading import BACKGROUND, shade
from pointad.rendering.splatting import DrawnPoints, draw_order, splat
from pointad.rendering.views import ViewRig
from pointad.scans.point_cloud import PointCloud

NORMALS_METHODS = ("exact", "grid")
VISIBILITIES = ("nearest", "splat")
CORRESPONDENCES = ("truncated", "centred")
SURFACE_TOLERANCE = 0.02  # of the cloud's extent; a splat on a steep slope covers its neighbours by less


def render(
    point_cloud: PointCloud,
    rig: ViewRig,
    *,
    image_size: int = 336,
    normals: np.ndarray | None = None,
    normals_method: str = "exact",
    visibility: str = "nearest",
    correspondence: str = "truncated",
    device: torch.device | None = None,
) -> RenderedSample:
    """Photograph a cloud from all directions of a rig.

    The defaults give what the published renderings hold. The same cloud always gives the same result.

    Args:
        point_cloud: N points; without labels, or with none set, the ground truth views are black.
        rig: directions, window and point sizes.
        image_size: side S of the pictures in pixels.
        normals: (N, 3) in the frame of the points, any sign; None: estimated as `normals_method` says.
        normals_method: "exact" as Open3D estimates them, or "grid", faster and for organized clouds only.
        visibility: "nearest", one point a pixel, or "splat", every point of the surface that the picture shows.
        correspondence: "truncated" or "centred", see `picture_pixels`.
        device: not None: compute there with PyTorch, all views at once, instead of with NumPy.

    Raises:
        InputError: the cloud has fewer than three points, no extent or values that are not finite; an option is
            unknown; "grid" normals are asked for a cloud that is not organized.
    """
    _check_cloud(point_cloud.points)
    _check_option("visibility", visibility, VISIBILITIES)
    _check_option("correspondence", correspondence, CORRESPONDENCES)
    if normals is None:
        normals = cloud_normals(point_cloud, rig, normals_method)
    labels = point_cloud.labels if point_cloud.labels is not None and point_cloud.labels.any() else None
    points = turn_about_x(np.ascontiguousarray(point_cloud.points.T, dtype=np.float64), rig.first_rotation)
    directions = turn_about_x(np.ascontiguousarray(normals.T, dtype=np.float32), rig.first_rotation)
    center = points.mean(axis=1)
    point_size = automatic_point_size(points, rig.window) if rig.point_size is None else rig.point_size

    views = np.empty((len(rig.views), image_size, image_size), np.uint8)
    views_gt = np.zeros_like(views)
    correspondences = np.empty((len(rig.views), points.shape[1], 3), np.int16)
    for number, view in enumerate(rig.views):
        turned = turn(points, view, center)
        default_camera = look_at(turned)
        camera = step_back(turned, default_camera, rig.window) if rig.steps_back else default_camera
        drawn = draw_order(turned, camera)
        greys = shade(turned, turn_directions(directions, view), camera)
        layer = splat(drawn, greys[drawn.order], BACKGROUND, rig.window, point_size)
        views[number] = resize_layer(layer, BACKGROUND, rig.window, image_size)
        if labels is not None:
            views_gt[number] = _ground_truth(turned, labels, drawn, camera, default_camera, rig, image_size)

        columns, rows = project(turned, camera, rig.window)
        pixels = picture_pixels(columns, rows, rig.window, image_size, centred=correspondence == "centred")
        if visibility == "splat":
            tolerance = SURFACE_TOLERANCE * camera.extent
            visible = surface_visible(columns, rows, turned[2], drawn, layer, tolerance)
        else:
            visible = nearest_visible(pixels, turned[2], image_size)
        correspondences[number, :, :2] = pixels.T
        correspondences[number, :, 2] = visible
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


def _ground_truth(
    turned: np.ndarray,
    labels: np.ndarray,
    drawn: DrawnPoints,
    camera: Camera,
    default_camera: Camera,
    rig: ViewRig,
    image_size: int,
) -> np.ndarray:
    """The labels drawn white on black, by the camera that did not step back: the published ground truth is so."""
    if camera is not default_camera:
        drawn = draw_order(turned, default_camera)
    anomalous = labels[drawn.order]
    # Only anomalous points are not black, so the picture is worked out around them alone.
    layer = splat(drawn, anomalous * np.uint8(255), 0, rig.gt_window, rig.gt_point_size, focus=anomalous)
    return resize_layer(layer, 0, rig.gt_window, image_size)


def _check_cloud(points: np.ndarray) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3:
        raise InputError("point cloud", f"has the shape {points.shape}", "give at least three points as (N, 3)")
    if not np.isfinite(points).all():
        raise InputError("point cloud", "holds values that are not finite", "remove these points first")


def _check_option(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} {value!r}", "is unknown", f"use one of {', '.join(known)}")

"""Draws the views of a scene with NumPy, one after the other."""

import numpy as np

from pointad.rendering.camera import Camera, look_at, project, rotate, rotate_directions, step_back
from pointad.rendering.correspondence import nearest_visible, picture_pixels, surface_visible
from pointad.rendering.resizing import resize_layer
from pointad.rendering.scene import SURFACE_TOLERANCE, Scene
from pointad.rendering.shading import BACKGROUND, shade
from pointad.rendering.splatting import DrawnPoints, Layer, draw_order, splat


def draw_views(scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (V, S, S) uint8, ground truth (V, S, S) uint8 and correspondences (V, N, 3) int16 of a scene."""
    rig, size = scene.rig, scene.image_size
    views = np.empty((len(rig.views), size, size), np.uint8)
    views_gt = np.zeros_like(views)
    correspondences = np.empty((len(rig.views), scene.centred.shape[1], 3), np.int16)
    for number, view in enumerate(rig.views):
        points = rotate(scene.centred, view, scene.center)
        default_camera = look_at(points)
        camera = step_back(points, default_camera, rig.window) if rig.steps_back else default_camera
        drawn = draw_order(points, camera)
        greys = shade(points, rotate_directions(scene.normals, view), camera)
        layer = splat(drawn, greys[drawn.order], BACKGROUND, rig.window, scene.point_size)
        views[number] = resize_layer(layer, BACKGROUND, rig.window, size)
        _correspond(scene, points, camera, drawn, layer, correspondences[number])
        if scene.labels is not None:
            # The published ground truth is drawn by the camera that did not step back.
            gt_drawn = drawn if camera is default_camera else draw_order(points, default_camera)
            views_gt[number] = _ground_truth(scene, scene.labels[gt_drawn.order], gt_drawn)
    return views, views_gt, correspondences


def _ground_truth(scene: Scene, anomalous: np.ndarray, drawn: DrawnPoints) -> np.ndarray:
    """Anomalous points white, the others black; only the surroundings of anomalous points need to be computed."""
    rig = scene.rig
    layer = splat(drawn, anomalous * np.uint8(255), 0, rig.gt_window, rig.gt_point_size, focus=anomalous)
    return resize_layer(layer, 0, rig.gt_window, scene.image_size)


def _correspond(
    scene: Scene, points: np.ndarray, camera: Camera, drawn: DrawnPoints, layer: Layer, result: np.ndarray
) -> None:
    """Write column, row and visibility of all points in one view into the result, (N, 3) int16."""
    window, size = scene.rig.window, scene.image_size
    columns, rows = project(points, camera, window)
    pixels = picture_pixels(columns, rows, window, size, centred=scene.centred_correspondence)
    result[:, 0], result[:, 1] = pixels
    if scene.surface_visibility:
        result[:, 2] = surface_visible(columns, rows, points[2], drawn, layer, SURFACE_TOLERANCE * camera.extent)
    else:
        result[:, 2] = nearest_visible(pixels, points[2], size)

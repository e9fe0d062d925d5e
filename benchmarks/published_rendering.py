"""The published way of rendering a scan, re-enacted from its description: a window for every picture, a loop for
visibility. Needs Open3D with a display or EGL."""

import copy
from pathlib import Path

import cv2
import numpy as np
import open3d
from PIL import Image

from pointad.rendering.views import ViewRig
from pointad.scans.point_cloud import PointCloud

IMAGE_SIZE = 336


def render_as_published(cloud: PointCloud, rig: ViewRig, folder: Path) -> None:
    """Write nine views, nine ground-truth views and nine correspondences of a labelled cloud into a folder."""
    assert cloud.labels is not None
    assert rig.point_size is not None
    grey = np.full_like(cloud.points, 0.7)
    white_where_anomalous = np.repeat(cloud.labels[:, None].astype(np.float64), 3, axis=1)
    shown, shown_gt = (_prepare(cloud.points, colors, rig) for colors in (grey, white_where_anomalous))
    center = np.asarray(shown.points).mean(axis=0)
    for number, view in enumerate(rig.views):
        turned, turned_gt = copy.deepcopy(shown), copy.deepcopy(shown_gt)
        turned.rotate(view.rotation, center=center)
        turned_gt.rotate(view.rotation, center=center)
        parameters = _picture(turned, rig.window, rig.point_size, True, folder / f"view_{number}.png")
        _picture(turned_gt, rig.gt_window, rig.gt_point_size, False, folder / f"view_{number}_gt.png")
        points = np.asarray(turned.points)
        pixels = _pixels(points, parameters, rig.window)
        visible = _visible(pixels, points[:, 2])
        np.save(folder / f"view_{number}_cor.npy", np.concatenate((pixels, visible[:, None]), axis=1))
    if cloud.nonzero_indices is not None:
        np.save(folder / "nonzero_indices.npy", cloud.nonzero_indices.astype(np.int64))


def _prepare(points: np.ndarray, colors: np.ndarray, rig: ViewRig) -> open3d.geometry.PointCloud:
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.colors = open3d.utility.Vector3dVector(colors)
    rotation = open3d.geometry.get_rotation_matrix_from_xyz((rig.first_rotation, 0, 0))
    cloud.rotate(rotation, center=(0, 0, 0))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(rig.normal_radius, rig.normal_neighbours))
    return cloud


def _picture(
    cloud: open3d.geometry.PointCloud, window: int, point_size: int, light: bool, path: Path
) -> open3d.camera.PinholeCameraParameters:
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)
    visualizer = open3d.visualization.Visualizer()
    if not visualizer.create_window(width=window, height=window, visible=False):
        raise RuntimeError("Open3D opens no off-screen window here; a display or EGL is needed")
    visualizer.add_geometry(cloud)
    option = visualizer.get_render_option()
    option.point_size = point_size
    option.light_on = light
    option.background_color = np.ones(3) if light else np.zeros(3)
    parameters = visualizer.get_view_control().convert_to_pinhole_camera_parameters()
    captured = np.asarray(visualizer.capture_screen_float_buffer(do_render=True))
    visualizer.destroy_window()
    picture = Image.fromarray((captured * 255).astype(np.uint8))
    picture.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC).save(path)
    return parameters


def _pixels(points: np.ndarray, parameters: open3d.camera.PinholeCameraParameters, window: int) -> np.ndarray:
    extrinsic = np.asarray(parameters.extrinsic)
    rotation, _ = cv2.Rodrigues(extrinsic[:3, :3])
    pixels, _ = cv2.projectPoints(points, rotation, extrinsic[:3, 3], parameters.intrinsic.intrinsic_matrix, None)
    return np.clip(pixels[:, 0] * IMAGE_SIZE / window, 0, IMAGE_SIZE - 1).astype(np.int64)


def _visible(pixels: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Point by point: the highest of each pixel."""
    nearest = np.full((IMAGE_SIZE, IMAGE_SIZE), -1, np.int64)
    visible = np.zeros(len(pixels), np.int64)
    for index in range(len(pixels)):
        column, row = pixels[index]
        other = nearest[row, column]
        if other < 0 or heights[index] > heights[other]:
            if other >= 0:
                visible[other] = 0
            nearest[row, column] = index
            visible[index] = 1
    return visible

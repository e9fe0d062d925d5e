"""Pictures from Open3D's own off-screen window: what the renderer of this package is measured against.

Nothing in the pipeline needs this file; it serves the tests, the benchmark and the curious.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pointad.errors import InputError

_RETREAT = 0.005  # one step back, in the cloud's unit


@dataclass(frozen=True)
class WindowPicture:
    """A picture and the camera that took it, as Open3D reports it."""

    picture: np.ndarray  # (W, W) uint8
    intrinsic: np.ndarray  # (3, 3) float64
    extrinsic: np.ndarray  # (4, 4) float64, from the cloud's frame to the camera's (x right, y down, z forward)
    steps: int  # how often the camera stepped back


def photograph(
    points: np.ndarray,
    normals: np.ndarray,
    greys: np.ndarray | float,
    *,
    window: int,
    point_size: int,
    light: bool,
    background: Sequence[float],
    steps_back: bool = False,
) -> WindowPicture:
    """Show a cloud in an off-screen window and capture what it draws.

    Args:
        points: (N, 3) float64.
        normals: (N, 3) float64.
        greys: brightness of each point (N,) or of all, 0 .. 1.
        window: width and height of the window in pixels.
        point_size: in pixels.
        light: whether the points are shaded.
        background: red, green, blue, 0 .. 1.
        steps_back: move the camera away, at least one step, until all points project into the window.

    Raises:
        InputError: no off-screen window can be opened here.
    """
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.normals = open3d.utility.Vector3dVector(normals)
    colors = np.broadcast_to(np.asarray(greys, dtype=np.float64).reshape(-1, 1), points.shape)
    cloud.colors = open3d.utility.Vector3dVector(np.ascontiguousarray(colors))
    with open3d.utility.VerbosityContextManager(open3d.utility.VerbosityLevel.Error):
        visualizer = open3d.visualization.Visualizer()
        if not visualizer.create_window(width=window, height=window, visible=False):
            raise InputError(
                "Open3D", "cannot open an off-screen window", "install a display or EGL with a software driver"
            )
        try:
            visualizer.add_geometry(cloud)
            option = visualizer.get_render_option()
            option.point_size = point_size
            option.light_on = light
            option.background_color = np.asarray(background, dtype=np.float64)
            control = visualizer.get_view_control()
            steps = _retreat(control, points, window) if steps_back else 0
            parameters = control.convert_to_pinhole_camera_parameters()
            captured = np.asarray(visualizer.capture_screen_float_buffer(do_render=True))
        finally:
            visualizer.destroy_window()
    return WindowPicture(
        (captured[..., 0] * 255).astype(np.uint8),
        np.array(parameters.intrinsic.intrinsic_matrix),
        np.array(parameters.extrinsic),
        steps,
    )


def _retreat(control: Any, points: np.ndarray, window: int) -> int:
    """Step back until the camera sees every point; how many steps it took."""
    steps = 0
    while True:
        parameters = control.convert_to_pinhole_camera_parameters()
        extrinsic = np.array(parameters.extrinsic)
        extrinsic[2, 3] += _RETREAT
        parameters.extrinsic = extrinsic
        control.convert_from_pinhole_camera_parameters(parameters, allow_arbitrary=True)
        steps += 1
        seen = points @ extrinsic[:3, :3].T + extrinsic[:3, 3]
        pixels = seen @ np.array(parameters.intrinsic.intrinsic_matrix).T
        pixels = pixels[:, :2] / pixels[:, 2:]
        if ((pixels >= 0) & (pixels < window)).all():
            return steps

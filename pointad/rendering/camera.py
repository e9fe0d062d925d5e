"""The pose of the camera and the projection of the points into its window.

The camera is Open3D's default camera for a point cloud: it looks along -z at the centre of the cloud's bounding box,
with x to the right and y up, from a distance proportional to the box.
Clouds are arrays of three rows (3, N): x, y and z are each contiguous, which keeps every step below fast.
"""

import math
from dataclasses import dataclass

import numpy as np

from pointad.errors import InputError
from pointad.rendering.views import View

TAN_HALF_FIELD = math.tan(math.radians(30.0))  # the field of view is 60 degrees, both ways
ZOOM = 0.7
RETREAT = 0.005  # one step back, in the unit of the data set


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along -z at the centre of a cloud's bounding box; lengths in the cloud's unit."""

    center: np.ndarray  # (3,) float64, the point looked at
    extent: float  # the longest side of the cloud's bounding box
    distance: float  # from the eye to the centre

    @property
    def eye_z(self) -> float:
        """Height of the eye, which is above the centre at (center x, center y, eye_z)."""
        return float(self.center[2]) + self.distance

    @property
    def near(self) -> float:
        """Distance of the near clipping plane from the eye."""
        return max(0.01 * self.extent, self.distance - 3.0 * self.extent)

    @property
    def far(self) -> float:
        """Distance of the far clipping plane from the eye."""
        return self.distance + 3.0 * self.extent


def look_at(points: np.ndarray) -> Camera:
    """The camera that Open3D's window chooses for a cloud.

    Args:
        points: (3, N) float64.

    Raises:
        InputError: all points lie at the same place.
    """
    low, high = points.min(axis=1), points.max(axis=1)
    extent = float((high - low).max())
    if extent <= 0.0:
        raise InputError("point cloud", "all points lie at the same place", "give a cloud with a non-zero extent")
    return Camera((low + high) / 2, extent, ZOOM * extent / TAN_HALF_FIELD)


def focal_length(window: int) -> float:
    """Focal length in pixels of a window that is this many pixels wide and high."""
    return window / (2.0 * TAN_HALF_FIELD)


def project(points: np.ndarray, camera: Camera, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows (N,) float64 of points in the window; whole numbers are pixel centres, row 0 is on top.

    Args:
        points: (3, N) float64, in the frame that the camera looks at.
        camera: the camera.
        window: width and height of the window in pixels.
    """
    x, y, z = points
    scale = focal_length(window) / (camera.eye_z - z)
    middle = window / 2 - 0.5
    return (x - camera.center[0]) * scale + middle, middle - (y - camera.center[1]) * scale


def step_back(points: np.ndarray, camera: Camera, window: int) -> Camera:
    """The camera moved back by the fewest whole steps of 0.005, at least one, that bring all points into the window.

    A point is in the window when 0 <= column < window and 0 <= row < window (the Eyecandies rule of PointAD's
    rendering). The number of steps has a closed form: a point needs the depth at which it meets the window's border.
    """
    x, y, z = points
    depth = camera.eye_z - z
    focal = focal_length(window)
    missing = 0.0
    for offset in (x - camera.center[0], camera.center[1] - y):
        needed = np.where(offset > 0, offset * (focal / (window / 2 + 0.5)), offset * (-focal / (window / 2 - 0.5)))
        missing = max(missing, float((needed - depth).max()))
    steps = max(1, math.ceil(missing / RETREAT - 1e-9))
    return Camera(camera.center, camera.extent, camera.distance + RETREAT * steps)


def rotate(centred: np.ndarray, view: View, center: np.ndarray) -> np.ndarray:
    """A cloud (3, N), given relative to a point (3,), rotated about that point into a view."""
    turned = rotate_directions(centred, view)
    turned += center[:, None]
    return turned


def rotate_directions(directions: np.ndarray, view: View) -> np.ndarray:
    """Directions or centred points (3, N) rotated into a view, in their own dtype.

    Written out by rows: products of such narrow matrices are slow if BLAS splits them among threads.
    """
    return _rotate_rows(directions, view.axis, math.radians(view.degrees))


def rotate_about_x(points: np.ndarray, radians: float) -> np.ndarray:
    """A cloud (3, N) rotated about the x axis through the origin."""
    return _rotate_rows(points, "x", radians)


def _rotate_rows(rows: np.ndarray, axis: str, radians: float) -> np.ndarray:
    x, y, z = rows
    cosine, sine = math.cos(radians), math.sin(radians)
    turned = np.empty_like(rows)
    if axis == "x":
        turned[0] = x
        turned[1] = cosine * y - sine * z
        turned[2] = sine * y + cosine * z
    else:
        turned[0] = cosine * x + sine * z
        turned[1] = y
        turned[2] = cosine * z - sine * x
    return turned

"""Draws points as squares of whole pixels with a depth test, as OpenGL does without point smoothing.

Since all splats have the same size, squares need not be filled: each point's rank in the front-to-back order is written
to the corner cell of its square, and the smallest rank among the cells that reach a pixel wins.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pointad.rendering.camera import TAN_HALF_FIELD, Camera

_INDEX_BITS = 32  # the lower half of a sorting key holds the index of a point, the upper half its depth

# A cell of a layer holds a point's rank and value in one integer: FIRST + rank * 256 + value. All of these are also the
# bit patterns of ordinary positive floats, which sort the same way and of which OpenCV can take the minimum.
_FIRST = 0x10000000
_EMPTY = 0x7F000000  # in a cell without a point, in place of FIRST + rank * 256
MOST_POINTS = (_EMPTY - _FIRST) >> 8


@dataclass(frozen=True)
class DrawnPoints:
    """The points whose centres are in the camera's view, front to back; on a tie, the earlier index comes first."""

    order: np.ndarray  # (M,) int64, indices into the cloud
    x: np.ndarray  # (M,) float32, -1 .. 1 from the left to the right border of the window
    y: np.ndarray  # (M,) float32, -1 .. 1 from the bottom to the top


@dataclass(frozen=True)
class Layer:
    """The pixels of a window, stored only for the rectangle that the drawn squares reach."""

    cells: np.ndarray  # (rows, columns) int32, rank and value of the winning point
    top: int  # row of the window at which the rectangle starts
    left: int  # column of the window at which the rectangle starts

    @property
    def values(self) -> np.ndarray:
        """The winners' values, (rows, columns) uint8; the background's where there is no winner."""
        return self.cells.astype(np.uint8)

    @property
    def ranks(self) -> np.ndarray:
        """The winners' indices into DrawnPoints, (rows, columns) int32, -1 where there is no winner."""
        ranks = (self.cells - _FIRST) >> 8
        ranks[self.cells >= _EMPTY] = -1
        return ranks


def draw_order(points: np.ndarray, camera: Camera) -> DrawnPoints:
    """Project as a vertex shader does, in float32, and sort front to back.

    Args:
        points: (3, N) float64, rotated into the view; N at most MOST_POINTS.
        camera: the camera of the view.
    """
    count = points.shape[1]
    single = np.float32
    coordinates: list[np.ndarray] = list(points.astype(single))
    x, y, z = coordinates
    near, far = camera.near, camera.far
    lens = single(1.0 / TAN_HALF_FIELD)
    depth_scale = single(-(far + near) / (far - near))
    depth_offset = single(-2.0 * far * near / (far - near))
    eye_x, eye_y, eye_z = single(camera.center[0]), single(camera.center[1]), single(camera.eye_z)

    inverse = single(1.0) / (eye_z - z)
    x = (lens * x + lens * -eye_x) * inverse
    y = (lens * y + lens * -eye_y) * inverse
    z = (depth_scale * z + (depth_scale * -eye_z + depth_offset)) * inverse
    depth = z * single(0.5) + single(0.5)

    # Positive floats sort like their bits.
    keys = depth.view(np.int32).astype(np.int64)
    keys <<= _INDEX_BITS
    keys |= np.arange(count)
    if any(part.min() < low or part.max() > 1 for part, low in ((x, -1), (y, -1), (depth, 0))):
        keys = keys[(np.abs(x) <= 1) & (np.abs(y) <= 1) & (depth >= 0) & (depth <= 1)]
    keys.sort()
    order = keys & ((1 << _INDEX_BITS) - 1)
    return DrawnPoints(order, x[order], y[order])


def splat(
    drawn: DrawnPoints,
    values: np.ndarray,
    background: int,
    window: int,
    point_size: int,
    focus: np.ndarray | None = None,
) -> Layer:
    """Draw each point as a square of point_size x point_size pixels; the nearest point wins a pixel.

    Args:
        drawn: M points, front to back.
        values: (M,) uint8, grey value of each point, front to back.
        background: grey value of pixels without a point, 0 .. 255.
        window: width and height of the window in pixels.
        point_size: side of the squares in pixels.
        focus: (M,) bool, the points of interest; then only the surroundings of the rectangle around them are drawn:
            correct where these points reach, incomplete elsewhere. None: everything is drawn.
    """
    x, y = drawn.x, drawn.y
    ranked = np.arange(_FIRST, _FIRST + 256 * x.size, 256, dtype=np.int32) + values
    if focus is not None:
        margin = (2 * point_size + 2) / window  # a square's side and rounding, both ways
        near = _within(x, x[focus], margin) & _within(y, y[focus], margin)
        x, y, ranked = x[near], y[near], ranked[near]
    columns = _first_pixel(x, window, point_size)
    rows = window - point_size - _first_pixel(y, window, point_size)  # counted from the top
    if columns.size == 0:
        return Layer(np.zeros((0, 0), np.int32), 0, 0)

    left, right = int(columns.min()), int(columns.max()) + point_size
    top, bottom = int(rows.min()), int(rows.max()) + point_size
    cells: np.ndarray = np.full((bottom - top, right - left), _EMPTY + background, np.int32)
    place = (rows - top) * np.int32(right - left) + (columns - left)
    # Back to front: if points share a cell, the last one written is the nearest.
    cells.reshape(-1)[place[::-1]] = ranked[::-1]
    # Each cell takes the smallest of the cells whose squares reach it: those that end at it.
    square = np.ones((point_size, point_size), np.uint8)
    last = (point_size - 1, point_size - 1)
    cells = cv2.erode(cells.view(np.float32), square, anchor=last, borderType=cv2.BORDER_REPLICATE).view(np.int32)
    inside = cells[max(0, -top) : window - top, max(0, -left) : window - left]
    return Layer(inside, max(0, top), max(0, left))


def _within(positions: np.ndarray, focus: np.ndarray, margin: float) -> np.ndarray:
    """Which positions lie within the range of those in focus, plus a margin."""
    if focus.size == 0:
        return np.zeros(positions.size, bool)
    return (positions >= focus.min() - np.float32(margin)) & (positions <= focus.max() + np.float32(margin))


def _first_pixel(position: np.ndarray, window: int, point_size: int) -> np.ndarray:
    """First of the point_size pixels that a square covers along one axis, (M,) int32; positions are -1 .. 1."""
    half = window / 2
    # Software drivers use a fused multiply-add, which rounds once; in float64 the product is exact.
    pixels = (position.astype(np.float64) * half + half).astype(np.float32)
    # The rasterizer quantizes positions to 1/256 pixel, rounded half up.
    snapped = ((pixels - np.float32(0.5)) * np.float32(256.0) + np.float32(0.5)).astype(np.int32)
    return (snapped - (128 * point_size - 255)) >> 8

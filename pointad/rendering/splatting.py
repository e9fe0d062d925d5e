"""Drawing of points as squares of whole pixels with a depth test, as an OpenGL window without smoothing does it.

Every splat has the same size, so no square is ever filled: the number of each point in front-to-back order goes to
the corner cell of its square, and the smallest number among the cells that reach a pixel names the winner.
"""

from dataclasses import dataclass

import numpy as np

from pointad.rendering.camera import TAN_HALF_FIELD, Camera

_INDEX_BITS = 32  # the lower half of a sorting key holds the index of a point, the upper half its depth


@dataclass(frozen=True)
class DrawnPoints:
    """The points whose centres the camera sees, front to back: the nearest first, the earlier index on a tie."""

    order: np.ndarray  # (M,) int64, indices into the cloud
    x: np.ndarray  # (M,) float32, -1 .. 1 from the left to the right border of the window
    y: np.ndarray  # (M,) float32, -1 .. 1 from the bottom to the top
    depth: np.ndarray  # (M,) float32, 0 (near plane) .. 1 (far plane), ascending


@dataclass(frozen=True)
class Winners:
    """Which point every pixel of a window shows; only the part of the window that squares can touch is kept."""

    ranks: np.ndarray  # (rows, columns) int32, number of the point in DrawnPoints; M where nothing is drawn
    top: int  # row of the window that the first row of `ranks` is
    left: int  # column of the window that the first column of `ranks` is


def draw_order(points: np.ndarray, camera: Camera) -> DrawnPoints:
    """Project as the graphics pipeline does, in float32 without fused operations, and sort front to back.

    Args:
        points: (3, N) float64, turned into the view.
        camera: where the camera stands.
    """
    single = np.float32
    x, y, z = points.astype(single)
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
    keys |= np.arange(keys.size)
    seen = (np.abs(x) <= 1) & (np.abs(y) <= 1) & (depth >= 0) & (depth <= 1)
    if not seen.all():
        keys = keys[seen]
    keys.sort()
    order = keys & ((1 << _INDEX_BITS) - 1)
    return DrawnPoints(order, x[order], y[order], depth[order])


def splat(drawn: DrawnPoints, window: int, point_size: int) -> Winners:
    """Which point wins every pixel when each point is a square of point_size x point_size pixels.

    Args:
        drawn: the points, front to back.
        window: width and height of the window in pixels.
        point_size: side of the squares in pixels.
    """
    count = drawn.order.size
    if count == 0:
        return Winners(np.zeros((0, 0), np.int32), 0, 0)
    columns = _first_pixel(drawn.x, window, point_size)
    rows = window - point_size - _first_pixel(drawn.y, window, point_size)  # counted from the top
    left, top = int(columns.min()), int(rows.min())
    width, height = int(columns.max()) - left + point_size, int(rows.max()) - top + point_size

    ranks = np.full((height, width), count, np.int32)
    cells = (rows - top) * np.int32(width) + (columns - left)
    # Back to front: where points share a cell, the last written is the nearest.
    ranks.reshape(-1)[cells[::-1]] = np.arange(count - 1, -1, -1, dtype=np.int32)
    _spread_minimum(ranks, point_size)
    inside = ranks[max(0, -top) : window - top, max(0, -left) : window - left]
    return Winners(inside, max(0, top), max(0, left))


def paint(winners: Winners, values: np.ndarray, background: int, window: int) -> np.ndarray:
    """The picture (window, window) uint8 in which each pixel shows its winner's value.

    Args:
        winners: from `splat`.
        values: (M,) uint8, the value of each point, front to back.
        background: the value of pixels that show no point.
        window: width and height of the window in pixels.
    """
    picture = np.full((window, window), background, np.uint8)
    height, width = winners.ranks.shape
    table = np.append(values, np.uint8(background))
    picture[winners.top : winners.top + height, winners.left : winners.left + width] = table[winners.ranks]
    return picture


def _first_pixel(position: np.ndarray, window: int, point_size: int) -> np.ndarray:
    """First of the point_size pixels that a square covers along one axis, (M,) int32; positions are -1 .. 1."""
    half = np.float32(window / 2)
    pixels = position * half + half
    # The rasterizer knows positions to 1/256 pixel, rounded half up.
    snapped = ((pixels - np.float32(0.5)) * np.float32(256.0) + np.float32(0.5)).astype(np.int32)
    return (snapped - (128 * point_size - 255)) >> 8


def _spread_minimum(ranks: np.ndarray, size: int) -> None:
    """Replace each cell by the minimum over the size x size cells that end at it, in place.

    Windows of doubling length: a minimum over 2 m cells is that of two minima over m cells.
    """
    for cells in (ranks, ranks.T):
        length = 1
        while length < size:
            shift = min(length, size - length)
            cells[shift:] = np.minimum(cells[shift:], cells[:-shift])
            length += shift

"""Point-to-pixel correspondence: the pixel of the resized picture that each point falls on, and its visibility."""

import numpy as np

from pointad.rendering.splatting import DrawnPoints, Layer


def picture_pixels(columns: np.ndarray, rows: np.ndarray, window: int, size: int, centred: bool = False) -> np.ndarray:
    """Columns and rows of points in the picture that the window was resized to.

    Args:
        columns, rows: (N,) float64, positions in the window; whole numbers are pixel centres.
        window: width and height of the window in pixels.
        size: width and height of the picture in pixels.
        centred: False scales the position and drops the fraction, as in PointAD's renderings (which the released
            weights were trained on), and so puts about a third of the points on a neighbouring pixel; True gives the
            pixel that the point lies in.

    Returns:
        (2, N) int16, columns and rows, clipped to the picture.
    """
    pixels = np.empty((2, columns.size), np.int16)
    for row, position in enumerate((columns, rows)):
        scaled = (position + 0.5 if centred else position) * size
        scaled /= window
        pixels[row] = np.clip(scaled, 0, size - 1, out=scaled)  # no longer negative, so the cast rounds down
    return pixels


def nearest_visible(pixels: np.ndarray, nearness: np.ndarray, size: int) -> np.ndarray:
    """Which points are nearest to the camera on their pixel, (N,) bool; on a tie, the earlier point.

    Args:
        pixels: (2, N) integer, columns and rows, 0 .. size - 1.
        nearness: (N,) float, larger is nearer to the camera (the height z of the points rotated into the view).
        size: width and height of the picture in pixels.
    """
    flat = pixels[1].astype(np.intp) * size + pixels[0]
    nearest = np.full(size * size, -np.inf)
    np.maximum.at(nearest, flat, nearness)
    candidates = np.flatnonzero(nearness == nearest[flat])
    # From the last to the first: where candidates tie, the earliest is written last.
    winner = np.full(size * size, -1, np.intp)
    winner[flat[candidates[::-1]]] = candidates[::-1]
    visible = np.zeros(flat.size, bool)
    visible[winner[winner >= 0]] = True
    return visible


def surface_visible(
    columns: np.ndarray,
    rows: np.ndarray,
    nearness: np.ndarray,
    drawn: DrawnPoints,
    layer: Layer,
    tolerance: float,
) -> np.ndarray:
    """Which points lie on the surface that the picture shows, (N,) bool.

    A point counts as visible if the point drawn on the window pixel of its centre is nearer by no more than
    `tolerance`. Unlike `nearest_visible`, this takes the drawn size of the points into account, so a back surface does
    not show through the gaps between points, and every point of the front surface counts, not just one per pixel.

    Args:
        columns, rows: (N,) float64, positions in the window; whole numbers are pixel centres.
        nearness: (N,) float64, larger is nearer to the camera.
        drawn: the drawn points, front to back; others are not visible.
        layer: which of them each pixel shows.
        tolerance: in the unit of `nearness`.
    """
    order = drawn.order
    row = np.floor(rows[order] + 0.5).astype(np.intp) - layer.top
    column = np.floor(columns[order] + 0.5).astype(np.intp) - layer.left
    # A centre exactly on the border of the window may round to the pixel beyond it.
    height, width = layer.cells.shape
    rank = layer.ranks[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    front = np.append(nearness[order], -np.inf)[rank]  # the last entry, -1, stands for pixels that show nothing
    visible = np.zeros(nearness.size, bool)
    visible[order] = nearness[order] >= front - tolerance
    return visible

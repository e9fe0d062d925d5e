"""Resizes the content of the window to the picture that the image encoder takes."""

import math

import numpy as np
from PIL import Image

from pointad.rendering.splatting import Layer

_FILTER = Image.Resampling.BICUBIC
_SUPPORT = 2  # the bicubic filter reaches this many pixels of the small picture to either side
WEIGHT_BITS = 22  # Pillow's fixed-point weights


def resize_layer(layer: Layer, background: int, window: int, size: int) -> np.ndarray:
    """Resize the window's picture to (size, size) uint8 with Pillow's antialiased bicubic filter.

    The part of the picture that the layer cannot reach is filled with the background; the rest is the same, byte for
    byte, as if the whole window were resized.

    Args:
        layer: the content of the window.
        background: the value of pixels outside the layer.
        window: width and height of the window in pixels.
        size: width and height of the result in pixels.
    """
    picture = np.full((size, size), background, np.uint8)
    height, width = layer.cells.shape
    if height == 0 or width == 0:
        return picture
    rows, top, bottom = _reached(layer.top, layer.top + height, window, size)
    columns, left, right = _reached(layer.left, layer.left + width, window, size)
    # The filter reads beyond the requested part, so the source keeps a margin of the window around it.
    margin = math.ceil(_SUPPORT * window / size) + 1
    first_row, first_column = max(0, top - margin), max(0, left - margin)
    source = np.full(
        (min(window, bottom + margin) - first_row, min(window, right + margin) - first_column), background, np.uint8
    )
    row, column = layer.top - first_row, layer.left - first_column
    source[row : row + height, column : column + width] = layer.values
    wide = columns.stop - columns.start
    # One direction at a time: for both together, Pillow chooses an order that depends on the shape.
    narrowed = Image.fromarray(source).resize(
        (wide, len(source)), _FILTER, box=(left - first_column, 0, right - first_column, len(source))
    )
    picture[rows, columns] = np.asarray(
        narrowed.resize((wide, rows.stop - rows.start), _FILTER, box=(0, top - first_row, wide, bottom - first_row))
    )
    return picture


def _reached(first: int, end: int, window: int, size: int) -> tuple[slice, int, int]:
    """Which pixels of the small picture depend on the window's pixels first .. end - 1, and their span in the window.

    Only whole periods of the pattern in which both pixel grids coincide are used, so that the span is whole pixels and
    the filter has the same weights as for the whole window.
    """
    steps = math.gcd(window, size)
    scale = window / size
    pixels = size // steps
    start = max(0, math.floor((first / scale - _SUPPORT - 1) / pixels))
    stop = min(steps, math.ceil((end / scale + _SUPPORT + 1) / pixels))
    return slice(start * pixels, stop * pixels), start * (window // steps), stop * (window // steps)


def bicubic_weights(window: int, size: int) -> np.ndarray:
    """Weights (size, window) int64 by which Pillow's bicubic filter resizes `window` values to `size`, times 2^22."""
    scale = window / size
    width = max(scale, 1.0)  # enlarged, a picture is read at the spacing of its own values
    centers = (np.arange(size)[:, None] + 0.5) * scale
    support = _SUPPORT * width
    source = np.arange(window)[None, :]
    first, end = np.floor(centers - support + 0.5), np.floor(centers + support + 0.5)
    distance = np.abs((source - centers + 0.5) / width)
    near = (1.5 * distance - 2.5) * distance * distance + 1  # Keys' cubic with a = -0.5
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0)) * ((source >= first) & (source < end))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.trunc(weights * (1 << WEIGHT_BITS) + np.copysign(0.5, weights)).astype(np.int64)

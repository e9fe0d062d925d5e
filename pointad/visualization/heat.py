"""Heat-map colours, overlays and outlines: how anomaly scores are shown on pictures and points.

The colour scale is Turbo without its nearly black ends (blue: normal, green to yellow: between, red: anomalous).
"""

import functools

import cv2
import numpy as np

from pointad.compute.argument_kinds import as_number
from pointad.errors import InputError
from pointad.visualization.arrays import as_picture, require_shape

TURBO_PART = (0.08, 0.96)  # its ends are nearly black, which hides shading and overlaid pictures
NO_VALUE_COLOR = (128, 128, 128)


@functools.cache
def _scale() -> np.ndarray:
    steps = np.rint(np.linspace(*TURBO_PART, 256) * 255).astype(np.uint8)
    table = np.ascontiguousarray(cv2.applyColorMap(steps[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1])
    table.setflags(write=False)
    return table


def heat_colors(values: np.ndarray) -> np.ndarray:
    """Colours of the scale.

    Args:
        values: any shape, 0 (normal) to 1 (anomalous); values outside are clipped, NaN becomes grey.

    Returns:
        uint8 RGB, with the shape of `values` plus a last axis of 3.
    """
    values = np.asarray(values, dtype=np.float32)
    missing = np.isnan(values)
    index = np.rint(np.clip(np.where(missing, 0.0, values), 0.0, 1.0) * 255).astype(np.uint8)
    colors = np.take(_scale(), index, axis=0)
    colors[missing] = NO_VALUE_COLOR
    return colors


def to_unit_range(values: np.ndarray, heat_range: tuple[float, float]) -> np.ndarray:
    """Scale values so that the ends of `heat_range`, lower and upper, become 0 and 1; without width it gives zeros."""
    low, high = heat_range
    if not high > low:
        return np.zeros_like(np.asarray(values, dtype=np.float32))
    return (np.asarray(values, dtype=np.float32) - np.float32(low)) / np.float32(high - low)


def overlay(picture: np.ndarray, heat: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Overlay heat-map colours on pictures.

    Args:
        picture: (..., H, W) grey or (..., H, W, 3) RGB, uint8.
        heat: (..., H, W) values in 0..1; where it is NaN the picture stays as it is.
        opacity: 0 shows the picture alone, 1 the heat alone.

    Returns:
        (..., H, W, 3) uint8.

    Raises:
        InputError: the picture is not uint8, its shape does not fit, or the opacity is not within 0 and 1.
    """
    opacity = as_number(opacity, "opacity")
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity {opacity:g}", "is out of range", "give a number from 0 to 1")
    heat, picture = np.asarray(heat, dtype=np.float32), as_picture(picture, "pictures")
    require_shape(picture, heat.shape if picture.ndim == heat.ndim else (*heat.shape, 3), "pictures")
    base = picture if picture.ndim == heat.ndim + 1 else np.repeat(picture[..., None], 3, axis=-1)
    blended = base.astype(np.float32) * (1 - opacity) + heat_colors(heat).astype(np.float32) * opacity
    return np.where(np.isnan(heat)[..., None], base, np.rint(blended).astype(np.uint8))


def outline(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the outline of a mask, white on black so that it is visible on every heat-map colour.

    Args:
        picture: (H, W, 3) uint8.
        mask: (H, W), above 0 is inside.

    Returns:
        (H, W, 3) uint8, a copy.

    Raises:
        InputError: the picture is not uint8, or the two do not have the same size.
    """
    mask = np.asarray(mask)
    require_shape(as_picture(picture, "pictures"), (*mask.shape, 3), "pictures")
    drawn = np.ascontiguousarray(picture).copy()
    contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, contours, -1, (0, 0, 0), 3)
    cv2.drawContours(drawn, contours, -1, (255, 255, 255), 1)
    return drawn

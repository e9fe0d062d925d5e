"""Anomalous regions of a mask: what AU-PRO gives equal weight to, however large they are."""

import numpy as np
from scipy import ndimage

_EIGHT_NEIGHBOURS = np.ones((3, 3), np.uint8)


def region_weights(mask: np.ndarray) -> np.ndarray:
    """Give every anomalous pixel the share that it is of its region.

    Regions are connected components, in which pixels also touch at corners (8 neighbours).

    Args:
        mask: (H, W) bool.

    Returns:
        (K,) float64 for the K anomalous pixels in row-major order, 1 / (area of the pixel's region); the sum is the
        number of regions.
    """
    regions, count = ndimage.label(mask, _EIGHT_NEIGHBOURS)
    region_of_pixel = regions[mask]
    return 1.0 / np.bincount(region_of_pixel, minlength=count + 1)[region_of_pixel]

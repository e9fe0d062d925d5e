"""Checks that the tables of a stored reference are as `Reference.save` writes them; the file may have been changed."""

import math
from typing import Any

import numpy as np

from pointad.reference.fpfh import LENGTH
from pointad.reference.geometry_bank import SIZES, GeometryBank
from pointad.reference.patch_bank import PatchBank

LARGEST_NUMBER = 1.01  # of a patch or of the root of a histogram, both of unit length, with what rounding adds


def patches_fit(bank: PatchBank, views: int) -> bool:
    """Whether patches of so many views may have unit length, and are in as many rows as their owners."""
    return (
        len(bank.counts) == views
        and all(type(count) is int and count >= 0 for count in bank.counts)
        and bank.descriptors.ndim == 2
        and bank.descriptors.is_floating_point()
        and bank.owners.shape == (len(bank.descriptors),) == (sum(bank.counts),)
        and bool((bank.descriptors.abs() <= LARGEST_NUMBER).all())
    )


def geometry_fits(bank: GeometryBank) -> bool:
    """Whether histograms have the length and the range of those of a scan, and are in as many rows as their owners."""
    return (
        bank.descriptors.dtype == np.float32
        and bank.descriptors.shape[1:] == (len(SIZES) * LENGTH,)
        and bank.owners.shape == (len(bank.descriptors),) != (0,)
        and bool(((bank.descriptors >= 0) & (bank.descriptors <= LARGEST_NUMBER)).all())
    )


def finite(value: Any) -> float:
    """A number from JSON.

    Raises:
        ValueError: it is something else, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r:.60} is not a finite number")
    return float(value)

"""Checks that the tables of a stored reference are as `Reference.save` writes them; the file may have been changed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointad.reference.cues import CUES, cue_powers
from pointad.reference.fpfh import LENGTH
from pointad.reference.geometry_bank import SIZES, GeometryBank
from pointad.reference.likeness import Likeness
from pointad.reference.patch_bank import PatchBank

ROUNDING = 1e-9  # of the cues' powers
AT_ONCE = 10_000  # vectors whose lengths are computed together
UNIT_TOLERANCE = 0.01  # of the lengths of patches and of roots of histograms; rounding to 16 bits moves them by 1e-4


def patches_fit(bank: PatchBank, views: int, scans: int) -> bool:
    """Whether there are patches of so many views, all of unit length, that belong to so many good scans."""
    return (
        len(bank.counts) == views
        and all(type(count) is int and count > 0 for count in bank.counts)
        and bank.descriptors.ndim == 2
        and bank.descriptors.dtype == torch.float16
        and bank.owners.shape == (len(bank.descriptors),) == (sum(bank.counts),)
        and _are_scans(bank.owners, scans)
        and _are_unit(bank.descriptors)
    )


def geometry_fits(bank: GeometryBank, scans: int) -> bool:
    """Whether histograms have the length and the range of those of a scan, and belong to so many good scans."""
    return (
        bank.descriptors.dtype == np.float32
        and bank.descriptors.shape[1:] == (len(SIZES) * LENGTH,)
        and bank.owners.shape == (len(bank.descriptors),) != (0,)
        and _are_scans(torch.from_numpy(bank.owners), scans)
        and bool((bank.descriptors >= 0).all())
        and _are_unit(torch.from_numpy(bank.descriptors))
    )


def facts_fit(
    names: Sequence[str],
    extents: Sequence[float],
    good_scores: Sequence[float],
    heat_range: Sequence[float] | None,
    powers: Mapping[str, float],
) -> bool:
    """Whether what is told about the good scans is about as many as there are names.

    Args:
        names, extents, good_scores, heat_range, powers: as in `pointad.reference.reference.Reference`.
    """
    count = len(names)
    return (
        count > 0
        and len(extents) == count
        and all(extent > 0 for extent in extents)
        and len(good_scores) == (count if count > 1 else 0)
        and all(score >= 0 for score in good_scores)
        and (heat_range is not None) == (count > 1)
        and (heat_range is None or heat_range[0] <= heat_range[1])
        and powers.keys() == set(CUES)
        and all(abs(powers[name] - power) <= ROUNDING for name, power in cue_powers(count).items())
    )


def likenesses_fit(likenesses: Sequence[Likeness], scans: int) -> bool:
    """Whether there are none, or one of each of so many good scans, with numbers as a scan has them."""
    return len(likenesses) in (0, scans) and all(
        one.count > 0
        and one.values.dtype == one.steps.dtype == np.float64
        and bool(np.isfinite(one.values).all() and (np.diff(one.values, axis=1) >= 0).all())
        and bool(np.isfinite(one.steps).all() and (one.steps >= 0).all())
        for one in likenesses
    )


def _are_unit(vectors: Tensor) -> bool:
    """Whether all have unit length, (K, D): what is zero is as far from everything as can be, or as near."""
    parts = (part.float().norm(dim=1) for part in vectors.split(AT_ONCE))
    return all(bool(((lengths - 1).abs() <= UNIT_TOLERANCE).all()) for lengths in parts)


def _are_scans(owners: Tensor, scans: int) -> bool:
    if owners.dtype != torch.int32:
        return False
    return not len(owners) or (int(owners.min()) >= 0 and int(owners.max()) < scans)


def finite(value: Any) -> float:
    """A number from JSON.

    Raises:
        ValueError: it is something else, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r:.60} is not a finite number")
    return float(value)

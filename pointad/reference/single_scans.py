"""Comparisons with good scans one by one, so that any few of them can be joined without comparing anew.

What `pointad.reference.reference` does with one bank of all good scans: the distance from the nearest of several scans
is the smallest of the distances from each, as long as their banks are not thinned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointad.reference.geometry_bank import GeometryBank, compare_geometry, gather_geometry
from pointad.reference.observation import Observation
from pointad.reference.patch_bank import PatchBank, compare_patches, gather_patches
from pointad.reference.reference import COLOR_BYTES, GEOMETRY_BYTES, PATCH_BYTES
from pointad.reference.scan_cues import distance_cues


@dataclass(frozen=True)
class SingleBank:
    """What one good scan looks like."""

    patches: PatchBank
    geometry: GeometryBank
    color: PatchBank | None  # of its RGB picture; None without one


@dataclass(frozen=True)
class Distances:
    """How far a scan lies from one good scan; V views, N patches, C centres."""

    patches: Tensor  # (V, N)
    centres: np.ndarray  # (C,)
    color: Tensor | None  # (1, N); None unless both have an RGB picture


def bank_of(scan: Observation) -> SingleBank:
    """Keep what others are compared with."""
    return SingleBank(
        patches=gather_patches([scan.patches], PATCH_BYTES),
        geometry=gather_geometry([scan.geometry], GEOMETRY_BYTES),
        color=None if scan.color is None else gather_patches([scan.color.patches], COLOR_BYTES),
    )


def distances_from(scan: Observation, good: SingleBank) -> Distances:
    """Compare a scan with one good scan."""
    own, other = scan.color, good.color
    return Distances(
        patches=compare_patches(scan.patches, good.patches),
        centres=compare_geometry(scan.geometry, good.geometry),
        color=None if own is None or other is None else compare_patches(own.patches, other),
    )


def nearest_cues(scan: Observation, found: Sequence[Distances]) -> dict[str, np.ndarray]:
    """The distance cues of a scan from the nearest of several good scans, as `distance_cues`.

    Args:
        scan: that was compared.
        found: its distances from each of them; its RGB picture counts only if all of them have one.
    """
    colors = [one.color for one in found if one.color is not None]
    return distance_cues(
        scan,
        torch.stack([one.patches for one in found]).amin(dim=0),
        np.min([one.centres for one in found], axis=0),
        torch.stack(colors).amin(dim=0) if len(colors) == len(found) else None,
    )

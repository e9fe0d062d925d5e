"""From observations of good scans to a reference, whose constants come from comparing each with the others."""

import logging
from collections.abc import Sequence

import numpy as np

from pointad.errors import InputError
from pointad.reference.cues import cue_powers, join_cues
from pointad.reference.geometry_bank import gather_geometry
from pointad.reference.observation import Observation
from pointad.reference.patch_bank import gather_patches
from pointad.reference.reference import GEOMETRY_BYTES, PATCH_BYTES, Reference, compare_cues
from pointad.reference.setting import ReferenceSetting

logger = logging.getLogger(__name__)

LOW_END = 0.5  # of the heat scale: quantile of the good scans' points
HIGH_END = 2.0  # of the heat scale: the mean of the good scans' highest values lies so many times nearer to the low end
LARGEST_RATIO = 1.5  # of the largest sides of scans of one kind of object


def build_reference(scans: Sequence[Observation], names: Sequence[str], setting: ReferenceSetting) -> Reference:
    """Make a reference.

    Args:
        scans: good scans of one kind of object, all looked at with the same setting.
        names: what errors and people call them.
        setting: how they were looked at.

    Raises:
        InputError: there is none, or one is of another size than the others.
    """
    if not scans:
        raise InputError("reference", "there is no good scan", "give at least one")
    check_extents([scan.extent for scan in scans], names)
    patches = gather_patches([scan.patches for scan in scans], PATCH_BYTES)
    geometry = gather_geometry([scan.geometry for scan in scans], GEOMETRY_BYTES)
    left_out = []
    if len(scans) > 1:
        for number, scan in enumerate(scans):
            left_out.append(compare_cues(scan, patches.without(number), geometry.without(number)))
    powers = cue_powers(len(scans))
    joined = [join_cues(cues, powers) for cues in left_out]
    values = [scan.at_points(one) for scan, one in zip(scans, joined, strict=False)]
    peaks = [float(one.max()) for one in joined]
    heat_range = None
    if values:
        low = float(np.quantile(np.concatenate(values), LOW_END))
        heat_range = (low, low + HIGH_END * max(float(np.mean(peaks)) - low, np.finfo(np.float32).tiny))
    return Reference(
        setting=setting,
        patches=patches,
        geometry=geometry,
        powers=powers,
        names=tuple(names),
        extents=tuple(scan.extent for scan in scans),
        good_scores=tuple(peaks),
        heat_range=heat_range,
    )


def check_extents(extents: Sequence[float], names: Sequence[str]) -> None:
    """Refuse a good scan that is much larger or smaller than the others: it has another unit, or is another object.

    Args:
        extents: largest sides in the unit of the scans.
        names: of the scans.

    Raises:
        InputError: one differs from their median by more than a half.
    """
    if len(extents) < 2:
        return
    middle = float(np.median(extents))
    ratios = [max(extent / middle, middle / extent) for extent in extents]
    worst = int(np.argmax(ratios))
    if ratios[worst] > LARGEST_RATIO:
        others = float(np.median([*extents[:worst], *extents[worst + 1 :]]))
        ratio = extents[worst] / others
        problem = f"its largest side is {extents[worst]:.4g}, that of the other good scans {others:.4g}"
        raise InputError(
            names[worst], f"{problem} ({ratio:.3g} times as long)", "give scans of one kind of object in one unit"
        )

"""From observations of good scans to a reference, whose constants come from comparing each with the others."""

import logging
from collections.abc import Sequence

import numpy as np

from pointad.errors import InputError, named_subjects
from pointad.reference.agreement import check_extents, warn_of_another_kind
from pointad.reference.cues import cue_powers, join_scores
from pointad.reference.geometry_bank import gather_geometry
from pointad.reference.observation import Observation
from pointad.reference.patch_bank import PatchBank, gather_patches
from pointad.reference.reference import COLOR_BYTES, GEOMETRY_BYTES, PATCH_BYTES, Reference
from pointad.reference.scan_cues import compare_cues
from pointad.reference.setting import ReferenceSetting

logger = logging.getLogger(__name__)

LOW_END = 0.5  # of the heat scale: quantile of the good scans' points
HIGH_END = 2.0  # of the heat scale: the mean of the good scans' highest values lies so many times nearer to the low end


def build_reference(scans: Sequence[Observation], names: Sequence[str], setting: ReferenceSetting) -> Reference:
    """Make a reference.

    Args:
        scans: good scans of one kind of object, all looked at with the same setting.
        names: what errors and people call them.
        setting: how they were looked at.

    Raises:
        InputError: there is none, one is of another size than the others, or its score is not finite.
    """
    if not scans:
        raise InputError("reference", "there is no good scan", "give at least one")
    check_extents([scan.extent for scan in scans], names)
    patches = gather_patches([scan.patches for scan in scans], PATCH_BYTES)
    geometry = gather_geometry([scan.geometry for scan in scans], GEOMETRY_BYTES)
    warn_of_another_kind([scan.geometry for scan in scans], geometry, names)
    color = _gather_color(scans, names)
    powers = cue_powers(len(scans))
    left_out = []
    if len(scans) > 1:
        for number, scan in enumerate(scans):
            others = None if color is None else color.without(number)
            cues = compare_cues(scan, patches.without(number), geometry.without(number), others)
            with named_subjects({"scan": names[number]}):
                left_out.append(join_scores(cues, powers, scan.at_points))
    values = [scan.at_points(one.values) for scan, one in zip(scans, left_out, strict=False)]
    heat_range = None
    if values:
        low = float(np.quantile(np.concatenate(values), LOW_END))
        peak = float(np.mean([one.values.max() for one in left_out]))
        heat_range = (low, low + HIGH_END * max(peak - low, float(np.finfo(np.float32).tiny)))
    return Reference(
        setting=setting,
        patches=patches,
        geometry=geometry,
        powers=powers,
        names=tuple(names),
        extents=tuple(scan.extent for scan in scans),
        good_scores=tuple(one.score for one in left_out),
        heat_range=heat_range,
        color=color,
    )


def _gather_color(scans: Sequence[Observation], names: Sequence[str]) -> PatchBank | None:
    """Patches of the RGB pictures; None unless all scans have one."""
    pictures = [scan.color.patches for scan in scans if scan.color is not None]
    if len(pictures) == len(scans):
        return gather_patches(pictures, COLOR_BYTES)
    if pictures:
        without = next(name for name, scan in zip(names, scans, strict=True) if scan.color is None)
        logger.warning("%s has no RGB picture, so those of the other good scans are not compared either", without)
    return None

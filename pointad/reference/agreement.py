"""Whether good scans go together: of one size, and of one kind of object as far as their bends tell."""

import logging
import re
from collections.abc import Sequence

import numpy as np

from pointad.errors import InputError
from pointad.reference.geometry_bank import GeometryBank, ScanGeometry, compare_geometry

logger = logging.getLogger(__name__)

LARGEST_RATIO = 1.5  # of the largest sides of scans of one kind of object
FEWEST_JUDGED = 3  # with two good scans nothing tells which of them is the odd one
_BESIDE = re.compile(r" of \d+|; (?:colours|not used): [^;]*")  # in readings: what says nothing of coordinates
OTHER_KIND = 2.0  # times as far from the other good scans as any of these is from the rest


def check_extents(extents: Sequence[float], names: Sequence[str]) -> None:
    """Refuse a good scan that is much larger or smaller than the others: it has another unit, or is another object.

    Args:
        extents: largest sides in the unit of the scans.
        names: of the scans.

    Raises:
        InputError: one is more than 1.5 times as long as the median of the others, or less than two thirds of it.
    """
    if len(extents) < 2:
        return
    others = [float(np.median(np.delete(extents, number))) for number in range(len(extents))]
    ratios = np.array(extents) / others
    worst = int(np.argmax(np.maximum(ratios, 1 / ratios)))
    if not 1 / LARGEST_RATIO <= ratios[worst] <= LARGEST_RATIO:
        problem = f"its largest side is {extents[worst]:.4g}, that of the other good scans {others[worst]:.4g}"
        raise InputError(
            names[worst],
            f"{problem} ({ratios[worst]:.3g} times as long)",
            "give scans of one kind of object in one unit",
        )


def another_size(extent: float, good: Sequence[float]) -> str:
    """What is to be said of a scan much larger or smaller than the good scans; empty for others.

    Args:
        extent: largest side in the unit of the scan.
        good: of the good scans, in theirs.
    """
    middle = float(np.median(good)) if len(good) else 0.0
    if not middle > 0 or max(extent / middle, middle / extent) <= LARGEST_RATIO:
        return ""
    return (
        f"is {extent / middle:.3g} times as large as the good scans (largest side {extent:.4g} instead of "
        f"{middle:.4g}): possibly another unit or another object; the size does not affect the score"
    )


def another_reading(reading: tuple[str, str], good: Sequence[tuple[str, str]]) -> str:
    """What is to be said of a scan whose file was read unlike those of good scans; empty for others.

    Args:
        reading: extension of the file, and in words how it was read.
        good: those of the good scans, of which only the ones with this extension are comparable.
    """
    extension, manner = reading
    known = dict.fromkeys(other for its, other in good if its == extension)
    if not known or _BESIDE.sub("", manner) in (_BESIDE.sub("", other) for other in known):
        return ""
    return (
        f"was not read as the good {extension} scans were: {manner}, instead of {' | '.join(known)}; the score is only "
        "meaningful if these are the same coordinates"
    )


def warn_of_another_kind(scans: Sequence[ScanGeometry], bank: GeometryBank, names: Sequence[str]) -> None:
    """Log a line if one good scan bends unlike the others, which may be another kind of object of the same size.

    Every scan is compared with all others; the mean distance of the one that lies farthest off is held against that of
    the next. It is a warning only, since good scans that vary much look like this too.

    Args:
        scans: bends of the good scans.
        bank: of all of them.
        names: of the scans.
    """
    if len(scans) < FEWEST_JUDGED:
        return
    far = np.array([compare_geometry(scan, bank.without(number)).mean() for number, scan in enumerate(scans)])
    *_, second, worst = np.argsort(far)
    ratio = far[worst] / max(far[second], np.finfo(np.float32).tiny)
    if ratio > OTHER_KIND:
        logger.warning(
            "%s may be another kind of object: its geometry is %.1f times as far from the other good scans as "
            "any other's; leave it out if it is one",
            names[worst],
            ratio,
        )

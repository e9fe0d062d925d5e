"""What scripts/predict.py works with."""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.looking_arguments import LookSettings
from pointad.commands.named_inputs import named_files
from pointad.commands.settings import DetectorSettings
from pointad.errors import InputError

NARROWEST_RANGE = 1e-7  # of heat colours
REFERENCE_CACHE = Path("results") / "references"  # unless --reference_cache says otherwise
QUANTILE = 0.95  # of the scores of --calibrate, unless --quantile says otherwise

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictSettings:
    """One run of scripts/predict.py."""

    scans: tuple[Path, ...]  # files and folders
    named_files: tuple[Path, ...]  # all that any flag names to be read: no result may replace one
    good_scans: tuple[Path, ...]  # likewise; the threshold is calibrated on their scores
    compared_with: tuple[Path, ...]  # likewise; good scans that each scan is compared with
    good_rgb: Path | None  # a folder with a picture for every one of these
    reference: Path | None  # made from such scans
    reference_cache: Path
    false_alarm_rate: float | None
    rgb: Path | None  # a picture, or a folder with one for every scan
    output: Path
    html: bool
    detector: DetectorSettings
    look: LookSettings
    threshold: float | None
    quantile: float
    region_threshold: float | None  # None: halfway from a scan's median to its peak
    heat_range: tuple[float, float] | None  # None: each scan's own

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "PredictSettings":
        """The settings that parsed flags ask for.

        Raises:
            InputError: no scan is named, or flags contradict one another.
        """
        if not flags.scans and not flags.calibrate:
            remedy = "give files or folders, before the flags (behind --good, all are good scans)"
            raise InputError("SCAN", "no scan was given", remedy if flags.good else "give files or folders")
        if flags.false_alarm_rate is not None:
            if flags.threshold is not None:
                raise InputError("--false_alarm_rate", "sets the threshold itself", "omit --threshold")
            if flags.good is None and flags.reference is None and not flags.calibrate:
                problem = "needs the scores of good scans, and none were given"
                raise InputError("--false_alarm_rate", problem, "add --good, --reference or --calibrate")
        if flags.quantile is not None and (not flags.calibrate or flags.false_alarm_rate is not None):
            problem = "only applies to a threshold from --calibrate, and would have no effect"
            raise InputError("--quantile", problem, "omit it, or omit --false_alarm_rate and add --calibrate")
        if flags.heat_range is not None and flags.heat_range[0] >= flags.heat_range[1]:
            raise InputError("--heat_range", "LOW is not below HIGH, so that defects would look good", "swap them")
        if flags.heat_range is not None and flags.heat_range[1] - flags.heat_range[0] < NARROWEST_RANGE:
            problem = f"is narrower than {NARROWEST_RANGE:g}, which scores in single precision do not tell apart"
            raise InputError("--heat_range", problem, "give a wider range")
        if flags.good_rgb is not None and flags.good is None:
            raise InputError("--good_rgb", "is for the scans of --good, and none were given", "add --good")
        if flags.reference_cache is not None and flags.good is None:
            logger.warning("--reference_cache has no effect without --good")
        return cls(
            scans=tuple(flags.scans),
            named_files=tuple(named_files(flags)),
            good_scans=tuple(flags.calibrate or ()),
            compared_with=tuple(flags.good or ()),
            good_rgb=flags.good_rgb,
            reference=flags.reference,
            reference_cache=flags.reference_cache or REFERENCE_CACHE,
            false_alarm_rate=flags.false_alarm_rate,
            rgb=flags.rgb,
            output=flags.output,
            html=flags.html,
            detector=DetectorSettings.from_flags(flags),
            look=LookSettings.from_flags(flags),
            threshold=flags.threshold,
            quantile=QUANTILE if flags.quantile is None else flags.quantile,
            region_threshold=flags.region_threshold,
            heat_range=None if flags.heat_range is None else (flags.heat_range[0], flags.heat_range[1]),
        )

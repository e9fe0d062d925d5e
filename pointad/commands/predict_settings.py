"""What scripts/predict.py works with."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.settings import DetectorSettings
from pointad.errors import InputError
from pointad.scans.reading_options import OWN_DATA_CLUSTERS, ClusterRule


@dataclass(frozen=True)
class PredictSettings:
    """One run of scripts/predict.py."""

    scans: tuple[Path, ...]  # files and folders
    good_scans: tuple[Path, ...]  # likewise; their scores tell the threshold
    rgb: Path | None  # a picture, or a folder with one for every scan
    output: Path
    html: bool
    detector: DetectorSettings
    rig: str
    sigma: float
    remove_table: bool
    metres_per_unit: float
    keep_clusters: ClusterRule
    threshold: float | None
    quantile: float
    region_threshold: float | None  # None: halfway from a scan's median to its peak
    heat_range: tuple[float, float] | None  # None: each scan's own
    seed: int

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "PredictSettings":
        """The settings that parsed flags ask for.

        Raises:
            InputError: no scan is named.
        """
        if not flags.scans and not flags.calibrate:
            raise InputError("SCAN", "none is named", "name files or folders")
        return cls(
            scans=tuple(flags.scans),
            good_scans=tuple(flags.calibrate or ()),
            rgb=flags.rgb,
            output=flags.output,
            html=flags.html,
            detector=DetectorSettings.from_flags(flags),
            rig=flags.rig,
            sigma=flags.sigma,
            remove_table=flags.remove_table,
            metres_per_unit=flags.metres_per_unit,
            keep_clusters=OWN_DATA_CLUSTERS if flags.keep_clusters is None else flags.keep_clusters,
            threshold=flags.threshold,
            quantile=flags.quantile,
            region_threshold=flags.region_threshold,
            heat_range=None if flags.heat_range is None else (flags.heat_range[0], flags.heat_range[1]),
            seed=flags.seed,
        )

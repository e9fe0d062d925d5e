"""What scripts/reference.py works with."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.settings import DetectorSettings
from pointad.scans.reading_options import OWN_DATA_CLUSTERS, ClusterRule


@dataclass(frozen=True)
class ReferenceSettings:
    """One run of scripts/reference.py."""

    good: tuple[Path, ...]  # files and folders
    rgb: Path | None  # a folder with a picture for every one of these
    output: Path
    detector: DetectorSettings
    rig: str
    sigma: float
    remove_table: bool
    metres_per_unit: float
    keep_clusters: ClusterRule
    seed: int

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "ReferenceSettings":
        """The settings that parsed flags ask for."""
        return cls(
            good=tuple(flags.good),
            rgb=flags.rgb,
            output=flags.output,
            detector=DetectorSettings.from_flags(flags),
            rig=flags.rig,
            sigma=flags.sigma,
            remove_table=flags.remove_table,
            metres_per_unit=flags.metres_per_unit,
            keep_clusters=OWN_DATA_CLUSTERS if flags.keep_clusters is None else flags.keep_clusters,
            seed=flags.seed,
        )

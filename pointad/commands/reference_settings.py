"""What scripts/reference.py works with."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.reading_arguments import kept_clusters
from pointad.commands.rig_arguments import rig_and_views
from pointad.commands.settings import DetectorSettings
from pointad.data.view_subset import ViewChoice
from pointad.scans.reading_options import ClusterRule


@dataclass(frozen=True)
class ReferenceSettings:
    """One run of scripts/reference.py."""

    good: tuple[Path, ...]  # files and folders
    rgb: Path | None  # a folder with a picture for every one of these
    output: Path
    detector: DetectorSettings
    rig: str
    views: ViewChoice
    sigma: float
    remove_table: bool
    metres_per_unit: float
    keep_clusters: ClusterRule
    seed: int

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "ReferenceSettings":
        """The settings that parsed flags ask for."""
        rig, views = rig_and_views(flags.rig, flags.views)
        return cls(
            good=tuple(flags.good),
            rgb=flags.rgb,
            output=flags.output,
            detector=DetectorSettings.from_flags(flags),
            rig=rig,
            views=views,
            sigma=flags.sigma,
            remove_table=flags.remove_table,
            metres_per_unit=flags.metres_per_unit,
            keep_clusters=kept_clusters(flags),
            seed=flags.seed,
        )

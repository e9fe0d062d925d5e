"""The flags that control how single scans are rendered and scored, and what they ask for."""

import argparse
from dataclasses import dataclass, fields
from typing import Any

from pointad.commands.argument_types import blur_in_pixels
from pointad.commands.reading_arguments import add_table_arguments, kept_clusters
from pointad.commands.rig_arguments import add_named_rig_argument, rig_and_views, view_or_count
from pointad.data.view_subset import ViewChoice
from pointad.scans.reading_options import ClusterRule
from pointad.scoring.options import DEFAULT_SIGMA


@dataclass(frozen=True)
class LookSettings:
    """How single scans are looked at: arguments of `PointAD.predict` and `PointAD.make_reference`, by their names."""

    rig: str
    views: ViewChoice
    sigma: float
    remove_table: bool
    metres_per_unit: float
    keep_clusters: ClusterRule
    seed: int

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "LookSettings":
        """The settings that parsed flags ask for."""
        rig, views = rig_and_views(flags.rig, flags.views)
        return cls(
            rig=rig,
            views=views,
            sigma=flags.sigma,
            remove_table=flags.remove_table,
            metres_per_unit=flags.metres_per_unit,
            keep_clusters=kept_clusters(flags),
            seed=flags.seed,
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """These as keyword arguments."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def add_looking_arguments(parser: argparse.ArgumentParser) -> None:
    """How single scans are rendered and scored."""
    group = parser.add_argument_group("views and preparation")
    add_named_rig_argument(group)
    group.add_argument(
        "--views",
        nargs="+",
        type=view_or_count,
        metavar="VIEW",
        help="number of the rig's views to use, or other directions: rotations about x or y in degrees, such as "
        "x-45 x0 y30 (default: all views of the rig)",
    )
    group.add_argument(
        "--sigma",
        type=blur_in_pixels,
        default=DEFAULT_SIGMA,
        help="standard deviation of the Gaussian smoothing, in pixels of the scan's grid or, without one, of the "
        "views; 0 disables it",
    )
    add_table_arguments(group)

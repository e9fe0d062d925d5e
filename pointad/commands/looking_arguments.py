"""The flags that control how single scans are rendered and scored."""

import argparse

from pointad.commands.program import blur_in_pixels, positive_float
from pointad.commands.reading_arguments import add_cluster_argument
from pointad.commands.rig_arguments import add_named_rig_argument, view_or_count
from pointad.scoring.options import DEFAULT_SIGMA


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
    group.add_argument("--remove_table", action="store_true", help="remove the plane that an organized scan lies on")
    group.add_argument(
        "--metres_per_unit",
        type=positive_float,
        default=1.0,
        help="unit of the scans in metres, such as 0.001 for millimetres (for --remove_table)",
    )
    add_cluster_argument(group)

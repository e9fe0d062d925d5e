"""The flags for what the files of raw scans do not say: unit, clusters, good folder, empty masks."""

import argparse
import logging

from pointad.commands.argument_types import positive_float
from pointad.errors import InputError
from pointad.scans.cleaning import cluster_rule
from pointad.scans.reading_options import OWN_DATA_CLUSTERS, ClusterRule, ReadingOptions

logger = logging.getLogger(__name__)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """How the scans of a raw data set are read; all defaults are those of the published data sets."""
    group = parser.add_argument_group("raw scans")
    group.add_argument(
        "--metres_per_unit",
        type=positive_float,
        help="unit of the raw scans in metres: 0.001 for millimetres (default: the data set's own, metres for "
        "MVTec 3D-AD and Eyecandies, millimetres for Real3D-AD)",
    )
    _add_cluster_argument(group, "largest for MVTec 3D-AD's classes, as published")
    group.add_argument(
        "--good_folder",
        metavar="NAME",
        help="name of another folder of samples without a defect; folders called good, ok, normal, defect_free or "
        "no_defect, in upper or lower case, always count",
    )
    group.add_argument(
        "--allow_empty_masks",
        action="store_true",
        help="accept anomalous samples with an empty mask; tests count them for image-level metrics only, and training "
        "learns from them as they are",
    )


def add_table_arguments(group: argparse._ActionsContainer) -> None:
    """Whether the table below single scans is removed, and how."""
    group.add_argument("--remove_table", action="store_true", help="remove the plane that an organized scan lies on")
    group.add_argument(
        "--metres_per_unit",
        type=positive_float,
        default=1.0,
        help="unit of the scans in metres, such as 0.001 for millimetres (for --remove_table)",
    )
    _add_cluster_argument(group)


def _add_cluster_argument(group: argparse._ActionsContainer, published: str = "") -> None:
    """Which clusters of points are kept after the table is removed."""
    default = f"{published}; {OWN_DATA_CLUSTERS} for others" if published else str(OWN_DATA_CLUSTERS)
    where = "with --dataset mvtec_pc_3d_rgb only: " if published else ""
    group.add_argument(
        "--keep_clusters",
        type=_rule,
        metavar="all|largest|FRACTION",
        help=f"{where}clusters of points (DBSCAN, 6 mm) to keep after the table is removed: all, the largest, or those "
        f"with more than this fraction of the points (default: {default})",
    )


def kept_clusters(flags: argparse.Namespace) -> ClusterRule:
    """The rule that parsed flags of single scans ask for; flags that nothing but the table's removal needs are told."""
    if not flags.remove_table:
        for name, usual in (("keep_clusters", None), ("metres_per_unit", 1.0)):
            if getattr(flags, name) != usual:
                logger.warning("--%s has no effect without --remove_table", name)
    return OWN_DATA_CLUSTERS if flags.keep_clusters is None else flags.keep_clusters


def reading_options(flags: argparse.Namespace) -> ReadingOptions:
    """The options that parsed flags ask for."""
    return ReadingOptions(
        metres_per_unit=flags.metres_per_unit,
        keep_clusters=flags.keep_clusters,
        good_folder=flags.good_folder,
        allow_empty_masks=flags.allow_empty_masks,
    )


def _rule(text: str) -> ClusterRule:
    try:
        return cluster_rule(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error.problem}; {error.remedy}") from None

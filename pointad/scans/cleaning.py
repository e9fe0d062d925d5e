"""Removes the table and stray points from an organized scan, so that only the object remains.

The steps are the usual pre-processing of MVTec 3D-AD (Horwitz and Hoshen, "Back to the feature", CVPR workshops 2023),
which PointAD follows. A step that does not apply leaves the scan unchanged and logs the reason.
"""

import logging
from dataclasses import replace

import numpy as np

from pointad.compute.argument_kinds import as_number, shown_argument
from pointad.compute.written_numbers import as_written
from pointad.errors import InputError
from pointad.scans.clusters import cluster_labels
from pointad.scans.plane import fit_plane
from pointad.scans.point_cloud import OrganizedScan
from pointad.scans.reading_options import ALL_CLUSTERS, LARGEST_CLUSTER, ClusterRule

logger = logging.getLogger(__name__)

BORDER = 10  # pixels; only the table is visible there
PLANE_THRESHOLD = 0.004  # metres; greatest distance of border points from their plane
PLANE_SAMPLE = 50  # points that a candidate plane is fitted to
PLANE_ITERATIONS = 1000  # candidate planes
TABLE_THICKNESS = 0.005  # metres; points closer to the plane than this belong to the table
LONGEST_PROPORTION = 4  # of the sides of a scan
SIDE_STEP = 100  # pixels; sides are rounded up to a multiple of this
CLUSTER_RADIUS = 0.006  # metres
CLUSTER_MIN_POINTS = 30
FARTHEST = 1e12  # metres, beyond which cells of millimetres cannot be counted
NOTABLE_LOSS = 0.02  # share of an object's points whose removal is worth a warning

_SEED = 0  # cleaning a scan is reproducible


def clean_scan(
    scan: OrganizedScan, name: str, kept_clusters: ClusterRule = LARGEST_CLUSTER, metres_per_unit: float = 1.0
) -> OrganizedScan:
    """Remove the table, pad to a square and remove stray clusters.

    Args:
        scan: in any unit.
        name: of the scan, for the log.
        kept_clusters: which clusters to keep, see `keep_clusters`.
        metres_per_unit: size of the scan's unit.

    Returns:
        A new scan in metres with square sides; removed points are (0, 0, 0) and black.

    Raises:
        InputError: the scan is more than four times as long as wide, or beyond all distances in metres.
    """
    check_proportions(scan.xyz.shape[0], scan.xyz.shape[1], name)
    reach = metres_per_unit * float(np.abs(scan.xyz[points_present(scan.xyz)]).max(initial=0))
    if reach > FARTHEST:
        problem = f"has points {reach:.3g} m away, where no table can be found"
        raise InputError(name, problem, "give its unit, such as --metres_per_unit 0.001")
    scan = replace(scan, xyz=scan.xyz * metres_per_unit)
    return keep_clusters(pad_to_square(remove_table(scan, name)), name, kept_clusters)


def remove_table(scan: OrganizedScan, name: str) -> OrganizedScan:
    """Fit a plane to the border of the scan and remove every point near it.

    The scan is returned unchanged if its border has too few points, if they do not determine a plane, or if no point
    lies off the plane.
    """
    border = border_points(scan.xyz)
    if len(border) < PLANE_SAMPLE:
        logger.warning(
            "%s: only %d points on the border, too few to find the table; nothing is removed", name, len(border)
        )
        return scan
    plane = fit_plane(
        border,
        threshold=PLANE_THRESHOLD,
        sample_size=PLANE_SAMPLE,
        iterations=PLANE_ITERATIONS,
        rng=np.random.default_rng(_SEED),
    )
    if plane is None:
        logger.warning("%s: the points on the border do not determine a plane; nothing is removed", name)
        return scan
    present = points_present(scan.xyz)
    removed = present.copy()
    removed[present] = plane.distances(scan.xyz[present].astype(np.float64)) < TABLE_THICKNESS
    if removed.sum() == present.sum():
        where = f"within {TABLE_THICKNESS * 1000:g} mm of the plane of the border"
        logger.warning("%s: all points lie %s; nothing is removed", name, where)
        return scan
    return _without(scan, removed)


def pad_to_square(scan: OrganizedScan) -> OrganizedScan:
    """Pad the scan evenly with holes to a square: its longer side, rounded up to the next 100 pixels."""
    height, width = scan.xyz.shape[:2]
    side = -(-max(height, width) // SIDE_STEP) * SIDE_STEP
    rows = ((side - height) // 2, side - height - (side - height) // 2)
    columns = ((side - width) // 2, side - width - (side - width) // 2)

    def pad(values: np.ndarray) -> np.ndarray:
        return np.pad(values, (rows, columns) + ((0, 0),) * (values.ndim - 2))

    return OrganizedScan(
        xyz=pad(scan.xyz),
        rgb=None if scan.rgb is None else pad(scan.rgb),
        mask=None if scan.mask is None else pad(scan.mask),
    )


def keep_clusters(scan: OrganizedScan, name: str, rule: ClusterRule = LARGEST_CLUSTER) -> OrganizedScan:
    """Remove the points that lie outside the DBSCAN clusters to keep.

    The share of points removed is logged, as a warning if it exceeds 2 %: an object that the sensor captures in
    several pieces loses parts under the published rule.

    Args:
        scan: in metres.
        name: of the scan, for the log.
        rule: "largest" keeps the largest cluster (the published rule for MVTec 3D-AD), "all" keeps every point, and a
            fraction keeps every cluster with more than this share of the points.

    Returns:
        A new scan, or the given one if nothing is removed or no cluster qualifies.
    """
    if rule == ALL_CLUSTERS:
        return scan
    present = points_present(scan.xyz)
    labels = cluster_labels(scan.xyz[present], radius=CLUSTER_RADIUS, min_points=CLUSTER_MIN_POINTS)
    sizes = np.bincount(labels[labels >= 0])
    if not len(sizes):
        logger.warning("%s: no cluster found among %d points; all are kept", name, len(labels))
        return scan
    if rule == LARGEST_CLUSTER:
        wanted = np.arange(len(sizes)) == sizes.argmax()  # the first one of equal size
    else:
        wanted = sizes > float(rule) * len(labels)
    if not wanted.any():
        logger.warning("%s: none of its %d clusters is large enough; all points are kept", name, len(sizes))
        return scan
    kept = (labels >= 0) & wanted[labels]
    lost = 1 - kept.mean()
    if lost:
        logger.log(
            logging.WARNING if lost > NOTABLE_LOSS else logging.INFO,
            "%s: %.1f %% of the points were removed as stray (%d of %d clusters kept)",
            name,
            100 * lost,
            wanted.sum(),
            len(sizes),
        )
    removed = present.copy()
    removed[present] = ~kept
    return _without(scan, removed)


def check_proportions(height: int, width: int, name: str) -> None:
    """Refuse long strips: padded to a square, they would waste memory and cover only a few columns of the grid.

    Raises:
        InputError: one side is more than four times the other.
    """
    if max(height, width) > LONGEST_PROPORTION * min(height, width):
        problem = f"is {height} x {width} pixels, too elongated for a square grid"
        remedy = (
            f"cut it into pieces at most {LONGEST_PROPORTION} times as long as wide, or give an unorganized (points, 3)"
        )
        raise InputError(name, problem, remedy)


def cluster_rule(rule: str | float) -> ClusterRule:
    """A cluster rule: "all", "largest", or a fraction of at least 0 and below 1, which may be written as a text.

    Raises:
        InputError: it is none of these.
    """
    if isinstance(rule, str) and rule in (ALL_CLUSTERS, LARGEST_CLUSTER):
        return rule
    try:
        fraction = float(as_written(rule)) if isinstance(rule, str) else as_number(rule, "clusters")
    except (ValueError, InputError):
        fraction = -1.0
    if not 0 <= fraction < 1:
        remedy = "use all, largest, or a fraction such as 0.01"
        raise InputError(shown_argument("clusters", rule), "is not a valid rule", remedy)
    return fraction


def points_present(xyz: np.ndarray) -> np.ndarray:
    """Flags (H, W) of the pixels that hold a point: finite and not a hole."""
    # A sum is finite only if its parts are: three times as fast as checking each one.
    with np.errstate(invalid="ignore"):
        return np.isfinite(xyz[..., 0] + xyz[..., 1] + xyz[..., 2]) & (xyz[..., 2] != 0)


def border_points(xyz: np.ndarray) -> np.ndarray:
    """The points (N, 3) float64 within 10 pixels of the edge of the scan."""
    border = points_present(xyz)
    border[BORDER:-BORDER, BORDER:-BORDER] = False
    return xyz[border].astype(np.float64)


def _without(scan: OrganizedScan, removed: np.ndarray) -> OrganizedScan:
    outside = removed[..., None]
    return replace(
        scan,
        xyz=np.where(outside, np.float32(0), scan.xyz),
        rgb=None if scan.rgb is None else np.where(outside, np.uint8(0), scan.rgb),
    )

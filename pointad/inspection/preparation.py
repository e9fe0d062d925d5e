"""Brings a scan of any size, unit and pose to what the views need, and remembers where every point of it went.

What is done, in this order: points that are not measurements, and strays far outside, are removed; on request the
table is removed; organized scans are padded to a square and brought to the 336 x 336 grid, other clouds are thinned to
at most as many points and, where they are rendered from all around, aligned with their principal axes; the cloud is
centred and scaled to an extent of 0.1, as if its unit were the metre and it as large as the objects that the rigs were
made for.
"""

import dataclasses
import logging
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from pointad.compute.argument_kinds import as_choice
from pointad.compute.searches import nearest_in_threads
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.datasets.real3d import REAL3D_RIG
from pointad.errors import InputError
from pointad.inspection.array_checks import checked_arrays
from pointad.inspection.extent import check_count, check_extent
from pointad.inspection.pose import principal_axes
from pointad.inspection.strays import strays, warn_of_far_points
from pointad.inspection.thinning import thin_evenly
from pointad.rendering.camera import rotate_about_x
from pointad.rendering.point_size import closing_point_size
from pointad.rendering.views import View, ViewRig, rotation_matrix
from pointad.scans.cleaning import check_proportions, clean_scan, pad_to_square, points_present
from pointad.scans.grid import GRID_SIZE, cloud_from_scan, nearest_indices
from pointad.scans.point_cloud import OrganizedScan, PointCloud
from pointad.scans.point_hashes import distinct_points
from pointad.scans.reading_options import OWN_DATA_CLUSTERS, ClusterRule
from pointad.scans.units import warn_of_unit
from pointad.scans.viewing_axes import measured_pixels, reading_of_axes

logger = logging.getLogger(__name__)

EXTENT = 0.1  # largest side of the cloud's box after scaling; the radii of the rigs hold whole neighbourhoods then
ASPECT_TOLERANCE = 0.02  # between a picture and its scan
PLACES = GRID_SIZE * GRID_SIZE
FRONT_RIG = MVTEC3D_RIG  # for scans from one side: directions around +z, as depth cameras look
AROUND_RIG = dataclasses.replace(REAL3D_RIG, point_size=None)  # for closed shapes: directions all around the x axis
_ENDS = (View("y", 90.0), View("y", -90.0))  # of that axis, which no view about it faces
ALL_SIDES_RIG = dataclasses.replace(AROUND_RIG, views=AROUND_RIG.views + _ENDS)


@dataclass(frozen=True)
class PreparedScan:
    """A scan ready to be rendered; N original points (H * W for organized scans), M of them rendered."""

    point_cloud: PointCloud  # M points, centred and scaled, with their places on the 336 x 336 grid
    organized: bool
    rig: ViewRig
    color: np.ndarray | None  # (H, W, 3) uint8, padded as the scan is
    source: np.ndarray  # (M,) int64, which original point each rendered point is
    place: np.ndarray  # (N,) int32, the place whose score an original point takes; -1: it is ignored
    center: np.ndarray  # (3,) in the original unit
    scale: float  # extents after over before scaling
    rotation: np.ndarray  # (3, 3), from original axes to those of the rendered cloud

    def display_rotation(self, view: View) -> np.ndarray:
        """(3, 3), from original axes to those of that view's picture: x right, y up, z towards the viewer."""
        return view.rotation @ rotation_matrix("x", self.rig.first_rotation) @ self.rotation


def prepare(
    points: np.ndarray,
    colors: np.ndarray | None,
    rgb: np.ndarray | None,
    rig: ViewRig | str,
    *,
    remove_table: bool = False,
    metres_per_unit: float = 1.0,
    keep_clusters: ClusterRule = OWN_DATA_CLUSTERS,
    seed: int = 0,
    name: str = "scan",
) -> PreparedScan:
    """Check the arrays and prepare them as what they are; the arguments are those of `PointAD.predict`.

    Raises:
        InputError: the arrays do not match, or hold too few points.
    """
    points, picture = checked_arrays(points, colors, rgb, remove_table=remove_table, name=name)
    organized = points.ndim == 3
    chosen = choose_rig(rig, organized)
    if not organized:
        return prepare_cloud(points, chosen, seed=seed, name=name)
    return prepare_organized(
        points,
        picture,
        chosen,
        remove_table=remove_table,
        metres_per_unit=metres_per_unit,
        keep_clusters=keep_clusters,
        name=name,
    )


def choose_rig(rig: ViewRig | str, organized: bool) -> ViewRig:
    """The rig that a name stands for.

    Args:
        rig: a rig; "front", for scans from one side; "around", for closed shapes; "all_sides", for closed shapes with
            the ends of their longest axis; "auto", "front" for organized scans and "around" for others.
        organized: whether the scan has a pixel grid.

    Raises:
        InputError: the name is unknown.
    """
    if isinstance(rig, ViewRig):
        return rig
    automatic = FRONT_RIG if organized else AROUND_RIG
    names = {"auto": automatic, "front": FRONT_RIG, "around": AROUND_RIG, "all_sides": ALL_SIDES_RIG}
    return names[as_choice(rig, "rig", names)]


def prepare_organized(
    xyz: np.ndarray,
    rgb: np.ndarray | None,
    rig: ViewRig,
    *,
    remove_table: bool = False,
    metres_per_unit: float = 1.0,
    keep_clusters: ClusterRule = OWN_DATA_CLUSTERS,
    name: str = "scan",
) -> PreparedScan:
    """Prepare a scan on a pixel grid.

    Args:
        xyz: (H, W, 3) floating point; holes are not finite or have z == 0; strays become holes.
        rgb: (h, w, 3) uint8 picture of the same field of view, any size of the same proportions; None: there is none.
        rig: from where it is looked at.
        remove_table: fit a plane to the border of the scan, remove what lies on it and stray clusters.
        metres_per_unit: size of the scan's unit; the distances of that removal are in metres.
        keep_clusters: which clusters are not stray, see `pointad.scans.cleaning.keep_clusters`.
        name: of the scan, for the log.

    Raises:
        InputError: too few points remain, they have no extent, the picture has other proportions, or the scan is more
            than four times as long as wide.
    """
    height, width = xyz.shape[:2]
    check_proportions(height, width, "scan")
    usable, rotation = measured_pixels(xyz)
    reading = reading_of_axes(xyz, usable, rotation)
    if reading is not None:
        words, is_warning = reading
        logger.log(logging.WARNING if is_warning else logging.INFO, "%s: %s", name, words)
    if rotation[2, 2] != 1:
        xyz = np.where(usable[..., None], xyz, 0) @ rotation.T.astype(xyz.dtype)
        if not xyz[usable][:, 2].all():  # from here on, a z of 0 is a hole
            xyz[..., 2] += 2 * np.abs(xyz[usable]).max()
    usable[usable] = ~strays(xyz[usable], name)
    scan = OrganizedScan(np.where(usable[..., None], xyz, 0), None if rgb is None else _fit(rgb, width, height, name))
    if remove_table:
        cleaned = clean_scan(scan, name, keep_clusters, metres_per_unit)
        warn_of_unit(cleaned.xyz[points_present(cleaned.xyz)], metres_per_unit, name)
    else:
        cleaned = scan if height == width else pad_to_square(scan)
    side = cleaned.xyz.shape[0]
    top, left = (side - height) // 2, (side - width) // 2
    cloud = cloud_from_scan(cleaned)
    assert cloud.nonzero_indices is not None
    present = points_present(cleaned.xyz)[top : top + height, left : left + width]
    check_count(int(present.sum()), len(cloud.points))
    check_extent(cloud.points)
    warn_of_far_points(cloud.points, name)

    rows, columns = np.divmod(cloud.nonzero_indices.astype(np.int64), GRID_SIZE)
    taken = nearest_indices(side, GRID_SIZE)
    source = (taken[rows] - top) * width + (taken[columns] - left)
    cell = ((np.arange(side) + 0.5) * GRID_SIZE / side).astype(np.int32)
    place = cell[top : top + height, None] * GRID_SIZE + cell[None, left : left + width]
    points, center, scale = _centred_and_scaled(cloud.points)
    return PreparedScan(
        point_cloud=dataclasses.replace(cloud, points=points, colors=None),
        organized=True,
        rig=rig,
        color=cleaned.rgb,
        source=source,
        place=np.where(present, place, -1).ravel().astype(np.int32),
        center=center,
        scale=scale,
        rotation=rotation,
    )


def prepare_cloud(points: np.ndarray, rig: ViewRig, *, seed: int = 0, name: str = "scan") -> PreparedScan:
    """Prepare a cloud without a grid.

    Points that are not finite, and points at exactly (0, 0, 0) when there are several of them, are not measurements.
    Equal points count once: they say no more, and would turn the axes.

    Args:
        points: (N, 3) floating point.
        rig: the view directions; the cloud is aligned with its principal axes only for AROUND_RIG and ALL_SIDES_RIG.
        seed: of the thinning.
        name: of the scan, for the log.

    Raises:
        InputError: too few points remain, or they have no extent.
    """
    measured = np.isfinite(points).all(axis=1)
    at_origin = (points == 0).all(axis=1)
    if at_origin.sum() > 1:
        measured &= ~at_origin
    numbers = np.flatnonzero(measured)
    first, equal = distinct_points(points[numbers])
    if len(first) < len(numbers):
        repeated = len(numbers) - len(first)
        logger.info("%s: %d of %d points repeat the position of another and count once", name, repeated, len(numbers))
    taking_part = ~strays(points[numbers[first]], name)
    numbers_taken = numbers[first[taking_part]]
    original = points[numbers_taken].astype(np.float64)
    check_count(len(original))
    check_extent(original)
    warn_of_far_points(original, name)
    chosen = thin_evenly(original, PLACES, seed)
    centred, center, scale = _centred_and_scaled(original)
    rotation = principal_axes(centred[chosen]) if rig in (AROUND_RIG, ALL_SIDES_RIG) else np.eye(3)
    if len(chosen) == len(original):
        nearest = np.arange(len(original))
    else:
        tree = cKDTree(centred[chosen], balanced_tree=False, compact_nodes=False)
        nearest = nearest_in_threads(tree, centred)
    place_of_first = np.full(len(first), -1, dtype=np.int32)
    place_of_first[taking_part] = nearest
    place = np.full(len(points), -1, dtype=np.int32)
    place[numbers] = place_of_first[equal]
    rendered = centred[chosen] @ rotation.T
    return PreparedScan(
        point_cloud=PointCloud(rendered, nonzero_indices=np.arange(len(chosen), dtype=np.int32)),
        organized=False,
        rig=closed_by(rig, rendered),
        color=None,
        source=numbers_taken[chosen],
        place=place,
        center=center,
        scale=scale,
        rotation=rotation,
    )


def closed_by(rig: ViewRig, points: np.ndarray) -> ViewRig:
    """The rig with a point size that closes the surface of a cloud (N, 3) without a grid; a size of its own stays."""
    if rig.point_size is not None:
        return rig
    turned = rotate_about_x(np.ascontiguousarray(points.T, dtype=np.float64), rig.first_rotation)
    return dataclasses.replace(rig, point_size=closing_point_size(turned, rig.window))


def _centred_and_scaled(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    center = (low + high) / 2
    scale = EXTENT / float((high - low).max())
    return (points - center) * scale, center, scale


def _fit(rgb: np.ndarray, width: int, height: int, name: str) -> np.ndarray:
    if rgb.shape[:2] == (height, width):
        return rgb
    expected, found = width * rgb.shape[0], height * rgb.shape[1]
    if abs(expected - found) > max(ASPECT_TOLERANCE * expected, width, height):
        size = f"{rgb.shape[1]} x {rgb.shape[0]}"
        problem = f"is {size} pixels, which does not match the scan's proportions, {width} x {height}"
        raise InputError("RGB picture", problem, "give a picture with the scan's field of view")
    if 2 * rgb.shape[1] < width:
        logger.warning("%s: the RGB picture of %d x %d pixels is coarser than the scan", name, *rgb.shape[1::-1])
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC))

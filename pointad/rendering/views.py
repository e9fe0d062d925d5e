"""From which directions, through which window and with which point size a scan is photographed.

The three rigs are those that the released PointAD weights were trained with (PointAD, appendix on implementation).
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from pointad.errors import InputError


@dataclass(frozen=True)
class View:
    """One direction of looking: the cloud is turned about an axis through its mean, the camera stays."""

    axis: str  # "x" (to the right) or "y" (up)
    degrees: float

    def __post_init__(self) -> None:
        if self.axis not in ("x", "y"):
            raise InputError(f"view axis {self.axis!r}", "is not an axis of rotation", "use x or y")

    @property
    def rotation(self) -> np.ndarray:
        """The turn as a (3, 3) float64 matrix, to be applied to column vectors."""
        return rotation_matrix(self.axis, math.radians(self.degrees))


@dataclass(frozen=True)
class ViewRig:
    """How the scans of one class are photographed; window and point sizes are whole pixels."""

    views: tuple[View, ...]  # in the order of the files view_0, view_1, ...
    window: int  # width and height of the window that the views are drawn in, before they are resized
    gt_window: int  # the same for the ground truth
    point_size: int | None  # side of the square that a point covers in the window; None: from the points' spacing
    gt_point_size: int  # the same for the ground truth
    first_rotation: float  # radians about x, applied about the origin before every view
    normal_radius: float  # normals come from the neighbours within this distance, in the data set's unit ...
    normal_neighbours: int  # ... and from at most this many of them
    steps_back: bool  # whether the camera retreats until it sees every point


def rotation_matrix(axis: str, radians: float) -> np.ndarray:
    """The rotation about "x" or "y" as a (3, 3) float64 matrix, to be applied to column vectors."""
    cosine, sine = math.cos(radians), math.sin(radians)
    if axis == "x":
        return np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    return np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])


def _views(about_x: tuple[float, ...], about_y: tuple[float, ...] = ()) -> tuple[View, ...]:
    return tuple(View("x", angle) for angle in about_x) + tuple(View("y", angle) for angle in about_y)


MVTEC3D_RIG = ViewRig(
    views=_views((-45, -15, 0, 15, 45), (-30, -15, 15, 30)),
    window=1024,
    gt_window=1036,
    point_size=None,  # differs by class, see rig_for
    gt_point_size=6,
    first_rotation=math.pi,
    normal_radius=0.1,
    normal_neighbours=50,
    steps_back=False,
)
EYECANDIES_RIG = ViewRig(
    views=_views((-30, -15, 0, 10, 20), (-30, -15, 15, 30)),
    window=1036,
    gt_window=1036,
    point_size=10,
    gt_point_size=6,
    first_rotation=math.pi / 4,
    normal_radius=0.1,
    normal_neighbours=50,
    steps_back=True,
)
REAL3D_RIG = ViewRig(
    views=_views((-144, -108, -72, -36, 0, 36, 72, 108, 144)),
    window=1036,
    gt_window=1036,
    point_size=12,
    gt_point_size=6,
    first_rotation=math.pi,
    normal_radius=0.8,
    normal_neighbours=30,
    steps_back=False,
)

_RIGS = {"mvtec_pc_3d_rgb": MVTEC3D_RIG, "eye_pc_3d_rgb": EYECANDIES_RIG, "real_pc_3d_rgb": REAL3D_RIG}
_MVTEC3D_POINT_SIZES = {
    "bagel": 7,
    "cable_gland": 12,
    "carrot": 7,
    "cookie": 6,
    "dowel": 10,
    "foam": 8,
    "peach": 7,
    "potato": 8,
    "rope": 5,
    "tire": 8,
}


def rig_for(dataset_name: str, class_name: str) -> ViewRig:
    """The rig of one class of a data set.

    Args:
        dataset_name: mvtec_pc_3d_rgb, eye_pc_3d_rgb or real_pc_3d_rgb.
        class_name: the class; one that MVTec 3D-AD does not have gets a point size from the points' spacing.

    Raises:
        InputError: the data set is unknown.
    """
    if dataset_name not in _RIGS:
        raise InputError(f"data set {dataset_name!r}", "has no view rig", f"use one of {', '.join(_RIGS)}")
    rig = _RIGS[dataset_name]
    if rig is MVTEC3D_RIG:
        return dataclasses.replace(rig, point_size=_MVTEC3D_POINT_SIZES.get(class_name))
    return rig

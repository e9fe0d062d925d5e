"""View rigs: the directions, the window and the point size that a scan is rendered with.

The rigs themselves are defined with their data sets in `pointad.datasets`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pointad.compute.argument_kinds import as_number, as_switch, as_whole_number, shown_argument
from pointad.errors import InputError

DECIMALS = 9  # of an angle in degrees
MOST_DEGREES = 1e9
_NAME = re.compile(r"([xy])([+-]?\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
LARGEST_WINDOW = 16_384  # pixels
MOST_VIEWS = 1000  # of a rig, each of which takes 0.7 MB a scan; the published ones have nine
_SAME = 1e-6  # radians between two directions that no picture tells apart


@dataclass(frozen=True)
class View:
    """One viewing direction: the cloud is rotated about an axis through its mean, the camera stays fixed."""

    axis: str  # "x" (to the right) or "y" (up)
    degrees: float  # rounded to nine decimals, as they are written

    def __post_init__(self) -> None:
        _require_axis(self.axis)
        degrees = as_number(self.degrees, f"view {self.axis}, degrees")
        if not abs(degrees) < MOST_DEGREES:
            remedy = f"give a finite number of degrees, below {MOST_DEGREES:.0g}"
            raise InputError(f"view {self.axis}{degrees:g}", "is not an angle", remedy)
        object.__setattr__(self, "degrees", round(degrees, DECIMALS) + 0.0)  # -0 becomes 0

    @property
    def name(self) -> str:
        """The direction as it is written on the command line, such as "x-45"."""
        return f"{self.axis}{self.angle}"

    @property
    def angle(self) -> str:
        """The degrees as text, with all the digits that :meth:`from_name` reads: different angles never look equal."""
        return f"{self.degrees:.{DECIMALS}f}".rstrip("0").rstrip(".")

    @classmethod
    def from_name(cls, text: str) -> "View":
        """The direction of that :attr:`name`.

        Raises:
            InputError: the text is not a view's name.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise InputError(f"view {text!r}", "is not an axis with degrees", "write it like x-45 or y30")
        return cls(match[1], float(match[2]))

    @property
    def rotation(self) -> np.ndarray:
        """The rotation as a (3, 3) float64 matrix, to be applied to column vectors."""
        return rotation_matrix(self.axis, math.radians(self.degrees))


@dataclass(frozen=True)
class ViewRig:
    """How the scans of one class are rendered; window and point sizes are whole pixels."""

    views: tuple[View, ...]  # in the order of the files view_0, view_1, ...
    window: int  # width and height of the window that the views are drawn in, before they are resized
    gt_window: int  # the same for the ground truth
    point_size: int | None  # side of the square that a point covers in the window; None: from the points' spacing
    gt_point_size: int  # the same for the ground truth
    first_rotation: float  # radians about x, applied about the origin before every view
    normal_radius: float  # normals come from the neighbours within this distance, in the data set's unit ...
    normal_neighbours: int  # ... and from at most this many of them
    steps_back: bool  # whether the camera moves back until every point is in view

    def __post_init__(self) -> None:
        if not isinstance(self.views, tuple) or not all(isinstance(view, View) for view in self.views):
            raise InputError("views of a rig", f"are a {type(self.views).__name__}", "give a tuple of View")
        if not self.views:
            raise InputError("views of a rig", "are none", "give at least one")
        for name in ("window", "gt_window"):
            require_size(as_whole_number(getattr(self, name), name), name, LARGEST_WINDOW)
        require_size(as_whole_number(self.gt_point_size, "gt_point_size"), "gt_point_size", self.gt_window)
        if self.point_size is not None:
            require_size(as_whole_number(self.point_size, "point_size"), "point_size", self.window)
        require_size(as_whole_number(self.normal_neighbours, "normal_neighbours"), "normal_neighbours", 2**31 - 1)
        require_size(as_number(self.normal_radius, "normal_radius"), "normal_radius", math.inf)
        if not math.isfinite(as_number(self.first_rotation, "first_rotation")):
            raise InputError(f"first_rotation {self.first_rotation}", "is not an angle", "give a number of radians")
        as_switch(self.steps_back, "steps_back")


def require_size(value: float, name: str, most: float) -> None:
    """Refuse a size that is not above 0 and at most so large.

    Raises:
        InputError: it is not.
    """
    if not 0 < value <= most:
        limit = "" if most == math.inf else f", at most {most}"
        raise InputError(f"{name} {value:g}", "is not a valid size", f"give a number above 0{limit}")


def _require_axis(axis: str) -> None:
    if not isinstance(axis, str) or axis not in ("x", "y"):
        raise InputError(shown_argument("view axis", axis), "is not an axis of rotation", "use x or y")


def rotation_matrix(axis: str, radians: float) -> np.ndarray:
    """The rotation about "x" or "y" as a (3, 3) float64 matrix, to be applied to column vectors.

    Raises:
        InputError: it is another axis.
    """
    _require_axis(axis)
    cosine, sine = math.cos(radians), math.sin(radians)
    if axis == "x":
        return np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    return np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])


def repeated_direction(views: Sequence[View]) -> tuple[View, View] | None:
    """Two views that look from one direction, though their names may differ (x0, x360 and y0); None if all differ.

    Such a pair would be one picture that counts twice wherever views are averaged.
    """
    rotations = np.array([view.rotation.ravel() for view in views]).reshape(-1, 9)
    # The trace of the rotation between two views is 1 + 2 cos(angle), which is 3 - angle² for small angles.
    equal = np.triu(rotations @ rotations.T > 3 - _SAME**2, k=1)
    if not equal.any():
        return None
    first, second = np.argwhere(equal)[0]
    return views[first], views[second]


def directions(about_x: tuple[float, ...], about_y: tuple[float, ...] = ()) -> tuple[View, ...]:
    """The views of a rig: rotations about x, then rotations about y, in degrees."""
    return tuple(View("x", angle) for angle in about_x) + tuple(View("y", angle) for angle in about_y)

"""Whether two scans are one recording, stored in two formats, precisions, units or orders of their points.

Two independent scans of one part differ by noise, two files of one recording by rounding alone. So scans are taken for
one recording if storing the finer one as coarsely as the other would give the other. Sorting tells without knowing
which point is which: where no coordinate moves farther than t, no sorted coordinate does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointad.scans.point_hashes import point_hashes
from pointad.scans.scan_file import ScanFile

RANKS = 1000  # of the sorted coordinates, that are compared
DIRECTIONS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.float64)
UNITS = np.array([factor * 10.0**power for power in range(-6, 7) for factor in (1.0, 25.4, 1 / 25.4)])
SAME_EXTENT = 0.01  # how far extents may differ, relative to each other; more than rounding can do
CLOSEST = 1e-6  # of the extent: no scanner repeats so exactly; single precision and seven digits do
COARSEST = 1e-3  # of the extent: coarser steps than this are not told apart from noise
FAR_FROM_A_STEP = 0.02  # of a step: single precision moves a number by less where that can be, and elsewhere ...
EXACTLY = 1e-3  # ... numbers in double precision are meant, which lie closer to steps down to ...
FINEST = 1e-11  # ... this part of the largest
SINGLE = 2.0**-23  # how finely single precision tells numbers apart, relative to them
SIGNIFICANT_DIGITS = (5, 6)  # of numbers written with so many; those with more are as fine as single precision
FAR_FROM_A_DIGIT = 0.1  # likewise, in the last one


@dataclass(frozen=True)
class Likeness:
    """As much of a scan as tells whether another one is the same recording."""

    count: int  # of its points
    steps: np.ndarray  # (3,) float64, that its coordinates are rounded to, in its unit
    values: np.ndarray  # (6, RANKS) float64, sorted coordinates along `DIRECTIONS`
    picture: str = ""  # SHA-256 of its RGB picture; empty: it has none
    grid: str = ""  # what tells all its points, in any order, unit and place, if they have so many decimals; else empty

    @classmethod
    def of(cls, points: np.ndarray, picture: np.ndarray | None = None) -> "Likeness":
        """What is kept of a scan.

        Args:
            points: (N, 3), or (H, W, 3) for organized scans, as they were read; holes do not count.
            picture: RGB picture or colours, uint8, if scores depend on them.
        """
        points = np.asarray(points, dtype=np.float64)
        present = points[ScanFile(points).present]
        measured = present[(present != 0).any(axis=1)]
        present = measured if len(measured) else present
        ranks = np.linspace(0, len(present) - 1, RANKS).astype(np.int64) if len(present) else np.zeros(0, np.int64)
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.stack([np.sort(present @ direction)[ranks] for direction in DIRECTIONS])
            steps = np.array([_step(column, _extent(values)) for column in values[:3]])
        digest = "" if picture is None else hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
        return cls(len(present), steps, values, digest, _grid_digest(present, values))

    def is_same_recording(self, other: "Likeness") -> bool:
        """Whether both hold the same points up to rounding, in whatever order, unit and place, and the same picture."""
        if self.count != other.count or not self.count or self.picture != other.picture:
            return False
        extent = _extent(self.values)
        with np.errstate(all="ignore"):
            ratio = extent / _extent(other.values)
            factor = UNITS[np.abs(np.log(UNITS / ratio)).argmin()]
            if not abs(ratio / factor - 1) <= SAME_EXTENT:
                return False
            # On one grid, noise moves coordinates by whole steps: they must be equal.
            steps = other.steps * factor
            on_one_grid = np.isclose(self.steps, steps, rtol=1e-6, atol=0)
            noise = CLOSEST * extent
            is_exact = (on_one_grid & (0.45 * steps >= noise)).all()
            if is_exact and self.grid and other.grid and self.grid != other.grid:
                return False  # sorted coordinates of few steps may be equal, though noise moved half of the points
            reach = np.where(on_one_grid, np.maximum(0.45 * steps, noise), 0.51 * (self.steps + steps) + noise)
            moved = self.values - factor * other.values
            return bool((np.ptp(moved, axis=1) / 2 <= DIRECTIONS @ reach).all())


def first_twin(own: Likeness, others: Sequence[Likeness]) -> int | None:
    """The number of the first of other scans that is the same recording; None if there is none."""
    return next((number for number, other in enumerate(others) if own.is_same_recording(other)), None)


def to_tensors(likenesses: Sequence[Likeness]) -> dict[str, Tensor]:
    """What a file keeps of them beside their pictures; empty for none."""
    if not likenesses:
        return {}
    return {
        "likeness_counts": torch.tensor([one.count for one in likenesses]),
        "likeness_steps": torch.from_numpy(np.stack([one.steps for one in likenesses])),
        "likeness_values": torch.from_numpy(np.stack([one.values for one in likenesses])),
    }


def from_tensors(
    tensors: dict[str, Tensor], pictures: Sequence[str], grids: Sequence[str] | None
) -> tuple[Likeness, ...]:
    """What `to_tensors` gave, with the pictures and the grids, which older versions did not write (None).

    Raises:
        ValueError: they do not fit one another.
    """
    if "likeness_counts" not in tensors:  # of an older version
        return ()
    counts, steps, values = (tensors[f"likeness_{name}"].numpy() for name in ("counts", "steps", "values"))
    number = len(pictures)
    shapes = (number,), (number, 3), (number, len(DIRECTIONS), RANKS)
    if (counts.shape, steps.shape, values.shape) != shapes or counts.dtype.kind != "i":
        raise ValueError("its likenesses are inconsistent")
    return tuple(
        Likeness(int(count), step, value, str(picture), str(grid))
        for count, step, value, picture, grid in zip(
            counts, steps, values, pictures, grids or [""] * number, strict=True
        )
    )


def _extent(values: np.ndarray) -> float:
    return float(np.ptp(values[:3], axis=1).max()) if values.size else 0.0


def _step(values: np.ndarray, extent: float) -> float:
    """What coordinates (RANKS,) are rounded to: some number of decimals or digits, else single or double precision."""
    largest = float(np.abs(values).max()) if values.size else 0.0
    is_single = (values == values.astype(np.float32)).all()
    precision = largest * (SINGLE if is_single else np.finfo(np.float64).eps)
    if not 0 < extent < np.inf or not 0 < largest < np.inf or values[0] == values[-1]:
        return precision
    found = [step for step in (_decimals(values, extent), _digits(values, extent)) if step is not None]
    return max(found, default=precision)


def _grid_digest(points: np.ndarray, values: np.ndarray) -> str:
    """What tells the points (N, 3), counted in steps of their decimals; empty if a coordinate has no such step."""
    extent = _extent(values)
    if not len(points) or not 0 < extent < np.inf:
        return ""
    steps = [1.0 if column[0] == column[-1] else _decimals(column, extent) for column in values[:3]]
    if None in steps:
        return ""
    counted = np.rint((points - points.min(axis=0)) / np.array(steps, dtype=np.float64))
    return f"{int(point_hashes(counted).sum()):016x}"


def _decimals(values: np.ndarray, extent: float) -> float | None:
    """The step of values with so many decimals; None if they have none in common."""
    largest, relative = float(np.abs(values).max()), values - values[0]
    for power in range(int(np.floor(np.log10(COARSEST * extent))), int(np.floor(np.log10(FINEST * largest))), -1):
        step = 10.0**power
        is_seen = FAR_FROM_A_STEP * step >= largest * SINGLE
        if _is_whole(relative / step, FAR_FROM_A_STEP if is_seen else EXACTLY):
            return step
    return None


def _digits(values: np.ndarray, extent: float) -> float | None:
    """The largest step of values with so many significant digits; None if they have more."""
    written = values[values != 0]
    powers = np.floor(np.log10(np.abs(written)))
    for digits in SIGNIFICANT_DIGITS:
        step = float(10.0 ** (powers.max() - digits + 1))
        if step <= COARSEST * extent and _is_whole(written / 10.0 ** (powers - digits + 1), FAR_FROM_A_DIGIT):
            return step
    return None


def _is_whole(values: np.ndarray, most: float) -> bool:
    return bool((np.abs(values - np.rint(values)) <= most).all())

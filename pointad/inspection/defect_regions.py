"""From scores of points to a short list of regions worth a closer look."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from pointad.compute.argument_kinds import as_number, as_whole_number
from pointad.errors import InputError
from pointad.visualization.arrays import as_finite, require_shape

CELLS_PER_EXTENT = 64  # side of the cells by which points are joined, as a part of the cloud's largest side
SPARSE = 50_000  # clouds of fewer points may lie farther apart than such cells
FEWEST_POINTS = 5  # smaller regions are noise
MOST_REGIONS = 5


@dataclass(frozen=True)
class DefectRegion:
    """Neighbouring points with high scores; lengths in the unit of the points."""

    centroid: tuple[float, float, float]
    extent: tuple[float, float, float]  # sides of the box around it, along x, y and z
    points: int
    peak: float  # highest score
    peak_position: tuple[float, float, float]

    def to_json(self) -> dict:
        """The fields as a dictionary."""
        return asdict(self)


def half_peak_threshold(scores: np.ndarray) -> float:
    """Halfway from the median score to the highest: what is most anomalous in this scan, whatever its scores."""
    return float((np.median(scores) + scores.max()) / 2)


def defect_regions(
    points: np.ndarray,
    scores: np.ndarray,
    threshold: float | None = None,
    *,
    most_regions: int = MOST_REGIONS,
) -> list[DefectRegion]:
    """Regions of neighbouring points that score at least a threshold, the highest peak first.

    Points are neighbours when they lie in the same or in touching cells of a cubic lattice whose cells are a 64th of
    the cloud's largest side, or twice the median distance between nearest points if that is more. Regions of fewer
    than five points are omitted. Without a threshold there nearly always is a region: it shows where a scan looks
    least normal, not that it is defective.

    Args:
        points: (N, 3), finite.
        scores: (N,).
        threshold: lowest score in a region; None takes `half_peak_threshold`.
        most_regions: upper bound on the number of regions returned.

    Raises:
        InputError: the shapes do not match, the points are not finite, a score or the threshold is not a number, or the
            bound is negative.
    """
    points, scores = np.asarray(points), np.asarray(scores)
    require_shape(as_finite(points, "points"), (len(points), 3), "points")
    require_shape(scores, (len(points),), "scores")
    if (threshold is not None and np.isnan(as_number(threshold, "threshold"))) or np.isnan(scores).any():
        raise InputError("scores or threshold", "hold a value that is not a number", "give numbers")
    if as_whole_number(most_regions, "most_regions") < 0:
        raise InputError(f"most_regions {most_regions}", "is not a number of regions", "give at least 0")
    if not len(points):
        return []
    threshold = half_peak_threshold(scores) if threshold is None else threshold
    hot = np.flatnonzero(scores >= threshold)
    if hot.size == 0:
        return []
    low = points.min(axis=0)
    cell = max(float((points.max(axis=0) - low).max()) / CELLS_PER_EXTENT, np.finfo(np.float64).tiny)
    if 1 < len(points) < SPARSE:
        distances, _ = cKDTree(points).query(points, k=2)
        cell = max(cell, 2 * float(np.median(distances[:, 1])))
    lattice = ((points[hot] - low) / cell).astype(np.int64)
    occupied = np.zeros(lattice.max(axis=0) + 1, dtype=bool)
    occupied[tuple(lattice.T)] = True
    labels, _ = ndimage.label(occupied, structure=np.ones((3, 3, 3)))
    region = labels[tuple(lattice.T)]
    order = np.argsort(region, kind="stable")
    starts = np.flatnonzero(np.diff(region[order], prepend=0))
    groups = [hot[group] for group in np.split(order, starts[1:])]
    found = [_describe(points[group], scores[group]) for group in groups if len(group) >= FEWEST_POINTS]
    return sorted(found, key=lambda one: (-one.peak, -one.points))[:most_regions]


def _describe(points: np.ndarray, scores: np.ndarray) -> DefectRegion:
    highest = int(np.argmax(scores))
    return DefectRegion(
        centroid=_triple(points.mean(axis=0)),
        extent=_triple(np.ptp(points, axis=0)),
        points=len(points),
        peak=float(scores[highest]),
        peak_position=_triple(points[highest]),
    )


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z

"""Finds the plane that most points lie on, by random sampling (RANSAC)."""

from dataclasses import dataclass

import numpy as np

_BATCH = 50  # candidate planes evaluated at once
_CERTAINTY = 1 - 1e-8  # stop once a better plane would have been drawn with this probability


@dataclass(frozen=True)
class Plane:
    """The points p with `normal @ p + offset == 0`."""

    normal: np.ndarray  # (3,) float64, of length 1
    offset: float

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Distances of points (N, 3) from the plane, (N,), none negative."""
        return np.abs(points @ self.normal + self.offset)


def fit_plane(
    points: np.ndarray, *, threshold: float, sample_size: int, iterations: int, rng: np.random.Generator
) -> Plane | None:
    """Fit a plane with RANSAC: the least-squares plane of the sample that most points agree with, then of these points.

    Args:
        points: (N, 3) float64.
        threshold: a point agrees with a plane closer than this, in the points' unit.
        sample_size: how many points a candidate plane is fitted to.
        iterations: the most candidates to try; stops early once a better one has become improbable.
        rng: draws the samples.

    Returns:
        The plane, or None if there are fewer points than in a sample, or all of them are collinear.
    """
    if len(points) < sample_size:
        return None
    center = points.mean(axis=0)
    centered = points - center
    best: Plane | None = None
    best_count = 0
    tried = 0
    while tried < _needed(best_count / len(points), sample_size, iterations):
        batch = min(_BATCH, iterations - tried)
        samples = centered[rng.integers(len(points), size=(batch, sample_size))]  # (batch, sample, 3)
        normals, offsets, flat = _least_squares(samples)
        agreeing = (np.abs(centered @ normals.T + offsets) < threshold).sum(axis=0) * flat
        winner = int(agreeing.argmax())
        if agreeing[winner] > best_count:
            best, best_count = Plane(normals[winner], float(offsets[winner])), int(agreeing[winner])
        tried += batch
    if best is None:
        return None
    normals, offsets, flat = _least_squares(centered[best.distances(centered) < threshold][None])
    normal, offset = (normals[0], float(offsets[0])) if flat[0] else (best.normal, best.offset)
    return Plane(normal, offset - float(normal @ center))


def _needed(agreeing_share: float, sample_size: int, iterations: int) -> float:
    """How many candidates make it likely enough that one was drawn from agreeing points alone."""
    clean = agreeing_share**sample_size
    if clean <= 0:
        return iterations
    if clean >= 1:
        return 0
    return min(iterations, np.log(1 - _CERTAINTY) / np.log1p(-clean))


def _least_squares(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares planes of samples (B, K, 3): normals (B, 3), offsets (B,), and whether each is determined (B,)."""
    means = samples.mean(axis=1)
    differences = samples - means[:, None]
    spreads, axes = np.linalg.eigh(np.einsum("bki,bkj->bij", differences, differences))
    normals = axes[:, :, 0]
    determined = spreads[:, 1] > 1e-12 * np.maximum(spreads[:, 2], 1e-300)
    return normals, -np.einsum("bi,bi->b", normals, means), determined

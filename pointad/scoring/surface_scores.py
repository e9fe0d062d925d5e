"""Scores of a point cloud without a grid, whose values are smoothed over neighbours in space.

The sample's score is the point score of section 3.4, half the peak of the map plus half the views' mean probability.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pointad.scoring.back_projection import back_project
from pointad.scoring.finiteness import check_scores
from pointad.scoring.inference import ViewPredictions
from pointad.scoring.surface_smoothing import SurfaceSmoothing


@dataclass(frozen=True)
class SurfaceScores:
    """Scores of one cloud of N points."""

    values: np.ndarray  # (N,) float32, one per point
    score: float  # of the whole cloud


def score_on_surface(
    views: ViewPredictions,
    points: np.ndarray,
    correspondences: Tensor,
    non_zero: Tensor,
    seen: np.ndarray,
    sigma: float,
) -> SurfaceScores:
    """Back-project the views' maps to the points of one cloud and smooth them over its surface.

    Args:
        views: result of `pointad.scoring.inference.predict_views` for the cloud, the only sample of its batch.
        points: (N, 3) floating point, at the first N positions of the grid.
        correspondences: (1, V, P, 3) integer, P positions of which N hold points, never-seen points filled.
        non_zero: (1, P) bool, the first N are True.
        seen: (N,) bool, whether any view sees the point; the others take the mean around them.
        sigma: standard deviation of the smoothing in the unit of the points.

    Raises:
        InputError: the score is not finite.
    """
    values = back_project(views.maps, correspondences, non_zero)[0, : len(points)].cpu().numpy()
    smoothed = SurfaceSmoothing(points, sigma, seen)(values)
    probability = views.probabilities[0].cpu().numpy().mean()
    score = (float(smoothed.max()) + float(probability)) / 2
    check_scores([score], "scan")
    return SurfaceScores(values=smoothed, score=score)

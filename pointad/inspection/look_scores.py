"""From a look at a scan to its scores: by the prompts alone, or compared with good scans."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pointad.inspection.looking import Look
from pointad.inspection.referencing import Eyes
from pointad.reference.reference import Reference
from pointad.scans.grid import GRID_SIZE
from pointad.scoring.inference import predict_views, score_samples
from pointad.scoring.surface_scores import score_on_surface


@dataclass(frozen=True)
class LookScores:
    """Scores of a look, before they are brought back to the points that were given; V views, S = 336 pixels a side."""

    scores: dict[str, float]
    grid_maps: dict[str, np.ndarray]
    places: np.ndarray  # (S * S,) the map that counts, flat
    view_maps: np.ndarray
    view_scores: np.ndarray
    remarks: tuple[str, ...] = ()


def score_alone(look: Look, text_features: Tensor, sigma: float, sigma_on_surface: float, smoothing: str) -> LookScores:
    """Scores by the prompts alone, zero-shot.

    Args:
        look: at the scan.
        text_features: (2, D), normal and anomalous.
        sigma: width of the smoothing on the grid, in its pixels.
        sigma_on_surface: the same on a surface, in the unit of prepared clouds.
        smoothing: of clouds without a grid, "surface" or "grid".
    """
    features = look.features
    correspondences = look.batch.correspondences.to(text_features.device)
    non_zero = look.batch.non_zero.to(text_features.device)
    views = predict_views(features, text_features, GRID_SIZE)
    view_maps = views.maps[0].cpu().numpy()
    view_scores = views.probabilities[0].cpu().numpy()
    if not look.scan.organized and smoothing == "surface":
        seen = np.any(look.rendered.correspondences[..., 2], axis=0)
        cloud = look.scan.point_cloud.points
        surface = score_on_surface(views, cloud, correspondences, non_zero, seen, sigma_on_surface)
        places = np.pad(surface.values, (0, GRID_SIZE * GRID_SIZE - len(cloud)))
        return LookScores({"point": surface.score}, {}, places, view_maps, view_scores)
    fused = score_samples(features, views, text_features, correspondences, non_zero, sigma=sigma)
    scores, maps = fused.of_sample()
    return LookScores(scores, maps, maps.get("fused", maps["point"]).ravel(), view_maps, view_scores)


def score_compared(look: Look, reference: Reference, eyes: Eyes) -> LookScores:
    """Scores by the prompts and by comparison with good scans.

    Args:
        look: at the scan.
        reference: of the good scans.
        eyes: how the scan was looked at.

    Raises:
        InputError: the good scans were looked at otherwise.
    """
    reference.setting.require(eyes.setting(look.scan.organized))
    scan = eyes.observe(look)
    compared = reference.compare(scan)
    remarks = reference.remarks(scan)
    maps = {name: np.pad(one, (0, GRID_SIZE * GRID_SIZE - len(one))) for name, one in compared.maps.items()}
    view_scores = scan.views.probabilities[0].cpu().numpy()
    grid_maps = {name: one.reshape(GRID_SIZE, GRID_SIZE) for name, one in maps.items()}
    view_maps = scan.views.maps[0].cpu().numpy()
    return LookScores(compared.scores, grid_maps, maps.get("fused", maps["point"]), view_maps, view_scores, remarks)

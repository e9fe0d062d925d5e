"""What the library says about one scan: its scores, one for every point that was given."""

from dataclasses import dataclass

import numpy as np

from pointad.inspection.look_scores import LookScores
from pointad.inspection.looking import Look
from pointad.inspection.preparation import PreparedScan
from pointad.rendering.views import View

NEAR_PEAK = 0.9  # of the way from the median to the highest score: points beyond lie around its place


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What was found in one scan; V views, S = 336 pixels a side, M rendered points.

    Scores rank scans and points; they are not probabilities of a defect. What counts as high depends on the prompts and
    on the kind of object: compare with scans that are known to be good.
    """

    score: float  # the fused score with an RGB picture, the point score without
    point_scores: np.ndarray  # float32 in the shape of the points given, (N,) or (H, W); 0 for points that are ignored
    taking_part: np.ndarray  # bool in the same shape, False for holes, strays and what was removed with the table
    views: np.ndarray  # (V, S, S) uint8, grey renderings
    maps: np.ndarray  # (V, S, S) float32, how anomalous each pixel of the views looks, 0 to 1
    view_scores: np.ndarray  # (V,) float32, how anomalous each view looks as a whole, 0 to 1
    view_names: tuple[str, ...]  # V texts such as "x -45°"
    modality_scores: dict[str, float]  # "point", and with an RGB picture "color" and "fused"
    grid_maps: dict[str, np.ndarray]  # the same names -> (S, S) float32; empty for clouds without a grid
    color: np.ndarray | None  # (s, s, 3) uint8, the RGB picture padded as the grid is, of the image encoder's side s
    correspondences: np.ndarray  # (V, M, 3) int16, column, row and visibility of the rendered points in the views
    rendered_scores: np.ndarray  # (M,) float32, the scores of the rendered points
    display_rotation: np.ndarray  # (3, 3), from the points' axes to a picture's: x right, y up, z to the viewer
    timings: dict[str, float]  # seconds by stage: prepare, render, encode, score
    remarks: tuple[str, ...] = ()  # what makes the score worth less: the rest of sentences that begin with the scan

    def __repr__(self) -> str:
        """One line without the arrays, for notebooks and logs."""
        points, taking_part = self.point_scores.size, int(self.taking_part.sum())
        return (
            f"Prediction(score={self.score:.4f}, {self.kind}, {len(self.views)} views, "
            f"{taking_part:,} of {points:,} points scored)"
        )

    @property
    def kind(self) -> str:
        """What the score was made from, in words; scores of different kinds are not comparable."""
        if self.point_scores.ndim == 1:
            return "without a pixel grid"
        return f"with a pixel grid and {'a' if 'fused' in self.modality_scores else 'no'} picture"


def prediction_of(look: Look, scored: LookScores, shape: tuple[int, ...], seconds: float) -> Prediction:
    """Bring scores back to the points that were given.

    Args:
        look: at the scan.
        scored: its scores.
        shape: of the points that were given, without their coordinates: (N,) or (H, W).
        seconds: that the scoring took.
    """
    scan, rendered = look.scan, look.rendered
    rendered_scores = scored.places[scan.point_cloud.nonzero_indices]
    shown = View("x", 0) if scan.organized else scan.rig.views[view_of_peak(rendered.correspondences, rendered_scores)]
    return Prediction(
        score=scored.scores.get("fused", scored.scores["point"]),
        point_scores=_spread(scored.places, scan).reshape(shape),
        taking_part=(scan.place >= 0).reshape(shape),
        views=rendered.views,
        maps=scored.view_maps,
        view_scores=scored.view_scores,
        view_names=tuple(f"{view.axis} {view.angle}°" for view in scan.rig.views),
        modality_scores=scored.scores,
        grid_maps=scored.grid_maps if scan.organized else {},
        color=None if look.batch.color is None else look.batch.color[0].numpy(),
        correspondences=rendered.correspondences,
        rendered_scores=rendered_scores,
        display_rotation=scan.display_rotation(shown),
        timings={**look.timings, "score": seconds},
        remarks=scored.remarks,
    )


def view_of_peak(correspondences: np.ndarray, scores: np.ndarray) -> int:
    """The view in which most of the points around the most anomalous one are visible.

    Args:
        correspondences: (V, M, 3), column, row and visibility of the points in the views.
        scores: (M,), of the points.
    """
    around = scores >= np.median(scores) * (1 - NEAR_PEAK) + scores.max() * NEAR_PEAK
    return int(np.argmax(np.count_nonzero(correspondences[:, around, 2], axis=1)))


def _spread(places: np.ndarray, scan: PreparedScan) -> np.ndarray:
    """Bring values of the grid's places (S * S,) to the original points (N,); 0 for those that are ignored."""
    return np.where(scan.place >= 0, places[np.maximum(scan.place, 0)], 0).astype(np.float32)

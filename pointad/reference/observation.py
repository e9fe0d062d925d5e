"""One scan as references see it: patches of its views, bends of its surface, and what the prompts say about it.

B = 1 sample, V views, P = S * S places of the grid, M of which hold points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pointad.encoding.features import SampleFeatures
from pointad.reference.geometry_bank import ScanGeometry, describe_geometry
from pointad.reference.patch_bank import ScanPatches, patch_descriptors, seen_patches
from pointad.scoring.inference import ViewPredictions, predict_views
from pointad.scoring.similarity import anomaly_maps

# Values of the M points to smoothed ones: of as many points on a surface, or of all P places of a grid, whose holes
# are 0 before the smoothing.
BANK_PARTS = (3 / 8, 5 / 8)  # of an encoder's depth
Smoothing = Callable[[np.ndarray], np.ndarray]
FRONT = np.array([0.0, 0.0, -10.0])  # in the largest side of a cloud: depth cameras look along +z


@dataclass(frozen=True)
class ColorObservation:
    """The RGB picture of a scan with a pixel grid; its pixels are the places of the grid."""

    patches: ScanPatches  # of the picture, as the only view
    map: Tensor  # (1, S, S), what the prompts say


@dataclass(frozen=True)
class Observation:
    """One scan, looked at once."""

    views: ViewPredictions  # what the prompts say
    patches: ScanPatches
    geometry: ScanGeometry
    correspondences: Tensor  # (1, V, P, 3) integer, never-seen points filled
    non_zero: Tensor  # (1, P) bool
    smooth: Smoothing
    extent: float  # largest side of the cloud in the unit of the scan
    color: ColorObservation | None = None  # None: the scan has no RGB picture

    def at_points(self, values: np.ndarray) -> np.ndarray:
        """Smoothed values of the M points alone, whether `smooth` gives those of the grid or of the points."""
        places = self.non_zero[0].cpu().numpy()
        return values[places] if len(values) == len(places) else values

    @property
    def probability(self) -> float:
        """Mean over the views of their anomalous probability."""
        return float(self.views.probabilities.mean())


def bank_blocks(depth: int) -> tuple[int, ...]:
    """The blocks of an image encoder of that many by whose local features good scans are compared: the middle ones."""
    return tuple(sorted({max(1, round(depth * part)) for part in BANK_PARTS}))


def joint_blocks(prompt_blocks: Sequence[int], bank_blocks: Sequence[int]) -> tuple[int, ...]:
    """The blocks that one pass of the encoder must give for both, ascending."""
    return tuple(sorted({*prompt_blocks, *bank_blocks}))


def select_blocks(features: SampleFeatures, available: Sequence[int], wanted: Sequence[int]) -> SampleFeatures:
    """The features of some of the blocks that were encoded, in the order wanted."""
    chosen = [available.index(block) for block in wanted]
    color = features.color_patches
    return replace(
        features,
        views_patches=features.views_patches[:, :, chosen],
        color_patches=None if color is None else color[:, chosen],
    )


def observe(
    for_prompts: SampleFeatures,
    for_bank: SampleFeatures,
    text_features: Tensor,
    correspondences: Tensor,
    non_zero: Tensor,
    points: np.ndarray,
    *,
    smooth: Smoothing,
    size: int,
    from_front: bool,
    extent: float,
) -> Observation:
    """Look at one scan.

    Args:
        for_prompts: features of the blocks that the prompts are compared with, of one sample; with those of its RGB
            picture, colour is observed too.
        for_bank: features of the blocks that good scans are compared by, of the same pass.
        text_features: (2, D), normal and anomalous.
        correspondences: (1, V, P, 3) integer, never-seen points filled.
        non_zero: (1, P) bool, False for holes.
        points: (M, 3) floating point, in the order of the places that hold points.
        smooth: how values of the points are smoothed.
        size: S, the side of the maps in the correspondences' pixels.
        from_front: whether a depth camera saw the scan, along +z; else it was seen from all around.
        extent: largest side of the cloud in the unit of the scan.
    """
    views = predict_views(for_prompts, text_features, size)
    patches = for_bank.views_patches[0]  # (V, L, N, D)
    side = float(np.ptp(points, axis=0).max())
    return Observation(
        views=views,
        patches=ScanPatches(
            descriptors=patch_descriptors(patches),
            seen=seen_patches(correspondences[0], non_zero[0], size, patches.shape[2]),
        ),
        geometry=describe_geometry(points, points.mean(axis=0) + FRONT * side if from_front else None),
        correspondences=correspondences,
        non_zero=non_zero,
        smooth=smooth,
        extent=extent,
        color=_observe_color(for_prompts, for_bank, text_features, non_zero, size),
    )


def observe_with(scan: Observation, for_prompts: SampleFeatures, text_features: Tensor, size: int) -> Observation:
    """The same scan under other prompts.

    Args:
        scan: that was looked at.
        for_prompts, text_features, size: as for `observe`.
    """
    color = scan.color
    if color is not None and for_prompts.color_patches is not None:
        color = replace(color, map=anomaly_maps(for_prompts.color_patches, text_features, size))
    return replace(scan, views=predict_views(for_prompts, text_features, size), color=color)


def picture_places(size: int) -> Tensor:
    """Correspondences (1, P, 3) int64 of a picture that the grid's own places are the pixels of."""
    places = torch.arange(size * size)
    return torch.stack([places % size, places // size, torch.ones_like(places)], dim=-1)[None]


def _observe_color(
    for_prompts: SampleFeatures, for_bank: SampleFeatures, text_features: Tensor, non_zero: Tensor, size: int
) -> ColorObservation | None:
    if for_prompts.color_patches is None or for_bank.color_patches is None:
        return None
    patches = for_bank.color_patches  # (1, L, N, D): one picture, as one view
    seen = seen_patches(picture_places(size).to(non_zero.device), non_zero[0], size, patches.shape[2])
    return ColorObservation(
        patches=ScanPatches(patch_descriptors(patches), seen),
        map=anomaly_maps(for_prompts.color_patches, text_features, size),
    )

"""What speaks for a defect at each point of a scan: the prompts, and the distances from good scans."""

import math

import numpy as np
from torch import Tensor

from pointad.reference.geometry_bank import GeometryBank, compare_geometry, spread_to_points
from pointad.reference.observation import Observation
from pointad.reference.patch_bank import PatchBank, compare_patches
from pointad.scoring.back_projection import back_project
from pointad.scoring.similarity import upsample


def compare_cues(
    scan: Observation, patches: PatchBank, geometry: GeometryBank, color: PatchBank | None = None
) -> dict[str, np.ndarray]:
    """The cues of a scan, smoothed: name -> float32, (P,) on a grid or (M,) on a surface."""
    own = scan.color
    return prompt_cues(scan) | distance_cues(
        scan,
        compare_patches(scan.patches, patches),
        compare_geometry(scan.geometry, geometry),
        None if own is None or color is None else compare_patches(own.patches, color),
    )


def prompt_cues(scan: Observation) -> dict[str, np.ndarray]:
    """What the prompts say about each point, and about its RGB picture where the scan has one, smoothed."""
    cues = {"prompts": scan.smooth(_on_points(scan, scan.views.maps))}
    if scan.color is not None:
        cues["color_prompts"] = _at_points(scan, scan.color.map)
    return cues


def distance_cues(
    scan: Observation, patches: Tensor, centres: np.ndarray, color: Tensor | None = None
) -> dict[str, np.ndarray]:
    """Distances from good scans, brought to the points and smoothed.

    Args:
        scan: that was compared.
        patches: (V, N), of the patches of its views.
        centres: (C,), of the bends around its centres.
        color: (1, N), of the patches of its RGB picture, wherever they lie in the good ones; None without pictures.
    """
    side = math.isqrt(patches.shape[-1])
    size = scan.views.maps.shape[-1]
    maps = upsample(patches.view(1, -1, 1, side, side), size)[:, :, 0]
    cues = {
        "patches": scan.smooth(_on_points(scan, maps)),
        "geometry": scan.smooth(spread_to_points(scan.geometry, centres)),
    }
    if color is not None:
        cues["color_patches"] = _at_points(scan, upsample(color.view(1, 1, side, side), size)[0])
    return cues


def _at_points(scan: Observation, picture: Tensor) -> np.ndarray:
    """The pixels of a map of the RGB picture (1, S, S) on which points lie, smoothed."""
    return scan.smooth(picture.flatten()[scan.non_zero[0]].cpu().numpy())


def _on_points(scan: Observation, maps: Tensor) -> np.ndarray:
    """Maps of the views (1, V, S, S) on the points (M,)."""
    values = back_project(maps, scan.correspondences, scan.non_zero)[0].cpu().numpy()
    return values[scan.non_zero[0].cpu().numpy()]

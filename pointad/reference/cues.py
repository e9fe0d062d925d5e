"""What speaks for a defect at each point: the prompts, and patches and bends that no good scan has; one map of it all.

The cues are multiplied, each with a power of its own: a product keeps the level of each, which tells scans apart, and
does not depend on its unit. The bends count the more, the more good scans there are to compare with: the prompts, which
know none of them, weigh as much as a sixth of one. An RGB picture has a map of its own, of its patches and of what the
prompts say about it; it counts as much as the points' map, since a stain shows in the one alone and a dent in the
other. See docs/good-scans.md for what other rules gave.
"""

from collections.abc import Mapping

import numpy as np

SMALLEST = 1e-6  # of a cue; below it differences say nothing
CUES = ("prompts", "patches", "geometry")
COLOR_POWERS = {"color_patches": 2 / 3, "color_prompts": 1 / 3}
BENDS_PER_SCAN = 6.0  # weight of the bends for each good scan, where prompts and patches have 1


def cue_powers(good_scans: int) -> dict[str, float]:
    """The power of every cue where there are so many good scans; they add up to 1."""
    weights = dict(zip(CUES, (1.0, 1.0, BENDS_PER_SCAN * good_scans), strict=True))
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def join_cues(cues: Mapping[str, np.ndarray], powers: Mapping[str, float]) -> np.ndarray:
    """The product of the cues' powers: (N,) float32.

    Args:
        cues: name -> (N,) floating point, not negative; those without a power do not count.
        powers: name -> exponent.
    """
    logarithms = np.stack([_log(cues[name]) * np.float32(power) for name, power in powers.items()])
    return np.exp(logarithms.sum(axis=0))


def joint_maps(cues: Mapping[str, np.ndarray], powers: Mapping[str, float]) -> dict[str, np.ndarray]:
    """The maps (N,) float32 of all cues: "point", and with those of an RGB picture "color" and "fused".

    Args:
        cues: name -> (N,) floating point, not negative.
        powers: of the cues of the points.
    """
    maps = {"point": join_cues(cues, powers)}
    if COLOR_POWERS.keys() <= cues.keys():
        maps["color"] = join_cues(cues, COLOR_POWERS)
        maps["fused"] = join_cues(maps, {"point": 0.5, "color": 0.5})
    return maps


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(values, SMALLEST).astype(np.float32))

"""What speaks for a defect at each point: the prompts, and patches and bends that no good scan has; one map of it all.

The cues are multiplied, each with a power of its own: a product keeps the level of each, which tells scans apart, and
does not depend on its unit. The powers are constants; see docs/good-scans.md for what others gave.
"""

from collections.abc import Mapping

import numpy as np

SMALLEST = 1e-6  # of a cue; below it differences say nothing
POWERS = {"prompts": 0.2, "patches": 0.2, "geometry": 0.6}


def join_cues(cues: Mapping[str, np.ndarray], powers: Mapping[str, float]) -> np.ndarray:
    """The product of the cues' powers: (N,) float32.

    Args:
        cues: name -> (N,) floating point, not negative.
        powers: name -> exponent.
    """
    logarithms = np.stack([_log(cues[name]) * np.float32(power) for name, power in powers.items()])
    return np.exp(logarithms.sum(axis=0))


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(values, SMALLEST).astype(np.float32))

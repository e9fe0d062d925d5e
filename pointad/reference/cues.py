"""What speaks for a defect at each point: the prompts, and patches and bends that no good scan has; one map of it all.

The cues are multiplied, each with a power of its own: a product keeps the level of each, which tells scans apart, and
does not depend on its unit. The bends count the more, the more good scans there are to compare with: the prompts, which
know none of them, weigh as much as a sixth of one. An RGB picture has a map of its own, of its patches and of what the
prompts say about it; it counts as much as the points' map, since a stain shows in the one alone and a dent in the
other. See docs/good-scans-figures.md for what other rules gave.

The score of a scan is the highest value of the product. The map, which says where the defect is, is in part relative to
the scan itself: how high a scan lies as a whole also depends on its place and pose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pointad.scoring.finiteness import check_scores

SMALLEST = 1e-6  # of a cue; below it differences say nothing
CUES = ("prompts", "patches", "geometry")
COLOR_POWERS = {"color_patches": 2 / 3, "color_prompts": 1 / 3}
FUSED_POWERS = {"point": 0.5, "color": 0.5}
BENDS_PER_SCAN = 6.0  # weight of the bends for each good scan, where prompts and patches have 1
OWN_LEVEL = 0.95  # quantile of a scan's own points ...
OWN_PART = 0.5  # ... by which its map is divided, to this power


@dataclass(frozen=True)
class ReferenceScores:
    """One scan compared with good ones.

    The maps are called "point", and where both have RGB pictures "color" and "fused"; each is float32, with one value a
    place of the grid (P,), or one a point on a surface (M,). Their values are not those that the scores are taken from.
    """

    maps: dict[str, np.ndarray]
    scores: dict[str, float]  # of the scan, by the same names

    @property
    def values(self) -> np.ndarray:
        """The map that counts: of points and picture together, or of the points alone."""
        return self.maps.get("fused", self.maps["point"])

    @property
    def score(self) -> float:
        """The score that goes with it."""
        return self.scores.get("fused", self.scores["point"])


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


def join_scores(
    cues: Mapping[str, np.ndarray], powers: Mapping[str, float], at_points: Callable[[np.ndarray], np.ndarray]
) -> ReferenceScores:
    """The maps of all cues, and the scores: "point", and with cues of an RGB picture "color" and "fused".

    Args:
        cues: name -> (N,) floating point, not negative.
        powers: of the cues of the points.
        at_points: from values as those of the cues to those of the scan's points alone.

    Raises:
        InputError: a score is not finite.
    """
    joined = {"point": join_cues(cues, powers)}
    if COLOR_POWERS.keys() <= cues.keys():
        joined["color"] = join_cues(cues, COLOR_POWERS)
        joined["fused"] = join_cues(joined, FUSED_POWERS)
    scores = {name: float(values.max()) for name, values in joined.items()}
    check_scores(scores.values(), "scan")
    maps = {name: values / _own_level(at_points(values)) for name, values in joined.items()}
    return ReferenceScores(maps, scores)


def _own_level(values: np.ndarray) -> np.float32:
    return np.float32(np.quantile(values, OWN_LEVEL)) ** np.float32(OWN_PART)


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(values, SMALLEST).astype(np.float32))

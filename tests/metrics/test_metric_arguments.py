"""Arguments of metrics that do not fit, which were taken without a word or left something behind."""

from typing import Any

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.metrics import PixelScores, aupro, class_metrics, curves, pixel_metrics
from pointad.metrics.ranking import rank

GENERATOR = np.random.default_rng(0)
MAPS = GENERATOR.random((2, 6, 6))
MASKS = np.zeros((2, 6, 6), bool)
MASKS[0, 1:3, 1:4] = True


@pytest.mark.parametrize(
    "regions", [np.ones((5, 5), int), np.ones((6, 6)), np.ones((6, 6), bool), "x", np.full((6, 6), np.nan)]
)
def test_regions_that_do_not_fit_leave_nothing_behind(regions: Any) -> None:
    scores = PixelScores.of(MAPS, MASKS)
    before = pixel_metrics(scores, aupro="published")
    with pytest.raises(InputError, match="regions"):
        scores.add(MAPS[0] * 100, MASKS[0], regions)
    assert pixel_metrics(scores, aupro="published") == before


def test_numbers_of_regions_may_be_any() -> None:
    """Memory is taken for the regions, not for their numbers: the last one took 16 GB."""
    found = []
    for numbers in (MASKS[0] * 1, MASKS[0] * -7, MASKS[0] * 2_000_000_000):
        scores = PixelScores()
        scores.add(MAPS[0], MASKS[0], numbers)
        found.append(pixel_metrics(scores))
    assert found[0] == found[1] == found[2] == pixel_metrics(PixelScores.of(MAPS[:1], MASKS[:1]))


def test_every_label_has_a_map() -> None:
    with pytest.raises(InputError, match="maps and labels"):
        class_metrics(np.array([1, 0, 0]), np.array([0.3, 0.2, 0.1]), MASKS, MAPS)


@pytest.mark.parametrize("limit", ["0.3", None, True])
def test_limits_are_numbers(limit: Any) -> None:
    with pytest.raises(InputError, match="AU-PRO limit"):
        aupro(MASKS, MAPS, limit)


@pytest.mark.parametrize("options", [{"bins": "a"}, {"bins": 2.5}, {"exact_pixels": float("nan")}])
def test_sizes_are_whole_numbers(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        PixelScores(**options)


@pytest.mark.parametrize("points", [-3, 0, 1, 2.0])
def test_curves_have_two_ends(points: Any) -> None:
    with pytest.raises(InputError, match="most_points"):
        curves(rank(np.array([0, 1]), np.array([0.1, 0.2])), points)

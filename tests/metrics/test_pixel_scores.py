"""Collecting pixel scores sample by sample: exact below the limit, binned with honest bounds beyond."""

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.metrics import ALL_METRICS, PixelScores, pixel_metrics
from pointad.metrics.error_bounds import (
    aupro_error_bound,
    auroc_error_bound,
    average_precision_error_bound,
    f1_max_error_bound,
)

PIXEL_METRICS = [name for name in ALL_METRICS if name.startswith("pixel_")]


def drifting_maps(drift: float) -> tuple[np.ndarray, np.ndarray]:
    """Forty maps whose scores move by `drift` from the first to the last; every other one has a region."""
    random = np.random.default_rng(3)
    masks = np.zeros((40, 32, 32), bool)
    masks[::2, 4:12, 6:20] = True
    maps = random.random(masks.shape, np.float32) + 0.4 * masks * random.random(masks.shape, np.float32)
    return maps + np.linspace(0, drift, 40, dtype=np.float32)[:, None, None], masks


def bounds(scores: PixelScores) -> dict[str, float]:
    ranking = scores.ranking()
    return {
        "pixel_auroc": auroc_error_bound(ranking),
        "pixel_ap": average_precision_error_bound(ranking),
        "pixel_f1_max": f1_max_error_bound(ranking),
        "pixel_aupro": aupro_error_bound(ranking, 0.3),
        "pixel_aupro_0.01": aupro_error_bound(ranking, 0.01),
        "pixel_aupro_0.05": aupro_error_bound(ranking, 0.05),
        "pixel_aupro_0.1": aupro_error_bound(ranking, 0.1),
    }


@pytest.mark.parametrize("drift", [0.0, 1.0])
@pytest.mark.parametrize("bins", [20, 1000])
def test_binned_metrics_stay_within_their_bounds(drift: float, bins: int) -> None:
    maps, masks = drifting_maps(drift)
    exact = pixel_metrics(PixelScores.of(maps, masks), PIXEL_METRICS)
    scores = PixelScores.of(maps, masks, exact_pixels=5000, bins=bins)
    assert scores.ranking().is_binned
    binned, bound = pixel_metrics(scores, PIXEL_METRICS), bounds(scores)
    for name in PIXEL_METRICS:
        assert bound[name] > 0
        assert abs(binned[name] - exact[name]) <= bound[name] + 1e-12, name


def test_many_bins_are_nearly_exact() -> None:
    maps, masks = drifting_maps(0.0)
    scores = PixelScores.of(maps, masks, exact_pixels=20_000, bins=2000)
    assert bounds(scores)["pixel_auroc"] < 5e-4
    assert bounds(scores)["pixel_aupro"] < 2e-3


def test_exact_scores_have_no_error() -> None:
    maps, masks = drifting_maps(0.0)
    assert set(bounds(PixelScores.of(maps, masks)).values()) == {0.0}


def test_binned_memory_does_not_grow() -> None:
    maps, masks = drifting_maps(0.0)
    scores = PixelScores(exact_pixels=1024, bins=64)
    for anomaly_map, mask in zip(maps, masks, strict=True):
        scores.add(anomaly_map, mask)
    ranking = scores.ranking()
    assert len(ranking.normal_scores) <= 65 and len(ranking.anomalous_scores) <= 65
    assert ranking.normal_count == (~masks).sum() and ranking.anomalous_count == masks.sum()


def test_published_aupro_of_binned_scores_is_close() -> None:
    maps, masks = drifting_maps(0.0)
    exact = pixel_metrics(PixelScores.of(maps, masks), ["pixel_aupro"], aupro="published")["pixel_aupro"]
    scores = PixelScores.of(maps, masks, exact_pixels=20_000, bins=2000)
    assert pixel_metrics(scores, ["pixel_aupro"], aupro="published")["pixel_aupro"] == pytest.approx(exact, abs=0.01)


def test_order_and_interruption_do_not_matter() -> None:
    maps, masks = drifting_maps(0.5)
    scores = PixelScores()
    for index in reversed(range(40)):
        scores.add(maps[index], masks[index])
        if index == 20:
            scores.ranking()
    expected = pixel_metrics(PixelScores.of(maps, masks), PIXEL_METRICS)
    for name, value in pixel_metrics(scores, PIXEL_METRICS).items():
        assert value == pytest.approx(expected[name], abs=1e-12)


def test_does_not_change_its_input() -> None:
    maps, masks = drifting_maps(0.0)
    before = maps.copy()
    PixelScores.of(maps, masks).ranking()
    assert np.array_equal(maps, before)


def test_only_normal_pixels_are_binned_without_a_crash() -> None:
    scores = PixelScores.of(np.random.default_rng(0).random((4, 8, 8)), np.zeros((4, 8, 8)), exact_pixels=100)
    assert set(pixel_metrics(scores, PIXEL_METRICS).values()) == {None}


def test_only_anomalous_pixels_are_binned_without_a_crash() -> None:
    scores = PixelScores.of(np.random.default_rng(0).random((4, 8, 8)), np.ones((4, 8, 8)), exact_pixels=100)
    values = pixel_metrics(scores, ["pixel_auroc", "pixel_aupro", "pixel_ap"])
    assert values == {"pixel_auroc": None, "pixel_aupro": None, "pixel_ap": 1.0}


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="shapes"):
        PixelScores().add(np.zeros((4, 4)), np.zeros((4, 5)))
    with pytest.raises(InputError, match="one mask per map"):
        PixelScores.of(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)))
    with pytest.raises(InputError, match="not a number"):
        PixelScores().add(np.full((4, 4), np.nan), np.zeros((4, 4)))

"""Collecting pixel scores sample by sample: exact below the limit, binned with honest bounds beyond."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointad.errors import InputError
from pointad.metrics import ALL_METRICS, PixelScores, pixel_error_bounds, pixel_metrics
from pointad.metrics.score_cells import ScoreCells

PIXEL_METRICS = [name for name in ALL_METRICS if name.startswith("pixel_")]


def drifting_maps(drift: float) -> tuple[np.ndarray, np.ndarray]:
    """Forty maps whose scores move by `drift` from the first to the last; every other one has a region."""
    random = np.random.default_rng(3)
    masks = np.zeros((40, 32, 32), bool)
    masks[::2, 4:12, 6:20] = True
    maps = random.random(masks.shape, np.float32) + 0.4 * masks * random.random(masks.shape, np.float32)
    return maps + np.linspace(0, drift, 40, dtype=np.float32)[:, None, None], masks


def good_then_bad_maps() -> tuple[np.ndarray, np.ndarray]:
    """Thirty good maps, then thirty that score higher throughout and most in their region, float32 probabilities."""
    random = np.random.default_rng(5)
    masks = np.zeros((60, 32, 32), bool)
    masks[30:, 4:12, 6:20] = True
    logits = random.normal(size=masks.shape) + np.repeat([-6.0, -2.0], 30)[:, None, None] + 2 * masks
    return (1 / (1 + np.exp(-logits))).astype(np.float32), masks


def bounds(scores: PixelScores) -> dict[str, float]:
    found = {name: bound for name, bound in pixel_error_bounds(scores, PIXEL_METRICS).items() if bound is not None}
    return found or dict.fromkeys(PIXEL_METRICS, 0.0)


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


ORDERS = {
    "good first": lambda count: np.arange(count),
    "bad first": lambda count: np.arange(count)[::-1],
    "mixed": lambda count: np.random.default_rng(1).permutation(count),
    "by turns": lambda count: np.arange(count).reshape(2, -1).T.ravel(),
}


@pytest.mark.parametrize("bins", [64, 4096])
@pytest.mark.parametrize("order", ORDERS)
def test_bins_do_not_depend_on_the_order(order: str, bins: int) -> None:
    maps, masks = good_then_bad_maps()
    index = ORDERS[order](len(maps))
    expected = PixelScores.of(maps, masks, exact_pixels=10_000, bins=bins).ranking()
    found = PixelScores.of(maps[index], masks[index], exact_pixels=10_000, bins=bins).ranking()
    assert expected.is_binned and len(expected.normal_scores) <= bins
    for field in dataclasses.fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        assert np.array_equal(one, other), field.name


@pytest.mark.parametrize("order", ORDERS)
def test_good_scans_first_do_not_spoil_the_bins(order: str) -> None:
    """The bins come from all maps; ten thousand pixels are those of the first ten maps, which are good."""
    maps, masks = good_then_bad_maps()
    index = ORDERS[order](len(maps))
    exact = pixel_metrics(PixelScores.of(maps, masks), PIXEL_METRICS)
    scores = PixelScores.of(maps[index], masks[index], exact_pixels=10_000, bins=16_384)
    binned, bound = pixel_metrics(scores, PIXEL_METRICS), bounds(scores)
    for name in PIXEL_METRICS:
        assert abs(binned[name] - exact[name]) <= bound[name] + 1e-12, name
        assert bound[name] < 0.005, name
    assert abs(binned["pixel_auroc"] - exact["pixel_auroc"]) < 1e-5


NUMBERS = st.one_of(
    st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
    st.floats(-1, 1, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 0.25, 1.0, -3.5]),
)


@settings(max_examples=60, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=12, max_size=80), anomalous=st.integers(0, 2**60), bins=st.integers(16, 40))
def test_any_numbers_keep_their_bounds(numbers: list[float], anomalous: int, bins: int) -> None:
    maps = np.array(numbers)[:, None, None]
    masks = np.array([anomalous >> index & 1 for index in range(len(maps))], bool)[:, None, None]
    masks[:2, 0, 0] = True, False
    exact, binned = PixelScores.of(maps, masks), PixelScores.of(maps, masks, exact_pixels=10, bins=bins)
    assert len(binned.ranking().normal_scores) <= bins
    for method, names in (("exact", PIXEL_METRICS), ("published", ["pixel_aupro"])):
        expected, found = pixel_metrics(exact, names, method), pixel_metrics(binned, names, method)
        bound = pixel_error_bounds(binned, names, method)
        for name in names:
            if bound[name] is not None:
                assert abs(found[name] - expected[name]) <= bound[name] + 1e-9, (method, name)


@given(numbers=st.lists(NUMBERS, max_size=60), cut=st.integers(0, 60), pending=st.integers(1, 70))
def test_cells_do_not_depend_on_the_parts(numbers: list[float], cut: int, pending: int) -> None:
    scores, weights = np.array(numbers, np.float64), 1 / np.arange(1.0, len(numbers) + 1)
    parts, whole = ScoreCells(16, pending), ScoreCells(16)
    for part in (slice(cut), slice(cut, None)):
        parts.add(-scores[part], scores[part], weights[part])
    whole.add(-scores[::-1], scores[::-1], weights[::-1])
    found, expected = parts.ranking(0.0, 1.0), whole.ranking(0.0, 1.0)
    for field in dataclasses.fields(expected):
        assert np.array_equal(getattr(found, field.name), getattr(expected, field.name)), field.name
    assert found.normal_count == found.anomalous_count == len(numbers)
    assert found.anomalous_weights.sum() == pytest.approx(weights.sum(), rel=1e-13)


def test_few_distinct_scores_are_exact_however_many_pixels() -> None:
    random = np.random.default_rng(0)
    maps = random.choice(np.array([-1.5, 0.0, 0.1, 0.3, 7.0], np.float32), (20, 32, 32))
    masks = random.random(maps.shape) < 0.1
    scores = PixelScores.of(maps, masks, exact_pixels=1000, bins=16)
    assert scores.is_binned and set(bounds(scores).values()) == {0.0}
    expected = pixel_metrics(PixelScores.of(maps, masks), PIXEL_METRICS)
    for name, value in pixel_metrics(scores, PIXEL_METRICS).items():
        assert value == pytest.approx(expected[name], abs=1e-12)


def test_published_aupro_has_a_bound_where_it_is_known() -> None:
    maps, masks = good_then_bad_maps()
    exact = pixel_metrics(PixelScores.of(maps, masks), ["pixel_aupro"], aupro="published")["pixel_aupro"]
    scores = PixelScores.of(maps, masks, exact_pixels=10_000, bins=16_384)
    bound = pixel_error_bounds(scores, ["pixel_aupro"], aupro="published")["pixel_aupro"]
    binned = pixel_metrics(scores, ["pixel_aupro"], aupro="published")["pixel_aupro"]
    assert bound is not None and 0 < bound < 0.02
    assert abs(binned - exact) <= bound


def test_many_bins_are_nearly_exact() -> None:
    maps, masks = drifting_maps(0.0)
    scores = PixelScores.of(maps, masks, exact_pixels=20_000, bins=8000)
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
    assert values == {"pixel_auroc": None, "pixel_aupro": None, "pixel_ap": None}


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="shapes"):
        PixelScores().add(np.zeros((4, 4)), np.zeros((4, 5)))
    with pytest.raises(InputError, match="one mask per map"):
        PixelScores.of(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)))
    with pytest.raises(InputError, match="not a number"):
        PixelScores().add(np.full((4, 4), np.nan), np.zeros((4, 4)))
    with pytest.raises(InputError, match="masks: 16 of 16 are not a number"):
        PixelScores().add(np.zeros((4, 4)), np.full((4, 4), np.nan))
    with pytest.raises(InputError, match="anomaly maps: are a masked array"):
        PixelScores.of(np.ma.masked_array(np.zeros((2, 4, 4)), np.eye(4) * np.ones((2, 1, 1))), np.zeros((2, 4, 4)))


def test_a_single_bin_for_scores_of_both_signs_ends() -> None:
    maps = np.array([[[-1.0, 2.0, -3.0, 4.0]]])
    assert PixelScores.of(maps, maps > 1, exact_pixels=0, bins=1).ranking().normal_count == 2

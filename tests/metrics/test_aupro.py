"""AU-PRO against a naive twin, the published procedure re-enacted, and closed forms."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.integrate import trapezoid
from skimage.measure import label, regionprops

from pointad.errors import InputError
from pointad.metrics import aupro

GOLDEN = Path(__file__).parents[1] / "fixtures" / "published_aupro.npz"


def naive_curve(masks: np.ndarray, maps: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False-positive rate and mean region overlap of `maps > threshold`, region by region and pixel by pixel."""
    rates, overlaps = [], []
    for threshold in thresholds:
        reported = maps > threshold
        shares = [
            reported[index][tuple(region.coords.T)].mean()
            for index, mask in enumerate(masks)
            for region in regionprops(label(mask.astype(np.uint8), connectivity=2))
        ]
        rates.append(reported[~masks].mean())
        overlaps.append(np.mean(shares))
    return np.array(rates), np.array(overlaps)


def naive_aupro(masks: np.ndarray, maps: np.ndarray, limit: float) -> float:
    """Every distinct score is a threshold; a fine grid of rates makes the cut at the limit plain."""
    distinct = np.unique(maps)[::-1]
    rates, overlaps = naive_curve(masks, maps, np.append(distinct, -np.inf))
    grid = np.unique(np.concatenate([rates[rates <= limit], [limit]]))
    # Of several points at one rate, the first ends the segment on the left and the last starts the one on the right.
    first = np.array(
        [np.interp(rate, rates, overlaps) if rate not in rates else overlaps[rates == rate][0] for rate in grid]
    )
    last = np.array(
        [np.interp(rate, rates, overlaps) if rate not in rates else overlaps[rates == rate][-1] for rate in grid]
    )
    return float(((last[:-1] + first[1:]) / 2 * np.diff(grid)).sum() / limit)


def published_procedure(masks: np.ndarray, maps: np.ndarray, limit: float = 0.3) -> float:
    """200 equal steps up from the smallest score; rates below the limit stretched to 0 .. 1."""
    thresholds = np.linspace(maps.min(), maps.max(), 201, dtype=np.float64)[:-1]
    rates, overlaps = naive_curve(masks, maps, thresholds)
    rates, overlaps = rates[rates < limit], overlaps[rates < limit]
    rates = (rates - rates.min()) / (rates.max() - rates.min())
    return float(-trapezoid(overlaps, rates))


def random_maps(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Six maps with square regions, of which two touch at a corner only."""
    random = np.random.default_rng(seed)
    masks = np.zeros((6, 24, 24), bool)
    masks[0, 2:8, 2:6] = masks[0, 8:12, 6:9] = masks[0, 20, 20] = True
    masks[1, 5:15, 10:20] = masks[3, :, 3] = masks[4, 0, 0] = True
    return masks, random.random(masks.shape, np.float32) + 0.5 * masks * random.random(masks.shape, np.float32)


def test_agrees_with_stored_figures() -> None:
    with np.load(GOLDEN) as golden:
        masks, maps = golden["masks"], golden["maps"]
        assert aupro(masks, maps) == pytest.approx(float(golden["aupro_exact"]), abs=1e-10)
        assert aupro(masks, maps, method="published") == pytest.approx(float(golden["aupro_published"]), abs=1e-10)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limit", [0.01, 0.05, 0.3, 1.0])
def test_agrees_with_naive_twin(seed: int, limit: float) -> None:
    masks, maps = random_maps(seed)
    maps = np.round(maps, 2)  # many ties
    assert aupro(masks, maps, limit) == pytest.approx(naive_aupro(masks, maps, limit), abs=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_published_method_repeats_the_procedure(seed: int) -> None:
    masks, maps = random_maps(seed)
    assert aupro(masks, maps, method="published") == pytest.approx(published_procedure(masks, maps), abs=1e-7)


@settings(max_examples=60)
@given(
    masks=arrays.arrays(bool, (2, 5, 6)).filter(lambda masks: masks.any() and not masks.all()),
    maps=arrays.arrays(np.float64, (2, 5, 6), elements=st.integers(0, 5).map(float)),
)
def test_any_small_map_agrees_with_naive_twin(masks: np.ndarray, maps: np.ndarray) -> None:
    value = aupro(masks, maps)
    assert value == pytest.approx(naive_aupro(masks, maps, 0.3), abs=1e-10)
    assert value is not None and 0 <= value <= 1


def test_perfect_map_is_one() -> None:
    masks, _ = random_maps(0)
    assert aupro(masks, masks.astype(np.float32)) == pytest.approx(1)
    assert aupro(masks, masks.astype(np.float32), limit=0.01) == pytest.approx(1)


def test_inverted_map_is_zero() -> None:
    masks, _ = random_maps(0)
    assert aupro(masks, 1.0 - masks) == 0


@pytest.mark.parametrize("limit", [0.01, 0.3, 1.0])
def test_constant_map_is_the_diagonal(limit: float) -> None:
    masks, maps = random_maps(0)
    assert aupro(masks, np.full_like(maps, 0.5), limit) == pytest.approx(limit / 2)


def test_one_pixel_region_weighs_as_much_as_a_large_one() -> None:
    masks = np.zeros((1, 10, 10), bool)
    masks[0, 0, 0] = True
    masks[0, 5:, 5:] = True
    maps = np.where(masks, 0.0, 0.5)
    maps[0, 0, 0] = 1.0  # the small region is found first, the large one last
    assert aupro(masks, maps, limit=0.3) == pytest.approx(0.5)


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    masks = np.zeros((1, 10, 10), bool)
    masks[0, 2, 2] = masks[0, 3, 3] = masks[0, 8, 1] = True
    maps = np.where(masks, 0.0, 0.5)
    maps[0, 2, 2] = 1.0
    assert aupro(masks, maps) == pytest.approx(0.25)


@pytest.mark.parametrize("transform", [lambda s: 5 * s - 3, np.exp, lambda s: s**3], ids=["affine", "exp", "cube"])
def test_does_not_depend_on_the_scale_of_scores(transform: type) -> None:
    masks, maps = random_maps(1)
    maps = maps.astype(np.float64)
    assert aupro(masks, transform(maps)) == pytest.approx(aupro(masks, maps), abs=1e-13)


def test_one_outlier_barely_moves_the_exact_value() -> None:
    masks, maps = random_maps(2)
    with_outlier = maps.copy()
    with_outlier[5, 5, 5] = 1e6
    value, moved = aupro(masks, maps), aupro(masks, with_outlier)
    assert value is not None and moved is not None
    assert abs(moved - value) < 0.005


def test_undefined_is_none() -> None:
    maps = np.random.default_rng(0).random((2, 8, 8))
    assert aupro(np.zeros((2, 8, 8)), maps) is None
    assert aupro(np.ones((2, 8, 8)), maps) is None
    assert aupro(np.zeros((0, 8, 8)), np.zeros((0, 8, 8))) is None


def test_published_method_is_undefined_on_too_few_thresholds() -> None:
    masks, maps = random_maps(0)
    assert aupro(masks, np.zeros_like(maps), method="published") is None
    maps[5, 5, 5] = 1e6  # all other scores fall below the second threshold
    assert aupro(masks, maps, method="published") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"limit": 0.0}, "limit"), ({"limit": 1.5}, "limit"), ({"method": "fast"}, "method")],
)
def test_refuses_unknown_options(arguments: dict, message: str) -> None:
    masks, maps = random_maps(0)
    with pytest.raises(InputError, match=message):
        aupro(masks, maps, **arguments)

"""Regions of clouds without a grid, against a naive twin that looks at every pair of points."""

import numpy as np
import pytest

from pointad.metrics import PixelScores, aupro, pixel_metrics
from pointad.metrics.regions import cloud_regions, region_weights, shares_of_regions
from pointad.scans.sampling import resample


def naive_regions(points: np.ndarray, anomalous: np.ndarray, neighbours: int) -> np.ndarray:
    """Grows one region after the other over the whole graph, which is made from all distances."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    count = len(points)
    joined = np.zeros((count, count), bool)
    for one in range(count):
        for other in np.argsort(distances[one], kind="stable")[:neighbours]:
            if np.isfinite(distances[one, other]):
                joined[one, other] = joined[other, one] = True
    regions = np.zeros(count, int)
    for start in range(count):
        if not anomalous[start] or regions[start]:
            continue
        number = regions.max() + 1
        waiting = [start]
        while waiting:
            point = waiting.pop()
            if anomalous[point] and not regions[point]:
                regions[point] = number
                waiting += np.flatnonzero(joined[point]).tolist()
    return regions


@pytest.mark.parametrize("neighbours", [1, 3, 8, 40, 500])
@pytest.mark.parametrize("seed", range(3))
def test_regions_are_those_of_the_naive_twin(neighbours: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(300, 3))
    anomalous = rng.random(300) < 0.3
    expected = naive_regions(points, anomalous, neighbours)
    assert cloud_regions(points, anomalous, neighbours).tolist() == expected.tolist()
    assert expected.max() > 1 or neighbours > 3


def test_two_patches_of_a_surface_are_two_regions() -> None:
    grid = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0), [0.0]), axis=-1).reshape(-1, 3)
    shuffled = np.random.default_rng(0).permutation(len(grid))
    points = grid[shuffled]
    first = np.linalg.norm(points[:, :2] - [10, 10], axis=1) < 5
    second = np.linalg.norm(points[:, :2] - [30, 30], axis=1) < 3
    regions = cloud_regions(points, first | second)
    assert {*np.unique(regions[first])} | {*np.unique(regions[second])} == {1, 2}
    assert len(np.unique(regions[first])) == len(np.unique(regions[second])) == 1


@pytest.mark.parametrize("count", [8000, 16_000, 30_000])
def test_each_defect_of_a_cloud_that_was_filled_up_is_one_region(count: int) -> None:
    """Points in between lie in rows from each point to its three nearest ones; few rows meet those of other points."""
    rng = np.random.default_rng(count)
    points = rng.normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    defects = [points @ direction > 0.98 for direction in np.eye(3)]
    filled = resample(points)
    regions = cloud_regions(filled.points, np.any(defects, axis=0)[filled.sources])
    numbers = [set(regions[defect[filled.sources]].tolist()) for defect in defects]
    assert sorted(map(len, numbers)) == [1, 1, 1] and set.union(*numbers) == {1, 2, 3}


def test_points_at_one_place_are_neighbours() -> None:
    points = np.concatenate([np.zeros((50, 3)), np.ones((50, 3))])
    regions = cloud_regions(points, np.arange(100) % 2 == 0, neighbours=4)
    assert set(regions[:50:2]) and not set(regions[:50:2]) & set(regions[50::2])
    assert not regions[1::2].any()


def test_clouds_without_anomalous_points_have_no_region() -> None:
    assert not cloud_regions(np.zeros((5, 3)), np.zeros(5, bool)).any()
    assert cloud_regions(np.zeros((1, 3)), np.ones(1, bool)).tolist() == [1]


def test_aupro_over_given_regions_is_the_mean_over_them() -> None:
    """Places of the map in any order: the regions alone say what belongs together."""
    rng = np.random.default_rng(3)
    mask = np.zeros((24, 24), bool)
    mask[2:6, 2:9] = mask[15:20, 12:14] = True
    scores = rng.random((24, 24)) + 0.3 * mask
    from_grid = aupro(mask[None], scores[None])

    order = rng.permutation(mask.size)
    shuffled_mask = mask.ravel()[order].reshape(mask.shape)
    shuffled_scores = scores.ravel()[order].reshape(mask.shape)
    grid = np.stack([*np.indices(mask.shape), np.zeros(mask.shape)], axis=-1).reshape(-1, 3)[order]
    regions = cloud_regions(grid, shuffled_mask.ravel(), neighbours=8).reshape(mask.shape)
    collected = PixelScores()
    collected.add(shuffled_scores, shuffled_mask, regions)
    measured = pixel_metrics(collected, ["pixel_aupro", "pixel_auroc"])
    assert measured["pixel_aupro"] == pytest.approx(from_grid, abs=1e-12)
    assert aupro(shuffled_mask[None], shuffled_scores[None]) != pytest.approx(from_grid, abs=1e-3)


def test_shares_add_up_to_the_number_of_regions() -> None:
    mask = np.random.default_rng(1).random((30, 30)) < 0.3
    assert shares_of_regions(np.array([1, 1, 4, 2, 1])).tolist() == [1 / 3, 1 / 3, 1, 1, 1 / 3]
    assert region_weights(mask).sum() == pytest.approx(round(region_weights(mask).sum()))

"""Defect regions: joined by neighbourhood, described in the unit of the points, the worst first."""

import numpy as np
import pytest

from pointad.inspection.defect_regions import defect_regions, half_peak_threshold


@pytest.fixture
def plate() -> tuple[np.ndarray, np.ndarray]:
    """A plate of 100 x 50 millimetres with two separate spots of high scores."""
    x, y = np.meshgrid(np.arange(0, 100, 0.5), np.arange(0, 50, 0.5))
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=-1)
    scores = np.full(len(points), 0.1)
    scores[np.linalg.norm(points[:, :2] - [20, 20], axis=1) <= 5] = 0.7
    scores[(np.abs(points[:, 0] - 80) <= 8) & (np.abs(points[:, 1] - 30) <= 2)] = 0.6
    scores[np.argmin(np.linalg.norm(points[:, :2] - [82, 31], axis=1))] = 0.9
    return points, scores


def test_regions_are_described_and_sorted_by_their_peak(plate: tuple[np.ndarray, np.ndarray]) -> None:
    points, scores = plate
    worst, second = defect_regions(points, scores)
    assert worst.peak == pytest.approx(0.9) and worst.peak_position == (82, 31, 0)
    assert worst.centroid == pytest.approx((80, 30, 0)) and worst.extent == pytest.approx((16, 4, 0))
    assert worst.points == 33 * 9
    assert second.peak == pytest.approx(0.7) and second.centroid == pytest.approx((20, 20, 0))
    assert second.extent == pytest.approx((10, 10, 0))


def test_sparse_points_are_joined_too() -> None:
    x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
    points = np.stack([x.ravel(), y.ravel(), np.zeros(400)], axis=-1)
    scores = np.where((points[:, 0] < 4) & (points[:, 1] < 3), 0.9, 0.1)
    (region,) = defect_regions(points, scores)
    assert region.points == 12 and region.extent == (3, 2, 0)


def test_threshold_and_number_are_respected(plate: tuple[np.ndarray, np.ndarray]) -> None:
    points, scores = plate
    assert len(defect_regions(points, scores, 0.65)) == 1
    assert defect_regions(points, scores, 0.95) == []
    assert len(defect_regions(points, scores, most_regions=1)) == 1
    assert half_peak_threshold(scores) == pytest.approx(0.5)


def test_unit_does_not_matter(plate: tuple[np.ndarray, np.ndarray]) -> None:
    points, scores = plate
    for in_millimetres, in_metres in zip(
        defect_regions(points, scores), defect_regions(points * 0.001, scores), strict=True
    ):
        assert in_metres.points == in_millimetres.points
        assert in_metres.centroid == pytest.approx(np.array(in_millimetres.centroid) * 0.001)


def test_single_points_are_noise(plate: tuple[np.ndarray, np.ndarray]) -> None:
    points, scores = plate
    scores = np.full_like(scores, 0.1)
    scores[[5, 9000]] = 1.0
    assert defect_regions(points, scores) == []


def test_a_flat_map_is_one_region(plate: tuple[np.ndarray, np.ndarray]) -> None:
    points, scores = plate
    (region,) = defect_regions(points, np.full_like(scores, 0.3))
    assert region.points == len(points)
    assert set(region.to_json()) == {"centroid", "extent", "points", "peak", "peak_position"}

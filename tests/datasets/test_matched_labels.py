"""Ground truth of clouds in a folder of one's own: labels reach the points that they belong to, or are refused."""

import logging
from pathlib import Path

import numpy as np
import pytest
from dialects.base import NORMALS, POINTS, lines, rows

from pointad.datasets.folder import prepare
from pointad.errors import InputError
from pointad.scans.point_cloud import RawSample

COUNT = len(POINTS)
LABELS = (POINTS[:, 0] > np.quantile(POINTS[:, 0], 0.8)).astype(int)[:, None]
ORDER = np.random.default_rng(3).permutation(COUNT)
INDEX = np.arange(COUNT)[:, None]
SPARSE = INDEX * 3 + 5
INTENSITY = (INDEX * 7) % 251
BY_COORDINATES, BY_INDEX = "matched by their coordinates", "numbers the points"

TRUTHS = {
    "labels": (rows(LABELS), ""),
    "labels of kinds": (rows(LABELS * 3), ""),
    "coordinates": (rows(POINTS, LABELS), ""),
    "coordinates of few digits": (rows(POINTS, LABELS, form="%.1f"), ""),
    "coordinates in another order": (rows(POINTS[ORDER], LABELS[ORDER]), BY_COORDINATES),
    "label in front, in another order": (rows(LABELS[ORDER], POINTS[ORDER]), BY_COORDINATES),
    "normals behind, in another order": (rows(POINTS[ORDER], LABELS[ORDER], NORMALS[ORDER]), BY_COORDINATES),
    "numbered, in another order": (rows(INDEX[ORDER], POINTS[ORDER], LABELS[ORDER]), BY_COORDINATES),
    "index": (rows(INDEX, LABELS), BY_INDEX),
    "index in another order": (rows(INDEX[ORDER], LABELS[ORDER]), BY_INDEX),
    "index from 1 in another order": (rows(INDEX[ORDER] + 1, LABELS[ORDER]), BY_INDEX),
    "index behind, in another order": (rows(LABELS[ORDER], INDEX[ORDER]), BY_INDEX),
    "one line": ([" ".join(map(str, LABELS[:, 0]))], ""),
    "one line with commas": ([",".join(map(str, LABELS[:, 0]))], ""),
    "two flags": (rows(1 - LABELS, LABELS), ""),
}
REFUSED = {
    "another unit": (rows(POINTS * 10, LABELS), "covers another region"),
    "another unit and order": (rows(POINTS[ORDER] * 10, LABELS[ORDER]), "covers another region"),
    "other points in the same box": (rows(POINTS.min(axis=0) + POINTS.max(axis=0) - POINTS, LABELS), "has no row near"),
    "a row too few": (rows(POINTS[1:], LABELS[1:]), f"{COUNT - 1} rows, but"),
    "one line, of another scan": ([" ".join(map(str, LABELS[1:, 0]))], f"{COUNT - 1} labels"),
    "lines of several labels": (rows(LABELS.reshape(-1, 20)), f"{COUNT // 20} rows, but"),
    "no labels": (rows(POINTS), "but no labels"),
    "no labels, of another scan": (rows(POINTS * 10), "none of which is certain to be the labels"),
    "an intensity": (rows(POINTS, INTENSITY), "none of which is certain to be the labels"),
    "index with gaps": (rows(SPARSE[ORDER], LABELS[ORDER]), "row numbers in column 1 that are not 0 to"),
    "index with repetitions": (rows(INDEX // 2, LABELS), "row numbers in column 1 that are not 0 to"),
}


def labels_read(content: list[str], folder: Path, points: np.ndarray = POINTS) -> np.ndarray:
    """The labels that the folder's points get from a ground truth."""
    (folder / "scan.xyz").write_bytes(lines(rows(points)))
    (folder / "truth.txt").write_bytes(lines(content))
    sample = RawSample("folder", "part", "dent", "scan", 1, folder / "scan.xyz", mask_path=folder / "truth.txt")
    cloud = prepare(sample).point_cloud
    assert cloud.labels is not None
    np.testing.assert_allclose(cloud.points[: len(points)], points, atol=1e-3)
    return cloud.labels[: len(points)]


@pytest.mark.parametrize("name", TRUTHS)
def test_labels_reach_their_points(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content, said = TRUTHS[name]
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(labels_read(content, tmp_path), LABELS[:, 0] == 1)
    assert [part for part in (BY_COORDINATES, BY_INDEX) if part in caplog.text] == ([said] if said else [])


@pytest.mark.parametrize("name", REFUSED)
def test_labels_of_other_points_are_refused(name: str, tmp_path: Path) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(InputError, match=reason):
        labels_read(content, tmp_path)


def test_rows_in_another_order_within_a_hundredth_of_the_size(tmp_path: Path) -> None:
    points = 100 * np.random.default_rng(0).random((COUNT, 3))
    points[: COUNT // 2] *= 0.005  # many points in one corner, in another order
    order = np.concatenate([np.random.default_rng(1).permutation(COUNT // 2), np.arange(COUNT // 2, COUNT)])
    labels = (points[:, 0] < 0.2).astype(int)[:, None]
    read = labels_read(rows(points[order], labels[order], form="%.4f"), tmp_path, points)
    assert np.array_equal(read, labels[:, 0])
    few_digits = labels_read(rows(points, labels, form="%.1f"), tmp_path, points)
    assert np.array_equal(few_digits, labels[:, 0])


def test_a_flat_scan_without_labels_is_refused(tmp_path: Path) -> None:
    """Its heights are a few whole numbers, as labels are."""
    flat = np.column_stack([POINTS[:, :2], LABELS])
    with pytest.raises(InputError, match=r"holds the coordinates of scan\.xyz, but no labels"):
        labels_read(rows(flat), tmp_path, flat)

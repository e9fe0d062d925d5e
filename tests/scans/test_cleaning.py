"""Table, padding and clusters, with the scans that used to crash this step."""

import logging

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.cleaning import clean_scan, cluster_rule, keep_clusters, pad_to_square, remove_table
from pointad.scans.point_cloud import OrganizedScan


def table_scan(height: int = 120, width: int = 120, pitch: float = 0.0005) -> OrganizedScan:
    """A flat table 0.5 m away with a box of 40 x 40 pixels, 2 cm high, on it."""
    rows, columns = np.mgrid[:height, :width] * pitch
    xyz = np.stack([columns, rows, 0.5 + 0.05 * columns], -1).astype(np.float32)
    box = np.zeros((height, width), bool)
    box[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20] = True
    xyz[box, 2] -= 0.02
    return OrganizedScan(xyz=xyz, rgb=np.full((height, width, 3), 90, np.uint8), mask=(box * 255).astype(np.uint8))


def test_only_the_object_is_left() -> None:
    scan = table_scan()
    before = scan.xyz.copy()
    cleaned = clean_scan(scan, "scan")
    assert cleaned.rgb is not None and cleaned.mask is not None
    assert (
        cleaned.xyz.shape == (200, 200, 3) and cleaned.rgb.shape == (200, 200, 3) and cleaned.mask.shape == (200, 200)
    )
    present = cleaned.xyz[..., 2] != 0
    np.testing.assert_array_equal(present, cleaned.mask > 0)
    np.testing.assert_array_equal(cleaned.rgb[..., 0] > 0, present[:, :] & (cleaned.mask > 0))
    np.testing.assert_array_equal(cleaned.xyz[present], before[40:80, 40:80].reshape(-1, 3))
    np.testing.assert_array_equal(scan.xyz, before)


@pytest.mark.parametrize(
    ("shape", "side", "top", "left"),
    [((800, 800), 800, 0, 0), ((600, 800), 800, 100, 0), ((401, 333), 500, 49, 83), ((40, 70), 100, 30, 15)],
)
def test_padding(shape: tuple[int, int], side: int, top: int, left: int) -> None:
    xyz = np.ones((*shape, 3), np.float32)
    padded = pad_to_square(OrganizedScan(xyz=xyz)).xyz
    assert padded.shape == (side, side, 3)
    assert (padded[top : top + shape[0], left : left + shape[1]] == 1).all()
    assert padded.sum() == xyz.sum()


def test_a_stray_cluster_goes() -> None:
    scan = remove_table(table_scan(), "scan")
    scan.xyz[30:33, 30:45] = [0.015, 0.0, 0.4]
    cleaned = keep_clusters(scan, "scan")
    assert (cleaned.xyz[30:33, 30:45] == 0).all()
    assert (cleaned.xyz[..., 2] != 0).sum() == 40 * 40


def scan_in_pieces() -> OrganizedScan:
    """A box of 1,600 points, a part of 400 points that the sensor sees apart from it, and a speck of 9 points."""
    scan = remove_table(table_scan(), "scan")
    scan.xyz[85:105, 50:70] = scan.xyz[45:65, 50:70] + np.float32([0, 0.05, 0])
    scan.xyz[20:23, 20:23] = [0.2, 0.2, 0.3]
    return scan


@pytest.mark.parametrize(
    ("rule", "points"), [("largest", 1600), (0.01, 2000), ("all", 2009), (0.5, 1600), (0.999, 2009), (0.0, 2000)]
)
def test_rules_keep_the_clusters_that_they_name(rule: str | float, points: int) -> None:
    cleaned = keep_clusters(scan_in_pieces(), "scan", rule)
    assert (cleaned.xyz[..., 2] != 0).sum() == points


def test_lost_parts_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        keep_clusters(scan_in_pieces(), "scan 7", 0.01)
        keep_clusters(scan_in_pieces(), "scan 7", "largest")
    small, large = caplog.records
    assert small.levelno == logging.INFO and "0.4 % of the points" in small.getMessage()
    assert large.levelno == logging.WARNING and "20.4 % of the points" in large.getMessage()


@pytest.mark.parametrize("text", ["some", "-0.1", "1", "nan", ""])
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a valid rule"):
        cluster_rule(text)


def logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    assert any(text in record.message and "scan 7" in record.message for record in caplog.records), caplog.text


def test_empty_border(caplog: pytest.LogCaptureFixture) -> None:
    scan = table_scan()
    scan.xyz[:10] = scan.xyz[-10:] = scan.xyz[:, :10] = scan.xyz[:, -10:] = 0
    with caplog.at_level(logging.WARNING):
        assert remove_table(scan, "scan 7") is scan
    logged(caplog, "0 points on the border")


def test_border_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    scan = table_scan()
    scan.xyz[:10] = scan.xyz[-10:] = scan.xyz[:, :10] = scan.xyz[:, -10:] = 0
    scan.xyz[0, :, 0] = scan.xyz[0, :, 2] = np.linspace(0.1, 0.2, 120)
    with caplog.at_level(logging.WARNING):
        assert remove_table(scan, "scan 7") is scan
    logged(caplog, "do not determine a plane")


def test_nothing_but_table(caplog: pytest.LogCaptureFixture) -> None:
    scan = table_scan()
    scan.xyz[..., 2] = 0.5
    with caplog.at_level(logging.WARNING):
        assert remove_table(scan, "scan 7") is scan
    logged(caplog, "all points lie within 5 mm of the plane of the border")


def test_nothing_but_noise(caplog: pytest.LogCaptureFixture) -> None:
    scan = OrganizedScan(xyz=np.random.default_rng(0).random((20, 20, 3)).astype(np.float32))
    with caplog.at_level(logging.WARNING):
        assert keep_clusters(scan, "scan 7") is scan
    logged(caplog, "no cluster found among 400 points")


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (20, 20), (21, 84)])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_tiny_and_empty_scans(shape: tuple[int, int], value: float) -> None:
    cleaned = clean_scan(OrganizedScan(xyz=np.full((*shape, 3), value, np.float32)), "scan")
    assert cleaned.xyz.shape[0] == cleaned.xyz.shape[1]
    assert (cleaned.xyz != 0).sum() == (3 * shape[0] * shape[1] if value else 0)

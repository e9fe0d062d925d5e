"""The grid takes exactly the points that torch's nearest resizing takes."""

import numpy as np
import pytest
import torch
from PIL import Image

from pointad.scans.grid import cloud_from_scan, nearest_indices, resize_nearest
from pointad.scans.point_cloud import OrganizedScan


@pytest.mark.parametrize("size", [1, 100, 335, 336, 337, 400, 512, 700, 800, 900, 1000, 1400, *range(1500, 1600, 7)])
def test_indices_are_those_of_torch(size: int) -> None:
    rows = torch.arange(size, dtype=torch.float32)[None, None, :, None]
    expected = torch.nn.functional.interpolate(rows, size=(336, 1), mode="nearest")[0, 0, :, 0].numpy()
    np.testing.assert_array_equal(nearest_indices(size, 336), expected)


def test_resizing_is_that_of_torch() -> None:
    values = np.random.default_rng(0).random((700, 512, 3)).astype(np.float32)
    expected = torch.nn.functional.interpolate(torch.from_numpy(values).permute(2, 0, 1)[None], size=336)[0]
    np.testing.assert_array_equal(resize_nearest(values), expected.permute(1, 2, 0).numpy())


def test_cloud_leaves_holes_out() -> None:
    rng = np.random.default_rng(1)
    xyz = rng.random((400, 400, 3)).astype(np.float32) + 1
    xyz[100:200, 50:350, 2] = 0
    mask = np.zeros((400, 400), np.uint8)
    mask[210:260, 30:90] = 1
    cloud = cloud_from_scan(OrganizedScan(xyz=xyz, mask=mask))
    assert cloud.nonzero_indices is not None and cloud.labels is not None
    small = resize_nearest(xyz).reshape(-1, 3)
    np.testing.assert_array_equal(cloud.points, small[cloud.nonzero_indices])
    np.testing.assert_array_equal(cloud.nonzero_indices, np.flatnonzero(small[:, 2]))
    bicubic = np.asarray(Image.fromarray(mask * 255).resize((336, 336), Image.Resampling.BICUBIC)) / 255 > 0.5
    np.testing.assert_array_equal(cloud.labels, bicubic.reshape(-1)[cloud.nonzero_indices])
    assert cloud.labels.any() and not cloud.labels.all()

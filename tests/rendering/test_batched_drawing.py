"""The PyTorch path beside the NumPy path, on every device at hand."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from portable_clouds import ShadedCloud, blob, bowl, box
from reference_cases import psnr

from pointad.datasets.eyecandies import EYECANDIES_RIG
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.datasets.real3d import REAL3D_RIG
from pointad.errors import InputError
from pointad.files.pictures import resize_picture
from pointad.rendering.batched_drawing import check_device
from pointad.rendering.batched_resizing import resize_batch
from pointad.rendering.renderer import render
from pointad.rendering.views import ViewRig, directions
from pointad.scans.point_cloud import PointCloud

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
CASES = [
    (bowl(84), dataclasses.replace(MVTEC3D_RIG, point_size=10, views=MVTEC3D_RIG.views[::4])),
    (box(30), dataclasses.replace(EYECANDIES_RIG, views=EYECANDIES_RIG.views[::4])),
    (blob(40), dataclasses.replace(REAL3D_RIG, views=REAL3D_RIG.views[::4])),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("shaded", "rig"), CASES, ids=["mvtec", "eyecandies", "real3d"])
def test_all_views_at_once_equal_one_after_the_other(shaded: ShadedCloud, rig: ViewRig, device: str) -> None:
    expected = render(shaded.cloud, rig, normals=shaded.normals)
    sample = render(shaded.cloud, rig, normals=shaded.normals, device=torch.device(device))
    np.testing.assert_array_equal(sample.correspondences, expected.correspondences)
    np.testing.assert_array_equal(sample.views_gt, expected.views_gt)
    assert np.abs(sample.views.astype(int) - expected.views).max() <= 1
    assert min(psnr(view, reference) for view, reference in zip(sample.views, expected.views, strict=True)) >= 80


@pytest.mark.parametrize("device", DEVICES)
def test_options_hold_there_too(device: str) -> None:
    shaded, rig = CASES[0]
    options = {"visibility": "splat", "correspondence": "centred", "image_size": 300, "normals": shaded.normals}
    expected = render(shaded.cloud, rig, **options)  # type: ignore[arg-type]
    sample = render(shaded.cloud, rig, device=torch.device(device), **options)  # type: ignore[arg-type]
    np.testing.assert_array_equal(sample.correspondences, expected.correspondences)
    assert sample.views.shape == (3, 300, 300)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("window", "size"), [(1024, 336), (1036, 336), (640, 300)])
def test_resizing_equals_pillow(window: int, size: int, device: str) -> None:
    generator = np.random.default_rng(window)
    pictures = np.stack([generator.integers(0, 256, (window, window)), generator.choice([0, 255], (window, window))])
    pictures = pictures.astype(np.uint8)
    resized = resize_batch(torch.as_tensor(pictures, device=device), size).cpu().numpy()
    np.testing.assert_array_equal(resized, np.stack([resize_picture(picture, size) for picture in pictures]))


def test_devices_without_double_precision_are_refused() -> None:
    with pytest.raises(InputError, match="double precision"):
        check_device(torch.device("mps"))


@pytest.mark.parametrize("device", ["mps:7", "meta", "gpu", "", 0])
def test_devices_that_are_not_there_are_refused(device: Any) -> None:
    shaded, rig = CASES[0]
    with pytest.raises(InputError, match="device"):
        render(shaded.cloud, rig, normals=shaded.normals, device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_pictures_larger_than_the_window_equal_pillows(device: str) -> None:
    shaded, rig = CASES[0]
    small = dataclasses.replace(rig, window=50, gt_window=30, point_size=3, gt_point_size=2)
    wanted = render(shaded.cloud, small, normals=shaded.normals)
    drawn = render(shaded.cloud, small, normals=shaded.normals, device=device)
    np.testing.assert_array_equal(drawn.views, wanted.views)
    np.testing.assert_array_equal(drawn.views_gt, wanted.views_gt)


@pytest.mark.parametrize("device", DEVICES)
def test_points_on_the_border_of_pixels_fall_on_the_same_side(device: str) -> None:
    """Quotients with a number of Python's are products with a reciprocal in PyTorch, which moved points by a pixel."""
    generator = np.random.default_rng(0)
    for _ in range(300):
        points = np.zeros((100, 3))
        points[:, 0] = generator.normal(size=100)
        rig = ViewRig(directions((20.0,), (-30.0,)), int(generator.integers(16, 300)), 64, 5, 3, 0.3, 1.0, 30, False)
        cloud, normals = PointCloud(points), np.tile([0.0, 0.0, 1.0], (100, 1))
        options: dict[str, Any] = {"image_size": 7, "normals": normals, "correspondence": "centred"}
        wanted, drawn = render(cloud, rig, **options), render(cloud, rig, device=device, **options)
        np.testing.assert_array_equal(drawn.correspondences, wanted.correspondences)


@pytest.mark.parametrize("device", DEVICES)
def test_a_narrow_default_type_changes_no_picture(device: str) -> None:
    shaded, rig = CASES[0]
    wanted = render(shaded.cloud, rig, normals=shaded.normals, device=device)
    torch.set_default_dtype(torch.float16)
    try:
        drawn = render(shaded.cloud, rig, normals=shaded.normals, device=device)
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(drawn.views, wanted.views)

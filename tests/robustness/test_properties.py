"""What holds for any cloud, rig, size and labels: no crash, finite outputs, invariances, and writing then reading."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pointad.data import layout, rendered_files
from pointad.data.layout import SampleFiles
from pointad.data.visibility import fill_never_seen
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.errors import InputError
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.files.masks import read_mask
from pointad.files.npy_files import read_npy
from pointad.files.pictures import read_picture, write_png
from pointad.files.torch_files import read_torch_file, write_torch_file
from pointad.metrics import aupro, auroc, average_precision
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import render
from pointad.rendering.views import View
from pointad.scans.files import read_scan
from pointad.scans.pcd import read_pcd, write_pcd
from pointad.scans.point_cloud import PointCloud
from pointad.scans.tiff import read_xyz_tiff, write_xyz_tiff
from pointad.scoring.back_projection import back_project

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = ("normal", "plane", "line", "far", "lumps")


def cloud_of(seed: int, count: int, shape: str) -> np.ndarray:
    """Points (count, 3) of one of SHAPES."""
    points = np.random.default_rng(seed).normal(size=(count, 3))
    if shape == "plane":
        points[:, 2] = 0
    elif shape == "line":
        points[:] = points[:, :1] * [1, 2, 3]
    elif shape == "far":
        points += [1e4, -1e4, 1e4]
    elif shape == "lumps":
        points = np.round(points)
    return points


@st.composite
def clouds(draw: st.DrawFn) -> PointCloud:
    points = cloud_of(draw(SEEDS), draw(st.integers(20, 200)), draw(st.sampled_from(SHAPES)))
    labels = np.random.default_rng(draw(SEEDS)).random(len(points)) < draw(st.sampled_from([0.0, 0.1, 1.0]))
    return PointCloud(points * draw(st.sampled_from([1e-3, 1.0, 1e3])), labels)


@st.composite
def rigs(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    axes = st.builds(View, st.sampled_from("xy"), st.floats(-180, 180))
    return dataclasses.replace(
        MVTEC3D_RIG,
        views=tuple(draw(st.lists(axes, min_size=1, max_size=3))),
        window=draw(st.integers(40, 90)),
        gt_window=draw(st.integers(40, 90)),
        point_size=draw(st.sampled_from([None, 1, 2, 5, 12])),
        first_rotation=draw(st.floats(-4, 4)),
        steps_back=draw(st.booleans()),
    )


@FEW
@given(clouds(), rigs(), st.integers(8, 48), st.sampled_from(["nearest", "splat"]), st.booleans())
def test_any_cloud_is_rendered(cloud: PointCloud, rig, size: int, visibility: str, centred: bool) -> None:  # type: ignore[no-untyped-def]
    correspondence = "centred" if centred else "truncated"
    sample = render(cloud, rig, image_size=size, visibility=visibility, correspondence=correspondence)
    views = len(rig.views)
    assert sample.views.shape == sample.views_gt.shape == (views, size, size)
    assert sample.correspondences.shape == (views, len(cloud.points), 3)
    pixels, visible = sample.correspondences[..., :2], sample.correspondences[..., 2]
    assert pixels.min() >= 0 and pixels.max() < size
    assert set(np.unique(visible)) <= {0, 1} and visible.any(axis=1).all()
    if cloud.labels is not None and not cloud.labels.any():
        assert not sample.views_gt.any()


@FEW
@given(SEEDS, st.sampled_from(["normal", "lumps"]))
def test_order_of_points_is_followed(seed: int, shape: str) -> None:
    points = np.unique(cloud_of(seed, 120, shape), axis=0)
    rig = dataclasses.replace(MVTEC3D_RIG, views=(View("x", 20.0),), window=64, point_size=3)
    order = np.random.default_rng(seed).permutation(len(points))
    normals = np.random.default_rng(seed + 1).normal(size=points.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    first = render(PointCloud(points), rig, image_size=32, normals=normals)
    second = render(PointCloud(points[order]), rig, image_size=32, normals=normals[order])
    # A last bit of the sum that the centre is, may push a point on an edge to the next pixel.
    same = (second.correspondences[..., :2] == first.correspondences[:, order, :2]).all(axis=-1)
    assert same.mean() > 0.97


@FEW
@given(st.data(), st.integers(1, 3), st.integers(2, 6), st.integers(1, 4))
def test_back_projection(data: st.DataObject, samples: int, side: int, views: int) -> None:
    count = side * side
    rng = np.random.default_rng(data.draw(SEEDS))
    non_zero = rng.random((samples, count)) < 0.8
    non_zero[:, 0] = True
    visible = (rng.random((samples, views, count)) < 0.4) & non_zero[:, None]
    visible[:, 0, 0] = True
    flags = np.stack([fill_never_seen(v, z) for v, z in zip(visible, non_zero, strict=True)])
    places = rng.integers(0, side, (samples, views, count, 2))
    correspondences = torch.from_numpy(np.concatenate([places, flags[..., None]], axis=-1))
    maps = torch.rand(samples, views, side, side, generator=torch.Generator().manual_seed(side))
    holes = torch.from_numpy(non_zero)
    values = back_project(maps, correspondences, holes)
    assert values.shape == (samples, count) and torch.isfinite(values).all()
    assert (values[~holes] == 0).all()
    assert values[holes].min() >= maps.min() - 1e-6 and values[holes].max() <= maps.max() + 1e-6
    ones = back_project(torch.ones_like(maps), correspondences, holes)
    torch.testing.assert_close(ones, holes.float())
    order = torch.randperm(views, generator=torch.Generator().manual_seed(views))
    torch.testing.assert_close(back_project(maps[:, order], correspondences[:, order], holes), values)
    alone = back_project(maps[:1], correspondences[:1], holes[:1])
    torch.testing.assert_close(alone, values[:1])


@FEW
@given(st.lists(st.tuples(st.booleans(), st.integers(-50, 50)), min_size=2, max_size=60), SEEDS)
def test_rank_metrics(pairs: list[tuple[bool, int]], seed: int) -> None:
    labels = np.array([label for label, _ in pairs])
    scores = np.array([float(score) for _, score in pairs])
    area, precision = auroc(labels, scores), average_precision(labels, scores)
    if labels.all() or not labels.any():
        assert area is None or np.isnan(area)
        return
    assert area is not None and precision is not None and 0 <= area <= 1 and 0 < precision <= 1
    order = np.random.default_rng(seed).permutation(len(labels))
    for changed in (np.exp(scores / 20), 3 * scores - 7, np.arctan(scores)):
        assert auroc(labels, changed) == pytest.approx(area, abs=1e-12)
        assert average_precision(labels[order], changed[order]) == pytest.approx(precision, abs=1e-12)
    assert auroc(labels, -scores) == pytest.approx(1 - area, abs=1e-12)


@FEW
@given(SEEDS, st.integers(1, 4), st.integers(4, 16), st.floats(0.02, 0.9))
def test_aupro(seed: int, count: int, side: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((count, side, side)) < share
    maps = rng.random((count, side, side)).astype(np.float32)
    area = aupro(masks, maps)
    if masks.all() or not masks.any():
        assert area is None or np.isnan(area)
        return
    assert area is not None and 0 <= area <= 1 + 1e-12
    assert aupro(masks, maps * 0.5 + 0.1) == pytest.approx(area, abs=1e-6)
    assert aupro(masks[::-1], maps[::-1]) == pytest.approx(area, abs=1e-12)
    assert aupro(masks, masks.astype(np.float32)) == pytest.approx(1.0)


BYTES = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))
# Below 999, the first number that may stand for no data.
FLOATS = arrays(
    np.float32, st.tuples(st.integers(2, 9), st.integers(4, 9), st.just(3)), elements=st.floats(-500, 500, width=32)
)


@FEW
@given(BYTES)
def test_pictures_come_back(picture: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        write_png(path, picture)
        np.testing.assert_array_equal(read_picture(path, "RGB"), picture)
        write_png(path, picture[..., 0])
        if picture[..., 0].all():
            with pytest.raises(InputError, match="marks every pixel"):
                read_mask(path)
            return
        np.testing.assert_array_equal(read_mask(path) > 0, picture[..., 0] > 0)


@FEW
@given(FLOATS)
def test_scans_come_back(xyz: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_xyz_tiff(Path(folder) / "a.tiff", xyz)
        np.testing.assert_array_equal(read_xyz_tiff(Path(folder) / "a.tiff"), xyz)
        points, colors = xyz.reshape(-1, 3), (np.abs(xyz.reshape(-1, 3)) % 256).astype(np.uint8)
        write_pcd(Path(folder) / "a.pcd", points, colors)
        cloud = read_pcd(Path(folder) / "a.pcd")
        np.testing.assert_array_equal(cloud.points, points)
        np.testing.assert_array_equal(cloud.colors, colors)
        read = read_scan(Path(folder) / "a.pcd").points
        holes = np.isnan(read).any(axis=1)  # heights of 0 are no data if the others are far from it
        np.testing.assert_array_equal(read[~holes], points[~holes])
        assert (points[holes, 2] == 0).all()


@FEW
@given(SEEDS, st.integers(1, 4), st.integers(1, 40), st.booleans())
def test_rendered_samples_come_back(seed: int, views: int, count: int, organized: bool) -> None:
    rng = np.random.default_rng(seed)
    sample = RenderedSample(
        views=rng.integers(0, 256, (views, 8, 8), dtype=np.uint8),
        views_gt=rng.integers(0, 256, (views, 8, 8), dtype=np.uint8),
        correspondences=np.concatenate(
            [rng.integers(0, 336, (views, count, 2)), rng.integers(0, 2, (views, count, 1))], axis=-1
        ).astype(np.int16),
        nonzero_indices=np.sort(rng.choice(112_896, count, replace=False)).astype(np.int32) if organized else None,
    )
    with tempfile.TemporaryDirectory() as folder:
        files = SampleFiles(Path(folder), "class", "good", "000")
        rendered_files.write_rendered_sample(files, sample)
        assert layout.is_finished(files, views)
        np.testing.assert_array_equal(rendered_files.read_views(files.views, range(views))[..., 0], sample.views)
        np.testing.assert_array_equal(rendered_files.read_views_gt(files.views_gt, range(views)), sample.views_gt)
        read = rendered_files.read_correspondences(files.correspondences, range(views))
        np.testing.assert_array_equal(read, sample.correspondences)
        assert read_npy(files.correspondences / "view_0_cor.npy").dtype == np.int16
        np.testing.assert_array_equal(
            rendered_files.read_nonzero_indices(files.correspondences), sample.nonzero_indices
        )


METRICS = st.dictionaries(st.sampled_from(["image_auroc", "pixel_aupro"]), st.none() | st.floats(0, 1))


@FEW
@given(st.dictionaries(st.text(min_size=1), st.dictionaries(st.sampled_from(["point", "fused"]), METRICS)), st.text())
def test_results_come_back(classes: dict, note: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        try:
            Results(classes, RunRecord(others={"note": note})).save(path)
        except UnicodeEncodeError:
            pytest.fail("a text that cannot be written")
        read = Results.load(path)
        assert read.classes == classes and read.run.others == {"note": note}


@FEW
@given(st.dictionaries(st.text(), arrays(np.float32, st.integers(0, 5), elements=st.floats(-1, 1, width=32))))
def test_torch_files_come_back(content: dict[str, np.ndarray]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pth"
        write_torch_file({name: torch.from_numpy(values) for name, values in content.items()}, path)
        read = read_torch_file(path, kind="file", remedy="none")
        assert read.keys() == content.keys()
        assert all(torch.equal(read[name], torch.from_numpy(values)) for name, values in content.items())

"""The library's face: the evaluation's numbers, one value for every point, no state between calls."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sample_scans import closed_shape, depth_scan

from pointad.data.batch import collate
from pointad.data.dataset import SampleOptions, to_sample
from pointad.data.rendered_scan import from_rendered_sample
from pointad.data.view_subset import ViewChoice
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.datasets.real3d import REAL3D_RIG
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.scored_sample import PromptSet, score_one
from pointad.inspection.prediction import Prediction
from pointad.inspection.predictor import PointAD
from pointad.inspection.preparation import EXTENT
from pointad.model.backbone import ClipBackbone
from pointad.model.weight_locations import demo_checkpoints
from pointad.rendering.renderer import render
from pointad.rendering.views import View
from pointad.scans.grid import cloud_from_scan
from pointad.scans.point_cloud import OrganizedScan, RawSample


@pytest.mark.parametrize("with_picture", [False, True])
def test_organized_scan_scores_as_in_the_evaluation(
    with_picture: bool, detector: PointAD, small_backbone: ClipBackbone, text_features: torch.Tensor
) -> None:
    """Scaled by hand to where the predictor scales it, the path of test.py gives the same maps and scores."""
    xyz = depth_scan(300, 300)
    picture = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8) if with_picture else None
    prediction = detector.predict(xyz, picture)

    points = cloud_from_scan(OrganizedScan(xyz)).points
    scale = EXTENT / np.ptp(points, axis=0).max()
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    present = xyz[..., 2:] != 0
    scaled = np.where(present, (xyz - center) * scale + [0, 0, 1.0], 0)  # no point may come to lie at z == 0
    rendered = render(cloud_from_scan(OrganizedScan(scaled)), MVTEC3D_RIG)
    options = SampleOptions(image_size=small_backbone.image_size)
    source = RawSample("", "", "", "", 0, Path())
    batch = collate([to_sample(source, from_rendered_sample(rendered, picture, None, options), options)])
    prompts = PromptSet("", lambda _: text_features)
    expected = score_one(batch, PictureEncoder(small_backbone).encode(batch), 0, prompts, EvaluationSettings())

    assert prediction.modality_scores.keys() == expected.scores.keys()
    for modality, score in expected.scores.items():
        assert prediction.modality_scores[modality] == pytest.approx(score, abs=2e-3)
        np.testing.assert_allclose(prediction.grid_maps[modality], expected.maps[modality], atol=5e-3)
    assert prediction.score == prediction.modality_scores["fused" if with_picture else "point"]
    np.testing.assert_allclose(prediction.view_scores, expected.view_scores, atol=2e-3)


def test_pages_of_clouds_open_with_the_view_that_shows_the_most_anomalous_place(detector: PointAD) -> None:
    points = closed_shape(5_000)
    for cloud in (points, points * [1, -1, -1]):
        prediction = detector.predict(cloud, views=[View("x", 72), View("y", 100), View("x", 144)])
        column, row, _ = prediction.correspondences[view_of_peak(prediction)].T
        right, up, _ = (cloud @ prediction.display_rotation.T).T
        assert np.corrcoef(right, column)[0, 1] > 0.99 and np.corrcoef(up, row)[0, 1] < -0.99


def view_of_peak(prediction: Prediction) -> int:
    scores = prediction.rendered_scores
    highest = scores >= np.median(scores) + 0.9 * (scores.max() - np.median(scores))
    return int(prediction.correspondences[:, highest, 2].sum(axis=1).argmax())


def test_every_point_of_a_cloud_gets_a_score(detector: PointAD) -> None:
    points = closed_shape(150_000)
    points[17] = np.nan
    prediction = detector.predict(points)
    assert prediction.point_scores.shape == (150_000,) and prediction.point_scores.dtype == np.float32
    assert prediction.point_scores[17] == 0
    others = np.delete(prediction.point_scores, 17)
    assert np.isin(others, prediction.rendered_scores).all()
    assert others.min() > 0 and others.max() == prediction.rendered_scores.max()
    assert prediction.views.shape == prediction.maps.shape == (9, 336, 336)
    assert len(prediction.view_names) == len(prediction.view_scores) == 9
    assert prediction.score == pytest.approx((others.max() + prediction.view_scores.mean()) / 2)


def test_a_prediction_is_shown_in_one_line(detector: PointAD, cloud: np.ndarray) -> None:
    shown = repr(detector.predict(cloud, views=2))
    assert re.fullmatch(
        rf"Prediction\(score=0\.\d{{4}}, without a pixel grid, 2 views, [\d,]+ of {len(cloud):,} points scored\)", shown
    )


@pytest.mark.parametrize("shape", [(200, 200), (500, 500), (90, 160)])
def test_every_pixel_of_an_organized_scan_gets_a_score(shape: tuple[int, int], detector: PointAD) -> None:
    xyz = depth_scan(*shape)
    prediction = detector.predict(xyz)
    assert prediction.point_scores.shape == shape
    holes = xyz[..., 2] == 0
    assert (prediction.point_scores[holes] == 0).all() and (prediction.point_scores[~holes] > 0).all()


def test_scores_lie_on_the_map_where_the_pixels_are(detector: PointAD) -> None:
    xyz = depth_scan(336, 336)
    prediction = detector.predict(xyz)
    present = xyz[..., 2] != 0
    np.testing.assert_array_equal(prediction.point_scores[present], prediction.grid_maps["point"][present])


def test_unit_and_offset_do_not_matter(detector: PointAD, cloud: np.ndarray) -> None:
    expected = detector.predict(cloud)
    moved = detector.predict(cloud * 0.001 + [400, -3, 12])
    assert moved.score == pytest.approx(expected.score, abs=1e-3)
    np.testing.assert_allclose(moved.point_scores, expected.point_scores, atol=0.02)


def test_order_of_the_points_matters_only_to_the_published_smoothing(detector: PointAD, cloud: np.ndarray) -> None:
    order = np.random.default_rng(1).permutation(len(cloud))
    expected, shuffled = detector.predict(cloud), detector.predict(cloud[order])
    np.testing.assert_allclose(shuffled.point_scores, expected.point_scores[order], atol=0.02)
    published, published_shuffled = (detector.predict(points, smoothing="grid") for points in (cloud, cloud[order]))
    assert np.abs(published_shuffled.point_scores - published.point_scores[order]).max() > 0.02


def test_smoothing_on_the_surface_makes_neighbours_alike(detector: PointAD, cloud: np.ndarray) -> None:
    raw, smooth = (detector.predict(cloud, sigma=sigma).point_scores for sigma in (0.0, 12.0))
    assert smooth.std() < 0.8 * raw.std()
    assert smooth.mean() == pytest.approx(raw.mean(), abs=0.02)


def test_rigs_look_from_where_they_say(detector: PointAD, cloud: np.ndarray) -> None:
    assert detector.predict(cloud).view_names[0] == "x -144°"
    assert detector.predict(cloud, rig="front").view_names[-1] == "y 30°"
    assert detector.predict(cloud, rig=REAL3D_RIG).view_names[4] == "x 0°"


def test_several_threads_get_what_one_gets(detector: PointAD) -> None:
    clouds = [closed_shape(1500, seed) for seed in range(4)]
    expected = [detector.predict(points) for points in clouds]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detector.predict, clouds))
    for one, other in zip(found, expected, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)
        np.testing.assert_allclose(one.point_scores, other.point_scores, atol=1e-5)


def test_inputs_and_random_state_stay_as_they_are(detector: PointAD, scan: np.ndarray) -> None:
    points, picture = scan.copy(), np.full((*scan.shape[:2], 3), 90, dtype=np.uint8)
    np.random.seed(3)
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[union-attr]
    detector.predict(points, picture)
    np.testing.assert_array_equal(points, scan)
    assert (picture == 90).all()
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize(
    ("arguments", "named"), [({"rig": "side"}, "side"), ({"smoothing": "none"}, "none"), ({"visibility": "all"}, "all")]
)
def test_unknown_options_are_named(detector: PointAD, cloud: np.ndarray, arguments: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        detector.predict(cloud, **arguments)


def test_prompts_and_clip_are_loaded_from_files(golden_weights: Path, cloud: np.ndarray) -> None:
    loaded = PointAD.from_checkpoint(golden_weights / "prompts.pth", golden_weights / "clip_tiny.pt", device="cpu")
    assert not loaded.is_demo and "clip_tiny" in loaded.backbone_name
    assert np.isfinite(loaded.predict(cloud[:1000]).point_scores).all()


def test_missing_files_and_devices_are_named(golden_weights: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        PointAD.from_checkpoint("nowhere.pth", golden_weights / "clip_tiny.pt")
    with pytest.raises(InputError, match="abacus"):
        PointAD.from_checkpoint(golden_weights / "prompts.pth", golden_weights / "clip_tiny.pt", device="abacus")


@pytest.mark.slow
def test_five_million_points(detector: PointAD) -> None:
    points = closed_shape(5_000_000)
    prediction = detector.predict(points)
    assert prediction.point_scores.shape == (5_000_000,) and prediction.point_scores.min() > 0


def test_arguments_that_cannot_be_meant(detector: PointAD) -> None:
    points = depth_scan()
    hostile: tuple[tuple[Any, dict[str, Any], str], ...] = (
        (points.tolist(), {}, "points: are a list; give a NumPy array"),
        (np.ma.masked_invalid(points), {}, "points: are a MaskedArray; .*filled"),
        (torch.from_numpy(points), {}, r"points: are a Tensor; give a NumPy array, such as numpy\.asarray"),
        ("scan.ply", {}, r"points: are a str; .*read_scan"),
        (points, {"sigma": -1.0}, "sigma -1: is not a width"),
        (points, {"sigma": float("nan")}, "sigma nan: is not a width"),
        (points, {"metres_per_unit": -1.0}, "metres_per_unit -1: is not a valid unit"),
        (points, {"metres_per_unit": 1e-300}, "metres_per_unit 1e-300: is not a valid unit"),
        (points, {"views": 0}, "views"),
        (points, {"views": "x0"}, "views 'x0': are not views"),
        (points, {"views": [View("x", 0), View("y", 30), View("x", 0)]}, "views: x0 and x0 are the same direction"),
        (points, {"views": [View("x", 0), View("x", 360)]}, "views: x0 and x360 are the same direction"),
        (points, {"sigma": 1e9}, "sigma 1e\\+09: is larger than 2048"),
    )
    for given, arguments, problem in hostile:
        with pytest.raises(InputError, match=problem):
            detector.predict(given, **arguments)


def test_views_may_be_a_number_or_directions(detector: PointAD) -> None:
    few = detector.predict(depth_scan(), views=3)
    named = detector.predict(depth_scan(), views=ViewChoice(count=3))
    assert few.score == named.score and len(few.view_scores) == 3
    frontal = detector.predict(depth_scan(), views=[View("x", 0.0)])
    assert frontal.score == detector.predict(depth_scan(), views=1).score
    for rig, names in (("front", ("x -15°", "x 0°", "x 15°")), ("around", ("x -108°", "x 0°", "x 108°"))):
        assert detector.predict(closed_shape(300), views=3, rig=rig).view_names == names


def test_prompts_that_do_not_fit_are_told_before_a_model_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointad.inspection.predictor.load_backbone", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(InputError, match=r"epoch_15\.pth: checkpoint not found"):
        PointAD.from_checkpoint(tmp_path / "epoch_15.pth")
    demo = demo_checkpoints()[0]
    with pytest.raises(InputError, match=r"text encoder of width 64, while that of ViT-L-14-336 is 768"):
        PointAD.from_checkpoint(demo)
    with pytest.raises(InputError, match=r"text encoder of width 64, while that of ViT-B-16 is 512"):
        PointAD.from_checkpoint(demo, clip="laion2b_s34b_b88k", clip_model="ViT-B-16")


def test_what_was_found_and_what_is_good_can_be_kept_in_sets_and_lists(detector: PointAD, cloud: np.ndarray) -> None:
    """Comparing their arrays would end in an error about truth values."""
    first, second = (detector.predict(cloud[:500], views=1) for _ in range(2))
    good = detector.make_reference([cloud[:500]], views=1)
    assert first == first and first != second and {first, second, good} == {good, second, first}
    assert second in [first, second]

"""Our pictures beside stored ones of Open3D's window, and our projection beside OpenCV's with Open3D's cameras."""

import json

import cv2
import numpy as np
import pytest
from reference_cases import CAMERAS, CASES, ReferenceCase, psnr, turned_clouds

from pointad.files.pictures import read_picture
from pointad.rendering.camera import look_at, step_back
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import render

LARGEST_DIFFERENCE = 2  # grey levels
LOWEST_PSNR = 80.0  # decibels


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> ReferenceCase:
    return request.param


@pytest.fixture(scope="module")
def rendered(case: ReferenceCase) -> RenderedSample:
    shaded = case.make()
    return render(shaded.cloud, case.rig, normals=shaded.normals)


def test_views_show_what_open3d_shows(case: ReferenceCase, rendered: RenderedSample) -> None:
    references = np.split(read_picture(case.views, "grey"), len(case.rig.views), axis=1)
    for view, reference in zip(rendered.views, references, strict=True):
        assert np.abs(view.astype(int) - reference).max() <= LARGEST_DIFFERENCE
        assert psnr(view, reference) >= LOWEST_PSNR


def test_ground_truth_is_identical(case: ReferenceCase, rendered: RenderedSample) -> None:
    reference = read_picture(case.views_gt, "grey")
    assert reference.any()
    np.testing.assert_array_equal(np.concatenate(list(rendered.views_gt), axis=1), reference)


def test_pixels_are_those_of_opencv_with_open3d_cameras(case: ReferenceCase, rendered: RenderedSample) -> None:
    cameras = json.loads(CAMERAS.read_text())[case.name]
    for (points, _), camera, correspondence in zip(turned_clouds(case), cameras, rendered.correspondences, strict=True):
        extrinsic = np.array(camera["extrinsic"])
        rotation = cv2.Rodrigues(extrinsic[:3, :3])[0]
        pixels = cv2.projectPoints(points, rotation, extrinsic[:3, 3], np.array(camera["intrinsic"]), None)[0][:, 0]
        expected = np.clip(pixels * 336 / case.rig.window, 0, 335).astype(int)
        np.testing.assert_array_equal(correspondence[:, :2], expected)


def test_camera_steps_back_as_often(case: ReferenceCase) -> None:
    cameras = json.loads(CAMERAS.read_text())[case.name]
    for (points, _), expected in zip(turned_clouds(case), cameras, strict=True):
        camera = look_at(points.T)
        if case.rig.steps_back:
            moved = step_back(points.T, camera, case.rig.window)
            assert expected["steps"] == round((moved.distance - camera.distance) / 0.005) >= 1
            camera = moved
        eye = -np.array(expected["extrinsic"])[:3, 3] * (1, -1, -1)
        np.testing.assert_allclose([camera.center[0], camera.center[1], camera.eye_z], eye, atol=1e-9)

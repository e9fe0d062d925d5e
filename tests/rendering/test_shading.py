"""Shading beside the lighting model written out plainly in double precision."""

import numpy as np
from portable_clouds import blob

from pointad.rendering.camera import Camera, look_at
from pointad.rendering.shading import shade


def phong_plainly(points: np.ndarray, normals: np.ndarray, camera: Camera) -> np.ndarray:
    """Brightness (N,) of points and normals (N, 3); four lights on the axis through the box's centre."""
    eye = np.array([camera.center[0], camera.center[1], camera.eye_z])

    def directions(target: np.ndarray) -> np.ndarray:
        return (target - points) / np.linalg.norm(target - points, axis=1, keepdims=True)

    def dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return (first * second).sum(axis=1, keepdims=True)

    to_eye = directions(eye)
    normals = np.where(dot(normals, to_eye) < 0, -normals, normals)
    brightness = np.zeros((len(points), 1))
    for height in (2, 2, -2, -2):
        to_light = directions(camera.center + np.array([0, 0, height * camera.extent]))
        mirrored = 2 * dot(normals, to_light) * normals - to_light
        brightness += 0.66 * 0.7 * np.maximum(dot(normals, to_light), 0)
        brightness += 0.2 * np.clip(dot(mirrored, to_eye), 0, 1) ** 100
    return np.minimum(brightness, 1)[:, 0]


def test_shading_is_phong_with_four_lights() -> None:
    shaded = blob(40)
    points = np.ascontiguousarray(shaded.cloud.points.T)
    normals = np.ascontiguousarray(shaded.normals.T, dtype=np.float32)
    camera = look_at(points)
    expected = 255 * phong_plainly(shaded.cloud.points, shaded.normals, camera)
    assert expected.max() == 255
    assert expected.min() < 120
    assert np.abs(shade(points, normals, camera) - expected).max() <= 0.505


def test_sign_of_normals_does_not_matter() -> None:
    shaded = blob(20)
    points = np.ascontiguousarray(shaded.cloud.points.T)
    normals = np.ascontiguousarray(shaded.normals.T, dtype=np.float32)
    camera = look_at(points)
    np.testing.assert_array_equal(shade(points, normals, camera), shade(points, -normals, camera))

"""The grey of a point under the four white lights of Open3D's window (Phong shading, constant over a splat)."""

import numpy as np

from pointad.rendering.camera import Camera

ALBEDO = 0.7  # every point has this grey
BACKGROUND = 255  # the window is white
LIGHT_HEIGHTS = (2.0, -2.0)  # two lights each above and below the centre of the bounding box, in extents
DIFFUSE = 2 * 0.66  # of the two lights at one place together
SPECULAR = 2 * 0.2
HIGHLIGHT_FLOOR = 0.5  # the highlight's base to the power of 100 is negligible below this
_CHUNK = 8192  # points that are shaded together, so that their data stay in the processor's cache


def shade(points: np.ndarray, normals: np.ndarray, camera: Camera) -> np.ndarray:
    """Grey values (N,) uint8 of points seen by a camera.

    A normal that faces away from the eye is flipped, so its sign does not matter.

    Args:
        points: (3, N) float64, rotated into the view.
        normals: (3, N) float32 unit vectors, rotated into the view.
        camera: the camera of the view.
    """
    count = points.shape[1]
    greys = np.empty(count, np.uint8)
    eye = np.array([[camera.center[0]], [camera.center[1]], [camera.eye_z]])
    for start in range(0, count, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        from_eye = ((points[:, chunk] - eye) * (1 / camera.extent)).astype(np.float32)
        grey = phong(from_eye, normals[:, chunk], camera.distance / camera.extent)
        greys[chunk] = grey * np.float32(255) + np.float32(0.5)
    return greys


def phong(from_eye: np.ndarray, normals: np.ndarray, distance: float) -> np.ndarray:
    """Brightness (N,) float32, 0 .. 1.

    The lights lie on the camera's axis, which simplifies every dot product.

    Args:
        from_eye: (3, N) float32, from the eye to the points, in extents of the cloud.
        normals: (3, N) float32 unit vectors.
        distance: from the eye to the centre of the cloud's bounding box, in extents.
    """
    x, y, z = from_eye
    sideways = x * x + y * y  # squared distance from the camera's axis
    inverse_distance = 1 / np.sqrt(sideways + z * z)
    along = normals[0] * x + normals[1] * y + normals[2] * z  # normal . (point - eye)
    # Flip the normal towards the eye.
    normal_z = np.copysign(normals[2], -along * normals[2])
    along = np.abs(along)
    toward_eye = along * inverse_distance  # normal . direction to the eye

    brightness = np.zeros_like(x)
    for light_height in LIGHT_HEIGHTS:
        height = np.float32(light_height - distance)  # of the light above the eye
        rise = height - z  # from the point up to the light
        inverse = 1 / np.sqrt(sideways + rise * rise)
        toward_light = (height * normal_z + along) * inverse  # normal . direction to the light
        eye_to_light = (sideways - z * rise) * inverse * inverse_distance  # cosine between the two directions
        highlight = 2 * toward_light * toward_eye - eye_to_light  # direction to the eye . mirrored light
        brightness += np.float32(DIFFUSE * ALBEDO) * np.maximum(toward_light, 0)
        brightness += np.float32(SPECULAR) * _power_100(np.clip(highlight, np.float32(HIGHLIGHT_FLOOR), 1))
    return np.minimum(brightness, 1)


def _power_100(base: np.ndarray) -> np.ndarray:
    """base to the power of 100 by repeated squaring, 100 = 64 + 32 + 4."""
    power_4 = np.square(np.square(base))
    power_32 = np.square(np.square(np.square(power_4)))
    return power_4 * power_32 * np.square(power_32)

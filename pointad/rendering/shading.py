"""The grey of a point under the four white lights of Open3D's window (Phong shading, constant over a splat)."""

import numpy as np

from pointad.rendering.camera import Camera

ALBEDO = 0.7  # every point is painted in this grey
BACKGROUND = 255  # the window is white
_LIGHT_HEIGHTS = (2.0, -2.0)  # two lights each above and below the box's centre, in extents
_DIFFUSE = 2 * 0.66  # of the two lights at one place together
_SPECULAR = 2 * 0.2
_SHININESS_FLOOR = 0.5  # the highlight's base raised to 100 is nothing below this


def shade(points: np.ndarray, normals: np.ndarray, camera: Camera) -> np.ndarray:
    """Grey values (N,) uint8 of points seen by a camera.

    A normal that faces away from the eye is turned around, so its sign does not matter. Lengths are measured in
    extents from the eye, and both lights lie on the camera's axis; so every scalar product of the shading model is
    made of four numbers: the squared distance, the height, the normal's height and the product of both vectors.

    Args:
        points: (3, N) float64, turned into the view.
        normals: (3, N) float32 unit vectors, turned into the view.
        camera: where the camera stands.
    """
    single = np.float32
    eye = np.array([camera.center[0], camera.center[1], camera.eye_z])
    x, y, z = ((points - eye[:, None]) / camera.extent).astype(single)
    inverse_distance = 1 / np.sqrt(x * x + y * y + z * z)
    normal_x, normal_y, normal_z = normals
    along = normal_x * x + normal_y * y + normal_z * z  # normal . (point - eye)
    normal_z = np.where(along > 0, -normal_z, normal_z)
    along = -np.abs(along)
    toward_eye = -along * inverse_distance  # normal . direction to the eye

    grey = np.zeros_like(x)
    for height_in_extents in _LIGHT_HEIGHTS:
        height = single(height_in_extents - camera.distance / camera.extent)  # of the light above the eye
        rise = height - z
        inverse = 1 / np.sqrt(x * x + y * y + rise * rise)
        toward_light = (height * normal_z - along) * inverse  # normal . direction to the light
        between = (x * x + y * y - z * rise) * inverse * inverse_distance  # direction to the eye . to the light
        mirrored = 2 * toward_light * toward_eye - between
        grey += single(_DIFFUSE * ALBEDO) * np.maximum(toward_light, 0)
        grey += single(_SPECULAR) * _power_100(np.clip(mirrored, single(_SHININESS_FLOOR), 1))
    return (np.minimum(grey, 1) * single(255) + single(0.5)).astype(np.uint8)


def _power_100(base: np.ndarray) -> np.ndarray:
    """base to the power of 100 by repeated squaring, 100 = 64 + 32 + 4."""
    power_4 = np.square(np.square(base))
    power_32 = np.square(np.square(np.square(power_4)))
    return power_4 * power_32 * np.square(power_32)

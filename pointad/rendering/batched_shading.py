"""The lighting of `shading` for all views at once with PyTorch."""

import torch
from torch import Tensor

from pointad.rendering.shading import ALBEDO, DIFFUSE, HIGHLIGHT_FLOOR, LIGHT_HEIGHTS, SPECULAR


def shade_batch(points: Tensor, normals: Tensor, center: Tensor, extent: Tensor, distance: Tensor) -> Tensor:
    """Grey values (V, N) uint8; step by step what `shading.phong` computes.

    Args:
        points: (V, 3, N) float64, rotated into the views.
        normals: (V, 3, N) float32 unit vectors, rotated into the views.
        center: (V, 3) float64, the points that the cameras look at.
        extent: (V, 1) float64, longest sides of the clouds' bounding boxes.
        distance: (V, 1) float64, from the eyes to the centres.
    """
    eye = torch.cat((center[:, :2], center[:, 2:] + distance), dim=1)
    x, y, z = ((points - eye[..., None]) * (1 / extent[..., None])).float().unbind(dim=1)
    normal_x, normal_y, normal_z = normals.unbind(dim=1)
    sideways = x * x + y * y
    inverse_distance = 1 / (sideways + z * z).sqrt()
    along = normal_x * x + normal_y * y + normal_z * z
    normal_z = torch.copysign(normal_z, -along * normal_z)
    along = along.abs()
    toward_eye = along * inverse_distance

    brightness = torch.zeros_like(x)
    for light_height in LIGHT_HEIGHTS:
        height = (light_height - distance / extent).float()
        rise = height - z
        inverse = 1 / (sideways + rise * rise).sqrt()
        toward_light = (height * normal_z + along) * inverse
        eye_to_light = (sideways - z * rise) * inverse * inverse_distance
        highlight = 2 * toward_light * toward_eye - eye_to_light
        brightness += (DIFFUSE * ALBEDO) * toward_light.clamp(min=0)
        brightness += SPECULAR * _power_100(highlight.clamp(HIGHLIGHT_FLOOR, 1))
    return (brightness.clamp(max=1) * 255 + 0.5).to(torch.uint8)


def _power_100(base: Tensor) -> Tensor:
    power_4 = base.square().square()
    power_32 = power_4.square().square().square()
    return power_4 * power_32 * power_32.square()

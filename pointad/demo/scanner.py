"""Simulates an RGB-D camera looking at an object on a table: points with noise and holes, and a shaded picture."""

from dataclasses import dataclass

import numpy as np

from pointad.demo.defects import Specimen
from pointad.demo.noise import smooth_noise
from pointad.scans.point_cloud import OrganizedScan


@dataclass(frozen=True)
class Scanner:
    """A depth camera above the table; the defaults are those of the demo data set."""

    distance: float = 0.5  # metres from the camera to the table
    depth_noise: tuple[float, float] = (0.00003, 0.00010)  # metres, range of the standard deviation
    tilt: float = 0.04  # largest slope of the table in the camera's frame
    lost_points: tuple[float, float] = (0.001, 0.006)  # range of the share of points lost at random
    lost_slope: float = 6.0  # rise over run above which points may be lost


def scan(rng: np.random.Generator, specimen: Specimen, scanner: Scanner) -> OrganizedScan:
    """Scan a specimen from above: the camera looks along +z, nearer is smaller, lost points are all zero.

    Args:
        rng: the source of noise, tilt, holes and light.
        specimen: the object on its table, coordinates in metres about the optical axis.
        scanner: the camera.

    Returns:
        `xyz` (H, W, 3) float32 in metres, `rgb` (H, W, 3) uint8 and `mask` (H, W) uint8 with 255 at defects.
    """
    x, y = specimen.x[None, :], specimen.y[:, None]
    slope_x, slope_y = rng.uniform(-scanner.tilt, scanner.tilt, 2)
    noise = rng.normal(0, rng.uniform(*scanner.depth_noise), specimen.height.shape)
    depth = scanner.distance + slope_x * x + slope_y * y - specimen.height + noise
    # The grid's columns and rows are positions on the table: the ray through a pixel hits the object nearer the axis.
    scale = depth / scanner.distance
    xyz = np.stack([x * scale, y * scale, depth], axis=-1)
    xyz[_lost(rng, specimen, scanner)] = 0
    return OrganizedScan(
        xyz=xyz.astype(np.float32), rgb=photograph(rng, specimen), mask=(specimen.mask * np.uint8(255)).astype(np.uint8)
    )


def _lost(rng: np.random.Generator, specimen: Specimen, scanner: Scanner) -> np.ndarray:
    """(H, W) bool: points without a depth, scattered singly, in small patches, and along steep walls."""
    height = specimen.height
    slope_y, slope_x = np.gradient(height, specimen.pitch)
    steep = np.hypot(slope_x, slope_y) > scanner.lost_slope
    lost = rng.random(height.shape) < rng.uniform(*scanner.lost_points)
    lost |= steep & (rng.random(height.shape) < rng.uniform(0.1, 0.5))
    patches = smooth_noise(rng, specimen.x, specimen.y, 0.003, 0.010, waves=30)
    return lost | (patches > rng.uniform(3.2, 4.0))


def photograph(rng: np.random.Generator, specimen: Specimen) -> np.ndarray:
    """(H, W, 3) uint8: the specimen's colours under a lamp from one side and ambient light."""
    slope_y, slope_x = np.gradient(specimen.height, specimen.pitch)
    length = np.sqrt(1 + slope_x**2 + slope_y**2)
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.2)
    lamp_x, lamp_y, lamp_z = np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)
    lit = np.clip((lamp_z - slope_x * lamp_x - slope_y * lamp_y) / length, 0, None)
    ambient = rng.uniform(0.3, 0.45)
    light = rng.uniform(0.9, 1.1) * (ambient + (1 - ambient) * lit)
    picture = 255 * specimen.albedo * light[..., None] + rng.normal(0, 2.0, specimen.albedo.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

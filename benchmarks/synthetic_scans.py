"""Generated scans in the form of MVTec 3D-AD's, for measuring speed: organized, in metres, with sensor noise."""

from collections.abc import Callable

import numpy as np

from pointad.scans.point_cloud import OrganizedScan

SIDE = 800  # pixels
PITCH = 0.11 / SIDE  # metres between neighbouring pixels
NOISE = 4e-5  # metres, standard deviation along the line of sight
DISTANCE = 0.6  # metres from the sensor to the ground


def ring() -> OrganizedScan:
    """A bagel: about 75 000 points after the scan is brought to 336 x 336."""

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(0, 0.0195**2 - (np.hypot(x, y) - 0.034) ** 2))

    return _scan(height, anomaly_at=(0.03, 0.01), seed=0)


def plate() -> OrganizedScan:
    """A wavy plate that fills the whole scan: 112 896 points after it is brought to 336 x 336."""

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.01 + 0.005 * np.cos(70 * x) * np.sin(55 * y)

    return _scan(height, anomaly_at=(0.02, -0.02), seed=1)


def _scan(
    height: Callable[[np.ndarray, np.ndarray], np.ndarray], anomaly_at: tuple[float, float], seed: int
) -> OrganizedScan:
    axis = (np.arange(SIDE) - (SIDE - 1) / 2) * PITCH
    x, y = np.meshgrid(axis, axis)
    surface = height(x, y)
    distance_to_anomaly = np.hypot(x - anomaly_at[0], y - anomaly_at[1])
    surface += np.where(surface > 0, 0.002 * np.exp(-((distance_to_anomaly / 0.004) ** 2)), 0)
    depth = DISTANCE - surface + np.random.default_rng(seed).normal(0, NOISE, surface.shape)
    xyz = np.stack((x, y, depth), axis=2) * (surface > 0)[..., None]
    mask = (distance_to_anomaly < 0.007) & (surface > 0)
    return OrganizedScan(xyz.astype(np.float32), mask=mask.astype(np.uint8) * np.uint8(255))

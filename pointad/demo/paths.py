"""Polylines of varying width: the centre lines of tubes, strands and rolls."""

import numpy as np


def nearest_on_path(u: np.ndarray, v: np.ndarray, path: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance to a polyline of varying width.

    Args:
        u, v: (H, W) coordinates.
        path: (N, 2) vertices of the line.
        width: (N,) half width of the line at each vertex.

    Returns:
        (H, W) smallest distance as a fraction of the half width, and (H, W) the position along the line where it
        occurs: n at vertex n, interpolated between vertices.
    """
    nearest = np.full(u.shape, np.inf, dtype=np.float32)
    place = np.zeros(u.shape, dtype=np.float32)
    u, v = u.astype(np.float32), v.astype(np.float32)
    for number in range(len(path) - 1):
        (start_u, start_v), (step_u, step_v) = path[number].tolist(), (path[number + 1] - path[number]).tolist()
        share = ((u - start_u) * step_u + (v - start_v) * step_v) * (1 / (step_u**2 + step_v**2))
        share = np.clip(share, 0, 1)
        half = width[number].item() + (width[number + 1] - width[number]).item() * share
        distance = ((u - start_u - step_u * share) ** 2 + (v - start_v - step_v * share) ** 2) / (half * half)
        closer = distance < nearest
        nearest[closer] = distance[closer]
        place[closer] = number + share[closer]
    return np.sqrt(nearest.astype(np.float64)), place.astype(np.float64)


def along_path(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate values (N,) given at the vertices of a line to positions (H, W) along it."""
    return np.interp(place, np.arange(len(values)), values)

"""Writes a cloud with its scores as PLY, which CloudCompare, MeshLab, Open3D and Blender open."""

from pathlib import Path

import numpy as np

from pointad.files.atomic import atomic_path
from pointad.visualization.arrays import require_shape
from pointad.visualization.heat import heat_colors, to_unit_range


def write_heat_cloud(
    path: str | Path, points: np.ndarray, scores: np.ndarray, heat_range: tuple[float, float] | None = None
) -> None:
    """Write points with heat colours and a scalar property `anomaly`, binary little-endian.

    Args:
        path: the file to write.
        points: (N, 3) floating point; stored in 32 bits when that loses nothing, else in 64.
        scores: (N,), stored in 32 bits.
        heat_range: values of the two ends of the colour scale; None takes the least and greatest score.

    Raises:
        InputError: the shapes do not match, or the file cannot be written.
    """
    require_shape(points, (len(points), 3), "points")
    require_shape(scores, (len(points),), "scores")
    coordinate = "<f4" if (points.astype(np.float32) == points).all() else "<f8"
    fields = [(axis, coordinate) for axis in "xyz"]
    fields += [("anomaly", "<f4")] + [(channel, "u1") for channel in ("red", "green", "blue")]
    if heat_range is None:
        heat_range = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 1.0)
    vertices = np.empty(len(points), dtype=fields)
    for axis, values in zip("xyz", points.T, strict=True):
        vertices[axis] = values
    vertices["anomaly"] = scores
    colors = heat_colors(to_unit_range(scores, heat_range))
    for channel, values in zip(("red", "green", "blue"), colors.T, strict=True):
        vertices[channel] = values
    names = {"<f4": "float", "<f8": "double", "u1": "uchar"}
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment anomaly scores by PointAD; colours from {heat_range[0]:.6g} (blue) to {heat_range[1]:.6g} (red)",
        f"element vertex {len(points)}",
        *(f"property {names[kind]} {name}" for name, kind in fields),
        "end_header\n",
    ]
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write("\n".join(lines).encode("ascii"))
        file.write(vertices.tobytes())

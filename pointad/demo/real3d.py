"""The demo objects in the raw format of Real3D-AD: clouds of the closed surface in millimetres, with point labels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pointad.demo.defects import Specimen
from pointad.demo.generation import file_of_class
from pointad.demo.objects import CLASSES
from pointad.demo.scans import ScanName, make_specimen
from pointad.files.atomic import atomic_path
from pointad.scans.meshes import sample_surface
from pointad.scans.pcd import write_pcd
from pointad.scans.point_cloud import PointCloud

MILLIMETRES = 1000  # in a metre
POINTS = (60_000, 150_000)  # range of the number of points of a cloud: fewer and more than are rendered
NOISE = 0.02  # millimetres, standard deviation

# Clouds per class, and the defect used for each kind in the data set.
TEST_CLOUDS: dict[str, int] = {"good": 4, "bulge": 2, "sink": 2}
DEFECTS: dict[str, str] = {"good": "good", "bulge": "lump", "sink": "pit"}


def list_scans(classes: tuple[str, ...] = CLASSES) -> Iterator[ScanName]:
    """All clouds of the data set, in a fixed order; the species are good, bulge and sink."""
    for class_name in classes:
        for species, count in TEST_CLOUDS.items():
            yield from (ScanName(class_name, "test", species, number) for number in range(count))


def write_scan(name: ScanName, seed: int, root: Path) -> None:
    """Generate one cloud and write it below `root`: a `.pcd` file, and a text file with labels for anomalous ones.

    Raises:
        InputError: a file cannot be written.
    """
    cloud = make_cloud(name, seed)
    identifier = f"{name.number}_{name.species}"
    write_pcd(file_of_class(root, name.class_name, name.split, f"{identifier}.pcd"), cloud.points)
    if name.species != "good" and cloud.labels is not None:
        with atomic_path(file_of_class(root, name.class_name, "gt", f"{identifier}.txt")) as path:
            np.savetxt(path, np.column_stack([cloud.points, cloud.labels]), fmt=("%.5f", "%.5f", "%.5f", "%d"))


def make_cloud(name: ScanName, seed: int) -> PointCloud:
    """Generate one cloud.

    Args:
        name: of the cloud; its species is one of `TEST_CLOUDS`.
        seed: the seed of the whole data set.

    Returns:
        Points (N, 3) in millimetres with labels; the object's underside is flat.
    """
    rng, specimen = make_specimen(ScanName(name.class_name, name.split, DEFECTS[name.species], name.number), seed)
    vertices, faces = closed_surface(specimen)
    points, _ = sample_surface(vertices, faces, None, int(rng.integers(*POINTS)), rng, name.class_name)
    columns, rows = (
        np.rint((points[:, axis] / MILLIMETRES - grid[0]) / specimen.pitch).astype(int)
        for axis, grid in ((0, specimen.x), (1, specimen.y))
    )
    on_top = points[:, 2] > specimen.height[rows, columns] * MILLIMETRES / 2
    labels = specimen.mask[rows, columns] & on_top
    # Rotated by 180 degrees, so that the renderer's middle view shows the top.
    return PointCloud(points=(points + rng.normal(0, NOISE, points.shape)) * [1, -1, -1], labels=labels)


def closed_surface(specimen: Specimen) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of the height field with its steep walls, closed at the bottom by the plane of the table.

    Returns:
        Vertices (V, 3) in millimetres and faces (F, 3).
    """
    height = specimen.height
    x, y = np.meshgrid(specimen.x, specimen.y)
    top = np.stack([x, y, height], axis=-1).reshape(-1, 3)
    bottom = top * [1, 1, 0]
    corner = np.arange(height.size).reshape(height.shape)
    quads = np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]], axis=-1).reshape(-1, 4)
    solid = height.reshape(-1)[quads] > 0
    upper = quads[solid.any(axis=1)]
    lower = quads[solid.any(axis=1)] + height.size
    triangles = [part[:, corners] for part in (upper, lower) for corners in ([0, 1, 2], [0, 2, 3])]
    return np.concatenate([top, bottom]) * MILLIMETRES, np.concatenate(triangles)

"""Small raw archives in the three formats, written with third-party libraries."""

from pathlib import Path

import numpy as np
import open3d
import pytest
import tifffile
from eyecandies_scans import write_box
from PIL import Image

SIDE = 128  # pixels of the MVTec-like scans


@pytest.fixture(scope="session")
def mvtec_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes with a dome on a table: good, bumped; one scan is not square and one good scan has no mask."""
    root = tmp_path_factory.mktemp("mvtec")
    for number, class_name in enumerate(("bagel", "own_part")):
        for species in ("good", "bump"):
            folder = root / class_name / "test" / species
            for kind in ("xyz", "rgb", "gt"):
                (folder / kind).mkdir(parents=True)
            write_dome(folder, "000", SIDE, SIDE, bump=species == "bump", seed=number)
        write_dome(root / class_name / "test" / "good", "001", SIDE - 28, SIDE, bump=False, seed=9)
    (root / "bagel" / "test" / "good" / "gt" / "001.png").unlink()
    return root


def write_dome(folder: Path, name: str, height: int, width: int, *, bump: bool, seed: int) -> None:
    """An organized scan in metres, z towards the scene: table at 0.5, a dome of 3 cm radius on it."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:height, :width] - np.array([height / 2, width / 2])[:, None, None]) * (0.1 / SIDE)
    dome = np.sqrt(np.clip(0.03**2 - x**2 - y**2, 0, None))
    bumped = np.hypot(x - 0.01, y) < 0.006
    z = 0.5 - dome - (0.004 * bumped if bump else 0) + rng.normal(0, 0.00005, x.shape)
    xyz = np.stack([x, y, z], axis=-1).astype(np.float32)
    xyz[rng.random(x.shape) < 0.01] = 0
    rgb = np.where((dome > 0)[..., None], [200, 150, 90], [40, 40, 45]).astype(np.uint8)
    tifffile.imwrite(folder / "xyz" / f"{name}.tiff", xyz, photometric="rgb")
    Image.fromarray(rgb).save(folder / "rgb" / f"{name}.png")
    Image.fromarray((bumped & bump) * np.uint8(255)).save(folder / "gt" / f"{name}.png")


@pytest.fixture(scope="session")
def eyecandies_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One class: a box on a table, seen from a camera at 45 degrees, 128 x 128 pixels; scan 01 has a bump."""
    root = tmp_path_factory.mktemp("eyecandies")
    data = root / "Confetto" / "test_public" / "data"
    data.mkdir(parents=True)
    write_box(data, "00", bump=False)
    write_box(data, "01", bump=True)
    return root


@pytest.fixture(scope="session")
def real3d_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of small spheres, in millimetres; one more class in the layout of Anomaly-ShapeNet."""
    root = tmp_path_factory.mktemp("real3d")
    for class_name, truth, good, delimiter in (
        ("seahorse", "gt", "12_good", " "),
        ("ashtray0", "GT", "ashtray0_positive3", ","),
    ):
        for folder in ("train", "test", truth):
            (root / class_name / folder).mkdir(parents=True)
        points = np.random.default_rng(len(class_name)).normal(size=(20_000, 3))
        points = 15 * points / np.linalg.norm(points, axis=1, keepdims=True)
        write_cloud(root / class_name / "test" / f"{good}.pcd", points)
        write_cloud(root / class_name / "test" / "3_template.pcd", points)
        labels = points[:, 2] > 13
        points = points * np.where(labels, 1.1, 1)[:, None]
        write_cloud(root / class_name / "test" / "7_bulge_cut.pcd", points)
        rows = np.column_stack([points, labels])
        np.savetxt(root / class_name / truth / "7_bulge_cut.txt", rows, delimiter=delimiter, fmt="%.6f")
    return root


def write_cloud(path: Path, points: np.ndarray) -> None:
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    assert open3d.io.write_point_cloud(str(path), cloud)

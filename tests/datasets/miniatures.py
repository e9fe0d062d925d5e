"""Miniatures of raw archives in their exact layout: two classes, each with a good scan and a dented one or more."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import open3d
import tifffile
import trimesh
from PIL import Image
from sample_scans import closed_shape, depth_scan

POINTS = 2000


def write_shapenet(root: Path) -> None:
    """Anomaly-ShapeNet, below ``pcd``: one class with commas, one with spaces."""
    for seed, (class_name, delimiter) in enumerate((("ashtray0", ","), ("vase9", " "))):
        folder = root / "pcd" / class_name
        points, dented, labels = clouds(seed)
        for name, cloud in (
            (f"train/{class_name}_template0", points),
            (f"test/{class_name}_positive3", points),
            (f"test/{class_name}_bulge1", dented),
        ):
            write_pcd(folder / f"{name}.pcd", cloud)
        write_rows(folder / "GT" / f"{class_name}_bulge1.txt", np.column_stack([dented, labels]), delimiter)


def write_minishift(root: Path) -> None:
    """MiniShift with fewer points; the difficulties differ in the size of the dent."""
    for seed, class_name in enumerate(("capsule", "nut")):
        folder = root / class_name
        points, _, _ = clouds(seed)
        for split in ("train", "test"):
            write_rows(folder / split / "good" / "0.txt", points)
        for level, border in (("easy", 20), ("medium", 23), ("hard", 26)):
            _, dented, labels = clouds(seed, border)
            write_rows(folder / "test" / "pit" / level / "3.txt", dented)
            write_rows(folder / "gt" / "pit" / level / "3.txt", labels[:, None].astype(int), fmt="%d")


def write_mulsen(root: Path) -> None:
    """MulSen-AD; scan 1 of the defect color is good for the laser scanner."""
    for seed, class_name in enumerate(("capsule", "light")):
        scans, pictures = root / class_name / "Pointcloud", root / class_name / "RGB"
        sphere = trimesh.creation.icosphere(subdivisions=4, radius=10 + seed)
        labels = sphere.vertices[:, 2] > 8
        dented = trimesh.Trimesh(sphere.vertices * np.where(labels, 0.95, 1)[:, None], sphere.faces, process=False)
        for name, mesh in (
            ("train/0", sphere),
            ("test/good/0", sphere),
            ("test/hole/0", dented),
            ("test/color/1", sphere),
        ):
            path = scans / f"{name}.stl"
            path.parent.mkdir(parents=True, exist_ok=True)
            mesh.export(path)
        write_rows(scans / "GT" / "hole" / "0.txt", dented.vertices[labels], ",")
        for species, row in (("hole", "0,1,0,1"), ("color", "1,1,0,0"), ("good", "0,0,0,0")):
            path = pictures / "GT" / species / "data.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"object,label_rgb,label_infrared,label_pc\n{row}\n")


def write_adam(root: Path) -> None:
    """3D-ADAM: points in one category, in the other a depth map copied to three channels."""
    for class_name, is_depth in (("1m1", True), ("gripper", False)):
        for species, bump in (("good", 0.0), ("Cuts", 0.01)):
            xyz, rgb, mask = recording(bump)
            if is_depth:
                depth = np.where(xyz[..., 2] > 0, xyz[..., 2], 0)
                xyz = np.repeat(depth[..., None], 3, axis=-1)
            for split in ("train", "validation", "test") if not bump else ("test",):
                folder = root / class_name / split / species
                write_tiff(folder / "xyz" / "004_C.tiff", xyz)
                write_picture(folder / "rgb" / "004_C.png", rgb)
                write_picture(folder / "ground_truth" / "004_C.png", mask)


def write_realiad(root: Path) -> None:
    """Real-IAD D3: pictures in folders of their own and twice the size of the scan, NaN where there is no point."""
    for class_name in ("audio_jack", "lego_propeller"):
        for species, bump in (("GOOD", 0.0), ("scratch", 0.01)):
            xyz, rgb, mask = recording(bump)
            xyz = np.where(xyz[..., 2:] > 0, xyz, np.nan)
            folder = root / class_name / "test" / species
            write_tiff(folder / "xyz" / "S0001.tiff", xyz)
            write_picture(folder / "rgb" / "S0001" / "top.jpg", np.repeat(np.repeat(rgb, 2, 0), 2, 1))
            if bump:
                write_picture(folder / "gt" / "rgb" / "top.png", np.repeat(np.repeat(mask, 2, 0), 2, 1))


def write_mvtec(root: Path, class_name: str = "tire", counts: tuple[int, int, int] = (3, 1, 1)) -> None:
    """MVTec 3D-AD: one class with so many good scans to learn from, good ones of the test, and bad ones."""
    kinds = (("train", "good", 0.0), ("test", "good", 0.0), ("test", "hole", 0.01))
    for (split, species, bump), count in zip(kinds, counts, strict=True):
        folder = root / class_name / split / species
        for number in range(count):
            xyz, rgb, mask = recording(bump)
            xyz[..., 2] *= np.float32(1 + 0.01 * number + 0.005 * (split == "train"))
            write_tiff(folder / "xyz" / f"{number:03d}.tiff", xyz)
            write_picture(folder / "rgb" / f"{number:03d}.png", rgb)
            if split == "test":
                write_picture(folder / "gt" / f"{number:03d}.png", mask)


MINIATURES: dict[str, Callable[[Path], None]] = {
    "shapenet_pc_3d": write_shapenet,
    "minishift_pc_3d": write_minishift,
    "mulsen_pc_3d": write_mulsen,
    "adam_pc_3d_rgb": write_adam,
    "realiad_pc_3d_rgb": write_realiad,
}


def clouds(seed: int, border: float = 25) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A closed shape, the same with one end pushed in, and which points were."""
    points = closed_shape(POINTS, seed)
    labels = points[:, 0] > border
    return points, points * np.where(labels, 0.9, 1)[:, None], labels


def recording(bump: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An organized scan (120, 160, 3) of a bump in metres, its picture, and the mask of a second bump on it."""
    xyz = depth_scan(120, 160)
    raised = np.hypot(xyz[..., 0] - 0.005, xyz[..., 1]) < 0.004
    xyz[..., 2] -= np.float32(bump) * (raised & (xyz[..., 2] > 0))
    rgb = np.where(xyz[..., 2:] > 0, [180, 140, 90], [30, 30, 35]).astype(np.uint8)
    return xyz, rgb, (raised & (bump > 0)) * np.uint8(255)


def write_pcd(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert open3d.io.write_point_cloud(str(path), open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points)))


def write_rows(path: Path, rows: np.ndarray, delimiter: str = " ", fmt: str = "%.5f") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, rows, delimiter=delimiter, fmt=fmt)


def write_tiff(path: Path, xyz: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, xyz.astype(np.float32), photometric="rgb")


def write_picture(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)

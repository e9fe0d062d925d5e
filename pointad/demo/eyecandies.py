"""The demo objects in the raw format of Eyecandies: depth pictures from a camera that looks down at 45 degrees."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from scipy.ndimage import map_coordinates

from pointad.datasets.eyecandies import FOCAL_LENGTH, LIGHTING
from pointad.demo.defects import Specimen
from pointad.demo.generation import file_of_class
from pointad.demo.objects import CLASSES
from pointad.demo.scanner import photograph
from pointad.demo.scans import ScanName, make_specimen
from pointad.files.atomic import atomic_path

PICTURE_SIDE = 512  # pixels
ENLARGEMENT = 8  # the sweets of that data set are about this many times larger than the demo objects
CAMERA_DISTANCE = 1.9  # metres from the table's centre
CAMERA_ELEVATION = np.pi / 4

# Scans per class and kind of defect, and the data set's name for the kind.
TEST_SCANS: dict[str, int] = {"good": 4, "lump": 1, "pit": 1, "rough": 1, "stain": 1}
KINDS: dict[str, str] = {"lump": "bumps", "pit": "dents", "rough": "normals", "stain": "colors"}

_MARCH_STEPS = 96
_BISECTIONS = 14


def list_scans(classes: tuple[str, ...] = CLASSES) -> Iterator[ScanName]:
    """All scans of the data set, in a fixed order, numbered within each class."""
    for class_name in classes:
        species = [kind for kind, count in TEST_SCANS.items() for _ in range(count)]
        yield from (ScanName(class_name, "test_public", kind, number) for number, kind in enumerate(species))


def write_scan(name: ScanName, seed: int, root: Path) -> None:
    """Generate one scan and write its depth, pose, picture, mask and metadata below `root`.

    Raises:
        InputError: a file cannot be written.
    """
    rng, specimen = make_specimen(name, seed)
    pose = camera_pose()
    depth, places = look(specimen, pose)
    picture = _at(photograph(rng, specimen), places)
    mask = _at(specimen.mask * np.uint8(255), places)
    lowest, highest = float(depth.min()) - 0.01, float(depth.max()) + 0.01
    levels = np.rint((depth - lowest) / (highest - lowest) * 65535).astype(np.uint16)
    file = partial(file_of_class, root, name.class_name, name.split, "data")
    for ending, values in (("depth", levels), ("mask", mask), (f"image_{LIGHTING}", picture)):
        with atomic_path(file(f"{name.identifier}_{ending}.png")) as path:
            Image.fromarray(values).save(path, compress_level=1)
    metadata = {"anomalous": int(name.species != "good")}
    metadata |= {kind: int(defect == name.species) for defect, kind in KINDS.items()}
    info = {"normalization": {"min": lowest, "max": highest}}
    for ending, content in (("metadata", metadata), ("info_depth", info)):
        with atomic_path(file(f"{name.identifier}_{ending}.yaml")) as path:
            path.write_text(yaml.safe_dump(content))
    with atomic_path(file(f"{name.identifier}_pose.txt")) as path:
        np.savetxt(path, pose)


def camera_pose() -> np.ndarray:
    """The (4, 4) matrix from the scene (x to the right, y to the viewer, z down) to the camera (right, down, ahead)."""
    sine, cosine = np.sin(CAMERA_ELEVATION), np.cos(CAMERA_ELEVATION)
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, sine, cosine], [0, -cosine, sine]]
    pose[:3, 3] = -pose[:3, :3] @ _camera_position()
    return pose


def look(specimen: Specimen, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cast a ray from every pixel down to the height field.

    Args:
        specimen: the object, which is enlarged before it is viewed.
        pose: from `camera_pose`.

    Returns:
        Depths (H, W) float64 in metres along the optical axis, and the positions (2, H, W) where the rays hit, as rows
        and columns of the specimen's grid.
    """
    focal = FOCAL_LENGTH * PICTURE_SIDE
    rows, columns = np.mgrid[:PICTURE_SIDE, :PICTURE_SIDE]
    center = PICTURE_SIDE / 2
    rays = np.stack([(columns - center) / focal, (rows - center) / focal, np.ones(rows.shape)])  # (3, H, W)
    rays = np.einsum("ji,jhw->ihw", pose[:3, :3], rays)
    origin = _camera_position()[:, None, None]

    def places_at(depth: np.ndarray) -> np.ndarray:
        x, y = ((origin + depth * rays)[:2]) / ENLARGEMENT
        return np.stack([y - specimen.y[0], x - specimen.x[0]]) / specimen.pitch

    def above(depth: np.ndarray) -> np.ndarray:
        surface = map_coordinates(specimen.height, places_at(depth), order=1, cval=0.0) * ENLARGEMENT
        return -(origin[2] + depth * rays[2]) > surface

    # From the height of the object's top down to the table; a ray below the surface has hit it within the last step.
    far = -origin[2] / rays[2]
    near = (-specimen.height.max() * ENLARGEMENT - origin[2]) / rays[2]
    step = (far - near) / _MARCH_STEPS
    free = near.copy()
    marching = np.ones(far.shape, dtype=bool)
    for number in range(1, _MARCH_STEPS):
        depth = near + number * step
        marching &= above(depth)
        free = np.where(marching, depth, free)
    met = np.minimum(free + step, far)
    for _ in range(_BISECTIONS):
        middle = (free + met) / 2
        is_above = above(middle)
        free, met = np.where(is_above, middle, free), np.where(is_above, met, middle)
    return met, places_at(met)


def _camera_position() -> np.ndarray:
    return CAMERA_DISTANCE * np.array([0.0, np.cos(CAMERA_ELEVATION), -np.sin(CAMERA_ELEVATION)])


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The nearest values of a picture at positions (2, H, W); beyond the border, the border value is repeated."""
    rows, columns = (
        np.clip(np.rint(axis), 0, length - 1).astype(int) for axis, length in zip(places, values.shape, strict=False)
    )
    return values[rows, columns]

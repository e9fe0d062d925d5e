"""The demo data set: ten classes of generated scans, written in the raw format of MVTec 3D-AD.

A scan depends only on the seed, its class, its split and its number, so any part of the data set can be generated
separately and by any number of processes.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from pointad.demo.defects import Specimen, apply_defect
from pointad.demo.generation import file_of_class
from pointad.demo.noise import smooth_noise
from pointad.demo.objects import CLASSES, object_height
from pointad.demo.paint import object_albedo, table_albedo
from pointad.demo.scanner import Scanner, scan
from pointad.files.atomic import atomic_path
from pointad.scans.point_cloud import OrganizedScan

IMAGE_SIDE = 400  # pixels
FIELD_OF_VIEW = 0.15  # metres of the table along the picture's side
SCANNER = Scanner()

# Scans per class in the test split. Only the colour picture shows a stain.
TEST_SCANS: dict[str, int] = {"good": 8, "chip": 2, "groove": 2, "lump": 2, "pit": 2, "rough": 1, "stain": 1}
GOOD_SPLITS: dict[str, int] = {"train": 1, "validation": 1}


@dataclass(frozen=True)
class ScanName:
    """Identifies a scan within the data set."""

    class_name: str
    split: str
    species: str  # "good" or the kind of defect
    number: int

    @property
    def identifier(self) -> str:
        """The file name without its suffix, as in MVTec 3D-AD."""
        return f"{self.number:03d}"


def list_scans(classes: tuple[str, ...] = CLASSES, good: int = TEST_SCANS["good"]) -> Iterator[ScanName]:
    """All scans of the data set, in a fixed order, with so many good ones per class in the test split."""
    for class_name in classes:
        for split, count in GOOD_SPLITS.items():
            yield from (ScanName(class_name, split, "good", number) for number in range(count))
        for species, count in (TEST_SCANS | {"good": good}).items():
            yield from (ScanName(class_name, "test", species, number) for number in range(count))


def make_scan(name: ScanName, seed: int) -> OrganizedScan:
    """Generate one scan.

    Args:
        name: which scan.
        seed: the seed of the whole data set.

    Returns:
        `xyz` (400, 400, 3) float32 in metres with zeros for holes, `rgb` uint8 and `mask` uint8 (255 at defects).
    """
    rng, specimen = make_specimen(name, seed)
    return scan(rng, specimen, SCANNER)


def make_specimen(name: ScanName, seed: int) -> tuple[np.random.Generator, Specimen]:
    """The object of one scan before it is scanned, and the random generator that the scanner continues with."""
    text = f"{name.class_name}/{name.split}/{name.species}/{name.number}"
    rng = np.random.default_rng([seed, zlib.crc32(text.encode())])
    position = (np.arange(IMAGE_SIDE) + 0.5 - IMAGE_SIDE / 2) * (FIELD_OF_VIEW / IMAGE_SIDE)
    specimen = _specimen(name.class_name, rng, position)
    if name.species != "good":
        specimen = apply_defect(name.species, rng, specimen)
    return rng, specimen


def _specimen(class_name: str, rng: np.random.Generator, position: np.ndarray) -> Specimen:
    """One object of a class, randomly rotated, shifted and scaled, on its table."""
    radius = rng.uniform(0.043, 0.052)
    turn = rng.uniform(0, 2 * np.pi)
    shift_x, shift_y = rng.uniform(-0.008, 0.008, 2)
    x, y = (position - shift_x)[None, :] / radius, (position - shift_y)[:, None] / radius
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    height = object_height(class_name, rng, u, v, radius)
    uneven = rng.uniform(0.0001, 0.0003) * _unevenness(rng, position)
    height = np.where(height > 0, np.maximum(height + uneven, 0.001), 0)
    albedo = np.where(
        (height > 0)[..., None],
        object_albedo(class_name, rng, position, position),
        table_albedo(rng, position, position),
    )
    return Specimen(x=position, y=position, height=height, albedo=albedo, mask=np.zeros(height.shape, dtype=bool))


def _unevenness(rng: np.random.Generator, position: np.ndarray) -> np.ndarray:
    """(H, W) natural unevenness of a surface, with a standard deviation of about 1."""
    return smooth_noise(rng, position, position, 0.006, 0.05, waves=24)


def write_scan(name: ScanName, seed: int, root: Path) -> None:
    """Generate one scan and write it below `root` in the layout of MVTec 3D-AD: `xyz` TIFF, `rgb` and `gt` PNG.

    Raises:
        InputError: a file cannot be written.
    """
    made = make_scan(name, seed)
    folder = partial(file_of_class, root, name.class_name, name.split, name.species)
    with atomic_path(folder("xyz", f"{name.identifier}.tiff")) as path:
        tifffile.imwrite(path, made.xyz, photometric="minisblack", planarconfig="contig")
    with atomic_path(folder("rgb", f"{name.identifier}.png")) as path:
        Image.fromarray(np.asarray(made.rgb)).save(path, compress_level=1)
    if name.split == "test":
        with atomic_path(folder("gt", f"{name.identifier}.png")) as path:
            Image.fromarray(np.asarray(made.mask)).save(path, compress_level=1)


def write_calibration(class_name: str, root: Path) -> None:
    """Write the camera's parameters beside a class's splits, as MVTec 3D-AD does: focal lengths and centre in pixels.

    Raises:
        InputError: the file cannot be written.
    """
    focal = SCANNER.distance * IMAGE_SIDE / FIELD_OF_VIEW
    center = IMAGE_SIDE / 2 - 0.5
    parameters = {"fx": focal, "fy": focal, "cx": center, "cy": center, "width": IMAGE_SIDE, "height": IMAGE_SIDE}
    with atomic_path(file_of_class(root, class_name, "calibration", "camera_parameters.json")) as path:
        path.write_text(json.dumps(parameters, indent=2) + "\n")

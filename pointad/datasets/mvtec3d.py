"""Raw MVTec 3D-AD: organized scans in metres with an RGB picture and a mask of the same size.

<root>/<class>/{train,validation,test}/<good or defect>/{xyz/000.tiff,rgb/000.png,gt/000.png}
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pointad.datasets.archive import class_folders
from pointad.errors import InputError
from pointad.files.pictures import read_mask, read_picture
from pointad.scans.cleaning import clean_scan
from pointad.scans.grid import cloud_from_scan
from pointad.scans.point_cloud import OrganizedScan, PreparedSample, RawSample
from pointad.scans.tiff import read_xyz_tiff

DATASET_NAME = "mvtec_pc_3d_rgb"
DEFAULT_SPLIT = "test"
GOOD = "good"


def list_samples(
    root: str | Path, split: str, known_classes: Iterable[str], classes: Iterable[str] | None = None
) -> list[RawSample]:
    """The samples of a split, by class, good ones first.

    Args:
        root: the archive's folder.
        split: train, validation or test.
        known_classes: the data set's classes, in its order.
        classes: take these only.

    Raises:
        InputError: the folder is not such an archive, or lacks a class that was asked for.
    """
    samples = []
    for folder in class_folders(root, split, known_classes, classes):
        species_folders = sorted(path for path in (folder / split).iterdir() if (path / "xyz").is_dir())
        for species in sorted(species_folders, key=lambda path: path.name != GOOD):
            samples += [_sample(folder.name, species, path) for path in _scan_files(species)]
    return samples


def prepare(sample: RawSample) -> PreparedSample:
    """Read one scan, remove the table and stray clusters, and take its points on the 336 x 336 grid.

    Raises:
        InputError: a file is missing, broken, or of another size than the scan; or the scan has no points.
    """
    xyz = read_xyz_tiff(sample.scan_path)
    scan = OrganizedScan(
        xyz=xyz,
        rgb=None if sample.rgb_path is None else _same_size(sample.rgb_path, read_picture(sample.rgb_path, "RGB"), xyz),
        mask=None if sample.mask_path is None else _same_size(sample.mask_path, read_mask(sample.mask_path), xyz),
    )
    cleaned = clean_scan(scan, f"{sample.class_name}/{sample.species}/{sample.identifier}")
    cloud = cloud_from_scan(cleaned)
    if not len(cloud.points):
        raise InputError(sample.scan_path, "holds no points", "replace the file")
    return PreparedSample(point_cloud=cloud, rgb=cleaned.rgb, mask=cleaned.mask, xyz=cleaned.xyz)


def _scan_files(species: Path) -> list[Path]:
    return sorted(path for path in (species / "xyz").iterdir() if path.suffix.lower() in (".tiff", ".tif"))


def _sample(class_name: str, species: Path, scan_path: Path) -> RawSample:
    rgb, mask = (species / kind / f"{scan_path.stem}.png" for kind in ("rgb", "gt"))
    return RawSample(
        dataset_name=DATASET_NAME,
        class_name=class_name,
        species=species.name,
        identifier=scan_path.stem,
        label=int(species.name != GOOD),
        scan_path=scan_path,
        rgb_path=rgb if rgb.exists() else None,
        # A defective sample without its mask is an error; good ones need none.
        mask_path=mask if mask.exists() or species.name != GOOD else None,
    )


def _same_size(path: Path, picture: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    if picture.shape[:2] != xyz.shape[:2]:
        raise InputError(
            path, f"is {picture.shape[:2]} pixels but the scan {xyz.shape[:2]}", "give the files of one recording"
        )
    return picture

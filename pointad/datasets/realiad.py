"""Raw Real-IAD D3, points and RGB pictures only: organized scans with holes.

<root>/<class>/{train,test}/<GOOD or defect>/{rgb/**/*.jpg, xyz/*.tiff, gt/rgb/*.png}

Pixels without a point are NaN. No background is removed: neither the unit nor the background of the scans is known.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pointad.datasets.archive import (
    class_folders,
    inner_folder,
    list_training_split,
    picture_beside,
    sample_of_folder,
    scans_in,
    species_folders,
)
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.organized import SCAN_RIG, prepare_scan
from pointad.files.search import files_below
from pointad.scans.point_cloud import PreparedSample, RawSample
from pointad.scans.sample_axes import read_sample_tiff

logger = logging.getLogger(__name__)

NAME = "realiad_pc_3d_rgb"
_PICTURES = (".jpg", ".jpeg", ".png")


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train or test, see `SampleLister`."""
    samples = []
    for folder in class_folders(root, split, (), classes):
        for species in species_folders(folder / split, "xyz"):
            folder_of_pictures = inner_folder(species, "rgb")
            below = files_below(folder_of_pictures) if folder_of_pictures.is_dir() else []
            pictures = [path for path in below if path.suffix.lower() in _PICTURES]
            scans = scans_in(species / "xyz", (".tiff", ".tif"))
            nearest = _nearest_to(scans, pictures)
            samples += [_sample(folder.name, species, *pair) for pair in zip(scans, nearest, strict=True)]
    return samples


def prepare(sample: RawSample) -> PreparedSample:
    """Read one scan and resample its points to the 336 x 336 grid.

    Raises:
        InputError: a file is missing, broken, or differs in shape from the scan; or the scan has no points.
    """
    return prepare_scan(sample, read_sample_tiff(sample.scan_path))


def _sample(class_name: str, species: Path, path: Path, pictures: list[Path]) -> RawSample:
    picture = _first(path, pictures)
    masks = inner_folder(inner_folder(species, "gt"), "rgb")
    mask = picture_beside(masks, path.stem)
    if mask is None and picture is not None:
        mask = picture_beside(masks / path.stem, picture.stem) or picture_beside(masks, picture.stem)
    return sample_of_folder(NAME, class_name, species, path, picture=picture, mask=mask, masks=masks)


def _nearest_to(scans: Sequence[Path], pictures: Sequence[Path]) -> Iterator[list[Path]]:
    """The pictures of each scan: with the same name, in a folder of that name, or with a name that begins with it.

    A name that begins with those of several scans belongs to the longest of them.
    """
    stems = {scan.stem for scan in scans}
    by_name, by_folder, by_beginning = defaultdict(list), defaultdict(list), defaultdict(list)
    for path in pictures:
        name = path.stem
        by_name[name].append(path)
        by_folder[path.parent.name].append(path)
        by_beginning[_beginning_among(name, stems)].append(path)
    for scan in scans:
        stem = scan.stem
        yield by_name.get(stem) or by_folder.get(stem) or sorted(by_beginning.get(stem, ()))


def _beginning_among(name: str, stems: Collection[str]) -> str:
    """The longest of the stems that a name is, or begins with before a "_"; empty if there is none."""
    while name and name not in stems:
        name = name.rpartition("_")[0]
    return name


def _first(scan: Path, found: list[Path]) -> Path | None:
    if len(found) > 1:
        logger.warning("%s has %d pictures; %s is used", scan, len(found), found[0])
    return found[0] if found else None


REALIAD = DatasetSpecification(
    name=NAME,
    title="Real-IAD D3",
    classes=(),  # by name
    training_classes=(),
    has_color=True,
    organized=True,
    reports_aupro=True,
    rig=SCAN_RIG,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=partial(list_training_split, list_samples),
)

"""Selects the samples that a run classified best and worst, and finds or draws their pictures."""

import base64
import io
import logging
import statistics
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from PIL import Image

from pointad.data.layout import NONZERO_INDICES, SampleFiles
from pointad.data.rendered_files import read_nonzero_indices, read_views
from pointad.errors import InputError, reason
from pointad.evaluation.modalities import MODALITY_LABELS
from pointad.evaluation.sample_outputs import maps_file, picture_file
from pointad.files.existing import is_beside, is_folder_beside
from pointad.files.masks import read_mask
from pointad.files.npy_files import read_npy_stream
from pointad.files.pictures import read_picture
from pointad.files.zip_members import check_member, refuse_ambiguous_members
from pointad.report.runs import FOREIGN, Run, SampleScore
from pointad.visualization.sheets import sample_sheet

logger = logging.getLogger(__name__)

PICTURE_WIDTH = 1200  # pixels; wider pictures are scaled down to this
JPEG_QUALITY = 82
_SAVE_AGAIN = "run test.py with --save_maps again"


@dataclass(frozen=True)
class Picture:
    """A picture embedded in a page."""

    address: str  # `data:`
    width: int  # pixels
    height: int


@dataclass(frozen=True)
class JudgedSample:
    """A sample and how clearly its score is on the correct side."""

    sample: SampleScore
    margin: float  # in standard deviations of the class's scores; negative is on the wrong side

    @property
    def title(self) -> str:
        """Class, species and file."""
        return f"{self.sample.class_name} / {self.sample.species} / {self.sample.identifier}"


def judge(samples: Iterable[SampleScore], modality: str) -> list[JudgedSample]:
    """Compare every sample with its class.

    The border between good and anomalous is the midpoint of the mean scores of both kinds; the margin is the distance
    from it towards the correct side, in standard deviations of the class's scores. Classes without good or without
    anomalous samples, or whose scores are all equal, are omitted.
    """
    by_class: dict[str, list[SampleScore]] = defaultdict(list)
    for sample in samples:
        if modality in sample.scores:
            by_class[sample.class_name].append(sample)
    judged = []
    for of_class in by_class.values():
        kinds = [[s.scores[modality] for s in of_class if s.label == label] for label in (0, 1)]
        spread = statistics.pstdev([*kinds[0], *kinds[1]])
        if not all(kinds) or spread == 0:
            continue
        border = (statistics.fmean(kinds[0]) + statistics.fmean(kinds[1])) / 2
        for sample in of_class:
            distance = (sample.scores[modality] - border) / spread
            judged.append(JudgedSample(sample, distance if sample.label else -distance))
    return judged


def best_anomalous(judged: Sequence[JudgedSample], count: int) -> list[JudgedSample]:
    """The anomalous samples that are detected most clearly, at first one per class."""
    ordered = sorted((one for one in judged if one.sample.label), key=lambda one: -one.margin)
    seen: dict[str, int] = defaultdict(int)
    place = []
    for one in ordered:
        place.append(seen[one.sample.class_name])
        seen[one.sample.class_name] += 1
    return [one for _, one in sorted(zip(place, ordered, strict=True), key=lambda pair: pair[0])][:count]


def worst(judged: Sequence[JudgedSample], count: int) -> list[JudgedSample]:
    """The samples on the wrong side, furthest from the border first; good and anomalous ones."""
    return [one for one in sorted(judged, key=lambda one: one.margin) if one.margin < 0][:count]


def sample_picture(run: Run, one: JudgedSample, files: SampleFiles | None) -> Picture | None:
    """A picture of a sample: as drawn by test.py, or made from the scan, the ground truth and the saved maps.

    Args:
        run: the test run.
        one: the sample.
        files: of its scan, see `files_of`, for samples of which test.py saved maps but no picture.

    Returns:
        None if the run saved neither.

    Raises:
        InputError: an existing picture cannot be read.
    """
    sample = one.sample
    drawn = picture_file(run.folder, *sample.name)
    if run.has_pictures and sample.picture != FOREIGN and is_beside(drawn):
        return encode_picture(read_picture(drawn, "RGB"))
    maps = saved_maps(run, sample)
    if not maps:
        return None
    sheet = sample_sheet(
        one.title,
        rgb=read_picture(files.rgb, "RGB") if files is not None and files.rgb.is_file() else None,
        mask=read_mask(files.mask) if files is not None and files.mask.is_file() else None,
        maps={f"{MODALITY_LABELS[name]} {sample.scores.get(name, np.nan):.3f}": one for name, one in maps.items()},
    )
    return encode_picture(sheet)


def files_of(run: Run, sample: SampleScore, data_path: Path | None) -> SampleFiles | None:
    """The files of a sample's scan.

    Args:
        run: the test run.
        sample: the sample.
        data_path: the rendered data set that was tested.

    Returns:
        None if they are unknown, the sample's name leads outside the data set, something that is no file lies in place
        of one, or another scan lies there now, as far as the saved maps tell; all but the first are logged.

    Raises:
        InputError: an existing file cannot be read.
    """
    try:
        files = None if data_path is None else SampleFiles(data_path, *sample.name)
        if files is not None:
            _check(files)
    except InputError as error:
        logger.warning("the scan of a sample is skipped: %s", error)
        return None
    saved = {} if files is None else saved_arrays(run, sample, ("mask", "valid", "views", "picture"), "bu")
    if files is not None and not (
        _is_tested_scan(files, saved, sample.label) and _has_tested_pictures(files, saved, run)
    ):
        message = "%s: %s is another scan than when %s was written, and is not shown"
        logger.warning(message, data_path, "/".join(sample.name), run.place)
        return None
    return files


def _check(files: SampleFiles) -> None:
    """Refuse what lies in place of a file or folder of a scan, such as a link that leads nowhere."""
    for path in (files.views, files.correspondences):
        is_folder_beside(path)
    for path in (files.rgb, files.mask, files.xyz, files.point_cloud, files.correspondences / NONZERO_INDICES):
        is_beside(path)


def _is_tested_scan(files: SampleFiles, saved: dict[str, np.ndarray], label: int) -> bool:
    """Whether a rendered scan has its points, and its defects, where a test found them; a raw one is not compared.

    A test marks nothing in a good scan, whatever its mask says.
    """
    mask, valid = saved.get("mask"), saved.get("valid")
    if mask is None or valid is None or mask.ndim != 2 or not files.correspondences.is_dir():
        return True
    indices = read_nonzero_indices(files.correspondences)
    if not np.array_equal(np.flatnonzero(valid), np.arange(valid.size) if indices is None else indices):
        return False
    if not label or not files.mask.is_file():
        return True
    from pointad.data.dataset import resize_mask  # needs PyTorch, which takes seconds to import

    return np.array_equal(resize_mask(read_mask(files.mask), mask.shape[0]), mask)


def _has_tested_pictures(files: SampleFiles, saved: dict[str, np.ndarray], run: Run) -> bool:
    """Whether a rendered scan has the views and the RGB picture that a test encoded, as far as that is known."""
    size, views = run.record.image_size, run.record.views
    if size is None or not files.correspondences.is_dir():
        return True
    from pointad.data.dataset import resize_pictures  # likewise
    from pointad.data.sample_identity import views_digest

    pictures: dict[str, np.ndarray] = {}
    if "views" in saved and views is not None and files.views.is_dir():
        pictures["views"] = read_views(files.views, views)
    if "picture" in saved and files.rgb.is_file():
        pictures["picture"] = read_picture(files.rgb, "RGB")[None]
    now = {kind: resize_pictures(one, size) for kind, one in pictures.items()}
    return all(
        saved[kind].tobytes() == bytes.fromhex(views_digest(one if kind == "views" else one[0]))
        for kind, one in now.items()
    )


def saved_maps(run: Run, sample: SampleScore) -> dict[str, np.ndarray]:
    """The maps that `--save_maps` wrote, modality -> (H, W) float32; empty if there are none."""
    path = maps_file(run.folder, *sample.name)
    arrays = saved_arrays(run, sample, [f"{name}_map" for name in MODALITY_LABELS])
    for name, one in arrays.items():
        if one.ndim != 2 or one.shape[0] != one.shape[1] or not one.size or one.dtype.kind != "f":
            raise InputError(path, f"its {name} is {one.dtype} of shape {one.shape}, no map", _SAVE_AGAIN)
        if not np.isfinite(one).all():
            raise InputError(path, f"its {name} holds values that are not finite", _SAVE_AGAIN)
    return {name.removesuffix("_map"): one for name, one in arrays.items()}


def saved_arrays(run: Run, sample: SampleScore, names: Sequence[str], kinds: str = "iuf") -> dict[str, np.ndarray]:
    """Those of the arrays that `--save_maps` wrote for a sample, as far as they are there; kinds as in `read_npy`."""
    path = maps_file(run.folder, *sample.name)
    if not run.has_maps or sample.maps == FOREIGN or not is_beside(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_ambiguous_members(archive)
            members = {member.filename: member for member in archive.infolist()}
            present = [name for name in names if f"{name}.npy" in members]
            return {name: _read_array(archive, members[f"{name}.npy"], path, kinds) for name in present}
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"holds no maps ({reason(error)})", _SAVE_AGAIN) from error


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, kinds: str) -> np.ndarray:
    check_member(path, member)
    with archive.open(member) as file:
        return read_npy_stream(cast(BinaryIO, file), f"{path}:{member.filename}", member.file_size, kinds)


def encode_picture(picture: np.ndarray) -> Picture:
    """A picture (H, W, 3) uint8 as a JPEG in a `data:` URL, at most `PICTURE_WIDTH` wide."""
    image = Image.fromarray(picture)
    if image.width > PICTURE_WIDTH:
        height = round(image.height * PICTURE_WIDTH / image.width)
        image = image.resize((PICTURE_WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    address = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    return Picture(address, image.width, image.height)

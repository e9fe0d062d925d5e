"""Renders raw samples in memory, for the rendering script to store and the data loader to use."""

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pointad.data.good_masks import without_marks
from pointad.data.mask_pairing import tell_of_doubtful_masks
from pointad.datasets.archive import PICTURE_SUFFIXES, is_good, is_hidden
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.registry import specification
from pointad.errors import InputError, named_subjects, shown
from pointad.files.existing import lies_beside
from pointad.files.presence import identity_of
from pointad.rendering.checks import POINT_CLOUD
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import render
from pointad.rendering.views import View, ViewRig
from pointad.scans.line import on_a_line
from pointad.scans.point_cloud import PreparedSample, RawSample
from pointad.scans.reading_options import AS_PUBLISHED, ReadingOptions
from pointad.scans.units import warn_of_unit

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderingOptions:
    """How raw samples are rendered; the defaults give what the released weights were trained with."""

    views: tuple[View, ...] | None = None  # None: the data set's nine
    point_size: int | str | None = None  # pixels, or "auto" (from the points' spacing); None: the class's default
    image_size: int = 336  # side of the renderings in pixels
    normals_method: str = "exact"  # or "grid": faster, for organized scans
    visibility: str = "nearest"  # or "splat"
    correspondence: str = "truncated"  # or "centred"
    device: str | None = None  # None: NumPy; else PyTorch on this device, the same to one grey level
    reading: ReadingOptions = AS_PUBLISHED  # how the scans are read before they are rendered

    def require_grid(self, dataset: DatasetSpecification) -> None:
        """Refuse normals from a grid before any scan of a data set without one is read.

        Args:
            dataset: with its kind settled, if it is an open one.

        Raises:
            InputError: its scans are clouds.
        """
        if self.normals_method == "grid" and not dataset.organized:
            raise InputError("--normals grid", f"needs a pixel grid, and {dataset.title} has clouds", "use exact")


def list_raw_samples(
    dataset: str | DatasetSpecification,
    root: str | Path,
    split: str | None = None,
    classes: Iterable[str] | None = None,
    reading: ReadingOptions | None = None,
) -> list[RawSample]:
    """The samples of a raw archive, by class, good ones first, in the order in which their renderings would be listed.

    Args:
        dataset: its name, see `pointad.datasets.registry`, or its specification.
        root: the archive's folder.
        split: the folder inside every class; None: the one with good and anomalous samples, used for both training and
            testing.
        classes: only these classes; None lists all.
        reading: how the samples are read, and which folder holds the good ones; None as published.

    Raises:
        InputError: the data set is unknown, its folder is not such an archive or lacks a requested class, two samples
            have the same name, some anomalous ones have no mask, or the folder of good samples does not exist.
    """
    if isinstance(dataset, str):
        dataset = specification(dataset)
    reading = reading or AS_PUBLISHED
    classes = None if classes is None else list(classes)
    found = samples_as_found(dataset, root, split, classes)
    samples = [dataclasses.replace(sample, reading=reading) for sample in found]
    tell_of_doubtful_masks(samples, dataset, Path(root), split or dataset.default_split, classes)
    if reading.good_folder is not None:
        samples = _with_good_folder(samples, reading.good_folder)
    samples = _in_order(samples)
    _check_names(samples)
    if not reading.allow_empty_masks:
        _check_masks(samples)
    if reading.metres_per_unit is not None and dataset.metres_per_unit is None:
        logger.warning("--metres_per_unit is ignored: %s is rendered identically in any unit", dataset.title)
    if reading.keep_clusters is not None and not dataset.chooses_clusters:
        logger.warning("--keep_clusters is ignored: of %s, all clusters of points are kept", dataset.title)
    _tell_what_is_missing(samples, dataset, all_labels=split in (None, dataset.default_split))
    return samples


def samples_as_found(
    dataset: DatasetSpecification, root: str | Path, split: str | None = None, classes: Iterable[str] | None = None
) -> list[RawSample]:
    """The same as they are found: nothing is chosen or checked, so nothing is said of what is doubtful.

    Raises:
        InputError: the folder is not such an archive, or lacks a requested class.
    """
    samples = dataset.list_samples(Path(root), split or dataset.default_split, classes)
    samples = [sample for sample in samples if not is_hidden(sample.scan_path)]
    if not samples:
        raise InputError(root, "holds no scans", f"give the folder of the unpacked {dataset.title} archive")
    return samples


def list_good_scans(
    dataset: DatasetSpecification,
    root: str | Path,
    classes: Iterable[str] | None = None,
    reading: ReadingOptions | None = None,
) -> list[RawSample]:
    """The good scans of a raw archive that are no test samples, by class; empty where it has none.

    Args:
        dataset: its specification.
        root: the archive's folder.
        classes: only these classes; None lists all.
        reading: how the samples are read, and which folder holds the good ones; None as published.

    Raises:
        InputError: a file that lists samples is broken, or two of them have the same name.
    """
    if dataset.list_good is None:
        return []
    reading = reading or AS_PUBLISHED
    samples = [
        dataclasses.replace(sample, species=GOOD, label=0, mask_path=None, reading=reading, for_reference=True)
        for sample in dataset.list_good(Path(root), classes)
        if not is_hidden(sample.scan_path) and (not sample.label or sample.species == reading.good_folder)
    ]
    _check_names(samples)
    return _in_order(samples)


def check_apart(samples: Iterable[RawSample], good: Iterable[RawSample]) -> None:
    """Refuse good scans that are test samples too, as links may make them: compared with itself, a scan seems better.

    Raises:
        InputError: one is.
    """
    tested = {identity_of(sample.scan_path): sample.scan_path for sample in samples}
    for sample in good:
        twin = tested.get(identity_of(sample.scan_path))
        if twin is not None:
            raise InputError(sample.scan_path, f"is the same file as the test sample {twin}", "keep it in one split")


def _with_good_folder(samples: list[RawSample], good_folder: str) -> list[RawSample]:
    """The same samples, with those of one species as good ones, beside those of folders of the usual names."""
    species = {sample.species for sample in samples}
    if good_folder not in species and not (is_good(good_folder) and GOOD in species):
        remedy = f"choose among {', '.join(sorted(species))}"
        raise InputError(f"--good_folder {good_folder}", "is not a folder of this data set", remedy)
    return [
        dataclasses.replace(sample, species=GOOD, label=0, mask_path=_picture(sample.mask_path))
        if sample.species == good_folder
        else sample
        for sample in samples
    ]


def _in_order(samples: list[RawSample]) -> list[RawSample]:
    """The same samples, in each class as `pointad.data.listing` lists their renderings: trainings go by the order."""
    order = {class_name: k for k, class_name in enumerate(dict.fromkeys(sample.class_name for sample in samples))}

    def place(one: RawSample) -> tuple[int, bool, str, str]:
        return order[one.class_name], not is_good(one.species), one.species, one.identifier

    return sorted(samples, key=place)


def _picture(mask: Path | None) -> Path | None:
    """The mask of a good sample if it is a picture that exists, which should be empty; texts of labels are not read."""
    return mask if mask is not None and mask.suffix.lower() in PICTURE_SUFFIXES and lies_beside(mask) else None


def _check_names(samples: list[RawSample]) -> None:
    """Refuse two samples that would be written to the same files: their names are shown alike."""
    names = [shown(sample.name) for sample in samples]
    counts = Counter(names)
    for sample, name in zip(samples, names, strict=True):
        if counts[name] > 1:
            problem = f"is one of {counts[name]} scans named {name}"
            raise InputError(sample.scan_path, problem, "rename one of them")


def _check_masks(samples: list[RawSample]) -> None:
    """Refuse anomalous samples without a mask beside others that have one."""
    anomalous = [sample for sample in samples if sample.label]
    without = [sample for sample in anomalous if sample.mask_path is None]
    if without and len(without) < len(anomalous):
        problem = "is anomalous but has no mask, unlike others"
        raise InputError(without[0].scan_path, problem, "give all of them a mask, or allow such (--allow_empty_masks)")


def _tell_what_is_missing(samples: list[RawSample], dataset: DatasetSpecification, *, all_labels: bool) -> None:
    """Log what would otherwise go unnoticed: missing colour, and classes in which all samples count as anomalous."""
    if dataset.has_color:
        without = sum(sample.rgb_path is None for sample in samples)
        if without:
            logger.warning("%d of %d samples have no RGB picture; their colour is not used", without, len(samples))
    if not all_labels:
        return
    anomalous = [sample for sample in samples if sample.label]
    if anomalous and not any(sample.mask_path for sample in anomalous):
        logger.warning("no anomalous sample has a mask (--allow_empty_masks): metrics of points are not measured")
    with_good = {sample.class_name for sample in samples if not sample.label}
    for class_name in dict.fromkeys(sample.class_name for sample in samples):
        if class_name not in with_good:
            logger.warning(
                "class %s: all samples count as anomalous; specify the folder of good samples (--good_folder)",
                class_name,
            )


def load_raw_sample(sample: RawSample) -> PreparedSample:
    """Read and clean one sample; no file is changed. Nothing is marked in a good one, whatever its mask says.

    Raises:
        InputError: a file is missing or broken, all points lie on one line, or the sample counts as anomalous but no
            point is marked.
    """
    dataset = specification(sample.dataset_name)
    prepared = dataset.prepare(sample)
    if on_a_line(prepared.point_cloud.points):
        raise InputError(sample.scan_path, "all its points lie on one line", "give a scan of a surface")
    if not sample.label:
        prepared = without_marks(sample, prepared)
    elif prepared.mask is not None and prepared.mask.any():
        labels = prepared.point_cloud.labels
        if labels is not None and not labels.any():
            logger.warning("%s marks no point of the scan, so no view of it shows a defect", sample.mask_path)
    elif not sample.reading.allow_empty_masks:
        raise InputError(
            sample.mask_path or sample.scan_path,
            f"no point is marked, yet the sample is in the anomalous folder {sample.species}",
            "specify the folder of good samples (--good_folder), or allow such samples (--allow_empty_masks)",
        )
    if dataset.metres_per_unit is not None:
        supposed = sample.reading.metres_per_unit or dataset.metres_per_unit
        warn_of_unit(prepared.point_cloud.points * dataset.metres_per_unit, supposed, str(sample.scan_path))
    return prepared


def rig_of(sample: RawSample, options: RenderingOptions, *, on_grid: bool = False) -> ViewRig:
    """The rig for the sample: that of its class, modified by the options; `on_grid` as in `rig_for`."""
    rig = specification(sample.dataset_name).rig_for(sample.class_name, on_grid=on_grid)
    if options.views is not None:
        rig = dataclasses.replace(rig, views=options.views)
    if options.point_size is not None:
        size = None if isinstance(options.point_size, str) else options.point_size
        rig = dataclasses.replace(rig, point_size=size)
    return rig


def render_prepared(sample: RawSample, prepared: PreparedSample, options: RenderingOptions) -> RenderedSample:
    """Render what `load_raw_sample` returned.

    Raises:
        InputError: the scan has too few points, or an option does not suit it.
    """
    with named_subjects({POINT_CLOUD: sample.scan_path}):
        return render(
            prepared.point_cloud,
            rig_of(sample, options, on_grid=prepared.xyz is not None),
            image_size=options.image_size,
            normals_method=options.normals_method,
            visibility=options.visibility,
            correspondence=options.correspondence,
            device=options.device,
        )


def render_raw_sample(
    sample: RawSample, options: RenderingOptions | None = None
) -> tuple[RenderedSample, PreparedSample]:
    """Read, clean and render one sample, with exactly the values that its stored files would hold.

    Returns:
        The rendering, and the rendered sample with its RGB picture and its mask.

    Raises:
        InputError: a file is missing or broken, or the scan cannot be rendered.
    """
    prepared = load_raw_sample(sample)
    return render_prepared(sample, prepared, options or RenderingOptions()), prepared

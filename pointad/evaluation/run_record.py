"""The records of training and test runs: every setting, where they ran, and with which code.

``run.json`` holds a :class:`TrainingRecord`, ``results.json`` a :class:`RunRecord` under "run". All facts may be
missing (None): older files recorded fewer of them. Each fact has a role, which decides what the report may average.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from pointad.data.view_subset import view_subset
from pointad.datasets.registry import DATASETS
from pointad.errors import InputError
from pointad.evaluation.plausible_facts import check_plausible
from pointad.files.json_records import record_from_json, record_to_json


class Role(Enum):
    """What a difference in a fact means for two runs."""

    METHOD = "they are different methods, or the same one on different data"
    REPEAT = "they are repetitions, to be averaged"
    PLACE = "nothing: only where or when they ran differs"


# Facts that the renderings of a scan depend on, whichever views are used.
_RENDERING = (
    *("normals", "visibility", "correspondence", "point_pixels", "metres_per_unit", "keep_clusters", "point_size"),
)

# Facts without an explicit role have the role of a method.
REPEAT, PLACE = {"role": Role.REPEAT}, {"role": Role.PLACE}


@dataclass(frozen=True)
class Provenance:
    """Where and when a program ran, and which one."""

    command: str | None = field(default=None, metadata=PLACE)  # so that it can be run again
    date: str | None = field(default=None, metadata=PLACE)  # ISO 8601, UTC
    device: str | None = field(default=None, metadata=PLACE)
    platform: str | None = field(default=None, metadata=PLACE)
    python: str | None = field(default=None, metadata=PLACE)
    packages: dict[str, str] | None = field(default=None, metadata=PLACE)  # versions
    revision: str | None = field(default=None, metadata=PLACE)  # of git; None outside a repository
    clean: bool | None = field(default=None, metadata=PLACE)  # whether the files matched the revision
    code: str | None = None  # fingerprint of the modules that affect the figures


@dataclass(frozen=True)
class Inputs:
    """What a program was given, by which the same command knows that its work is done before it loads a model.

    It says nothing about the figures that the record's other facts do not say better: equal weights may come as another
    file, equal samples from another folder.
    """

    flags: dict[str, str] | None = field(default=None, metadata=PLACE)  # that affect figures, as they were given
    named: dict[str, str] | None = field(default=None, metadata=PLACE)  # flag -> fingerprint of the file that it names
    weights: str | None = field(default=None, metadata=PLACE)  # fingerprint of the files of CLIP
    data: str | None = field(default=None, metadata=PLACE)  # fingerprint of the data's files, see `FolderContent`
    folder: str | None = field(default=None, metadata=PLACE)  # of the data, without links


@dataclass(frozen=True)
class PipelineRecord:
    """The settings shared by training and testing."""

    name: str | None = None  # the label that the user gave
    dataset_title: str | None = None  # the data set's name in tables
    data_path: str | None = field(default=None, metadata=PLACE)
    render: str | None = field(default=None, metadata=PLACE)  # "stored" or "on_the_fly", which give the same numbers
    views: tuple[int, ...] | None = None  # indices of the views used
    view_names: tuple[str, ...] | None = None  # their directions, such as "x-45"
    normals: str | None = None  # how the views were rendered, if known
    visibility: str | None = None
    correspondence: str | None = None
    point_pixels: str | None = None  # size of a point in the rendering; None: the data set's default, or unknown
    metres_per_unit: float | None = None  # of raw scans
    keep_clusters: str | None = None  # which parts of raw scans were kept
    image_size: int | None = None
    point_size: int | None = None
    backbone: str | None = None
    backbone_fingerprint: str | None = None
    clip_weights: str | None = field(default=None, metadata=PLACE)
    features_list: tuple[int, ...] | None = None  # blocks of the image encoder, from 1
    precision: str | None = None
    rounded_features: bool | None = None  # whether features went through the cache, which rounds them
    compiled: bool | None = field(default=None, metadata=PLACE)  # the encoder; moves last digits
    view_fusion: str | None = None
    provenance: Provenance | None = None
    inputs: Inputs | None = None
    others: dict[str, Any] = field(default_factory=dict)  # keys that this version does not know

    def is_rendered_like(self, other: "PipelineRecord") -> bool:
        """Whether a view of the same scan would be the same, pixel for pixel, as far as that was recorded."""
        return all(getattr(self, name) == getattr(other, name) for name in _RENDERING)

    def of_views(self, texts: Sequence[str]) -> dict[str, str]:
        """What is told of each of the views that were used, by their directions, or numbers where these are unknown."""
        return dict(zip(self.view_names or map(str, self.views or ()), texts, strict=False))


@dataclass(frozen=True)
class TrainingRecord(PipelineRecord):
    """How prompts were trained."""

    training_dataset: str | None = None
    training_class: str | None = field(default=None, metadata=REPEAT)
    samples: str | None = field(default=None, metadata=REPEAT)  # fingerprint of the list of training samples
    sample_count: int | None = field(default=None, metadata=REPEAT)
    masks: str | None = field(default=None, metadata=REPEAT)  # fingerprint of the ground truth that was learned from
    pictures: str | None = field(default=None, metadata=REPEAT)  # the same of the pictures, with their ground truth
    scans: dict[str, str] | None = field(default=None, metadata=REPEAT)  # view -> as in results.json
    renderings: str | None = field(default=None, metadata=REPEAT)  # fingerprints of each sample's views, before too
    object_aware: bool | None = None
    n_ctx: int | None = None
    t_n_ctx: int | None = None
    depth: int | None = None
    losses: tuple[str, ...] | None = None  # terms in use
    loss_weights: dict[str, float] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    init_checkpoint: str | None = None
    init_fingerprint: str | None = None  # of that file's content: others may lie at the same path at other times
    learned_before: tuple[str, ...] | None = None  # "<data set>/<class>" of each training that led to init_checkpoint
    seed: int | None = field(default=None, metadata=REPEAT)
    epoch: int | None = None  # of the checkpoint that this record belongs to
    sha256: str | None = field(default=None, metadata=REPEAT)  # of that checkpoint
    earlier_code: tuple[str, ...] | None = None  # that learned the first epochs of a continued training, if other

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainingRecord":
        """The record from a ``run.json``, in the current or an older format.

        Raises:
            ValueError: a fact is of another type, or out of range.
        """
        record = record_from_json(cls, _training_in_the_current_format(content))
        check_plausible(record)
        return record


@dataclass(frozen=True)
class RunRecord(PipelineRecord):
    """How prompts were tested."""

    dataset: str | None = None
    samples: str | None = None  # fingerprint of the list of samples, in any order, those of the training class included
    sample_count: int | None = None
    is_demo: bool | None = None  # whether the backbone is the small one shipped with PointAD
    protocol: str | None = None  # "one-vs-rest", "cross-dataset" or "" if unknown
    prompts: str | None = None  # "learned" or "ensemble"
    object_aware: bool | None = None
    depth: int | None = None
    losses: tuple[str, ...] | None = None
    training_dataset: str | None = None
    training_class: str | None = field(default=None, metadata=REPEAT)
    seed: int | None = field(default=None, metadata=REPEAT)  # of the training
    checkpoint: str | None = field(default=None, metadata=PLACE)
    checkpoint_fingerprint: str | None = field(default=None, metadata=REPEAT)
    epoch: int | None = None  # of the checkpoint, by its name
    sigma: float | None = None
    fusion: str | None = None
    aupro: str | None = None  # "exact" or "published"
    region_neighbours: int | None = None  # k of the graph that AUPRO's regions lie on; None: the pixel grid
    shots: int | None = None  # good scans of each tested class that it was compared with; None: zero-shot
    draws: int | None = None  # how often these were drawn; figures are means over the draws
    draw_seed: int | None = field(default=None, metadata=REPEAT)
    good_from: str | None = (
        None  # the split that they were drawn from: "train" or "test", or both for some classes each
    )
    differences: tuple[str, ...] | None = None  # settings that differed in training
    training: TrainingRecord | None = None  # from run.json beside the checkpoint

    @property
    def learned_classes(self) -> tuple[str, ...]:
        """Classes of the tested data set that the prompts were learned from, that of --train_class first."""
        own = (
            (self.training_class,) if self.training_class and self.training_dataset in (None, "", self.dataset) else ()
        )
        before = () if self.training is None else classes_before(self.training, self.dataset)
        return tuple(dict.fromkeys((*own, *before)))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RunRecord":
        """The record from "run" in a ``results.json``, in the current or an older format.

        Raises:
            ValueError: a fact is of another type or out of range, or the run and its training contradict each other.
        """
        training = content.get("training")
        if isinstance(training, dict):
            content = {**content, "training": _training_in_the_current_format(training)}
        record = record_from_json(cls, content)
        check_plausible(record)
        for name in ("training_class", "training_dataset"):  # which classes are in the mean depends on them
            told, learned = getattr(record, name), getattr(record.training, name, None)
            if told not in (None, "") and learned not in (None, "") and told != learned:
                raise ValueError(f"{name} is {told!r:.80}, but its training's is {learned!r:.80}")
        return record


_NESTED = frozenset({"provenance", "inputs", "training"})  # their facts count, not they themselves
_LABELS = frozenset({"name", "dataset_title"})  # the title of a data set of one's own is the name of its folder


UNKNOWN_ORIGIN = ""
"""Stands in `TrainingRecord.learned_before` for a training of which nothing says what it learned from."""


def classes_before(training: TrainingRecord, dataset: str | None) -> tuple[str, ...]:
    """Classes of a data set that the prompts of --init_checkpoint had been learned from."""
    told = [each.partition("/") for each in training.learned_before or ()]
    return tuple(name for learned_from, _, name in told if learned_from in ("", dataset))


def trainings_before(training: TrainingRecord) -> tuple[str, ...]:
    """What the prompts of --init_checkpoint had been learned from, with `UNKNOWN_ORIGIN` where nothing says it."""
    if training.learned_before is None and training.init_checkpoint is not None:
        return (UNKNOWN_ORIGIN,)
    return training.learned_before or ()


def to_json(record: PipelineRecord) -> dict[str, Any]:
    """The input of :meth:`RunRecord.from_json` and :meth:`TrainingRecord.from_json`."""
    return record_to_json(record)


def facts(record: PipelineRecord | Provenance | Inputs, role: Role, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The facts of one role, as (name, value); those of the training begin with "training." and so on."""
    for each in dataclasses.fields(record):
        value = getattr(record, each.name)
        if dataclasses.is_dataclass(value):
            yield from facts(value, role, f"{prefix}{each.name}.")  # type: ignore[arg-type]
        elif each.name == "others" and role is Role.METHOD:
            yield from ((f"{prefix}{name}", other) for name, other in value.items())
        elif each.name != "others" and each.metadata.get("role", Role.METHOD) is role and each.name not in _NESTED:
            yield f"{prefix}{each.name}", value


def repeatable(record: PipelineRecord) -> dict[str, Any]:
    """What must match when a training is resumed: all facts but its labels and those of place, time and code.

    Masks, pictures, scans and renderings are not among them: they are known only once the samples are read, and the
    training's state has them.
    """
    content = record_to_json(record)
    roles = {each.name: each.metadata.get("role", Role.METHOD) for each in dataclasses.fields(record)}
    left_out = {*_LABELS, "others", "masks", "pictures", "scans", "renderings", "earlier_code", *_NESTED}
    return {name: content[name] for name, role in roles.items() if role is not Role.PLACE and name not in left_out}


def unlike(told: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The names of facts, as of `repeatable`, that two trainings do not have in common.

    Prompts to start from are the same wherever they lie, if their content is known; labels of older files do not count.
    """
    names = {name for name in told.keys() | now.keys() if told.get(name) != now.get(name)} - _LABELS
    content = "init_fingerprint"
    if told.get(content) is not None and told.get(content) == now.get(content):
        names.discard("init_checkpoint")
    return sorted(names)


def _training_in_the_current_format(content: Mapping[str, Any]) -> dict[str, Any]:
    told = {**content, **_views_by_index(content, content.get("training_dataset"))}
    return told | ({"scans": {all_views(told): told["scans"]}} if isinstance(told.get("scans"), str) else {})


def all_views(content: Mapping[str, Any]) -> str:
    """Stands for a view where older files tell of all together, in the size that the encoder takes them in."""
    return f"{content.get('view_names') or content.get('views')} of {content.get('image_size')} px"


def _views_by_index(content: Mapping[str, Any], dataset: Any) -> dict[str, Any]:
    """Older files state the number of views only."""
    count = content.get("views")
    if type(count) is not int or not isinstance(dataset, str) or dataset not in DATASETS:
        return {}
    try:
        return {"views": list(view_subset(count, organized=DATASETS[dataset].organized))}
    except InputError as error:
        raise ValueError(f"views is {count}") from error


def epoch_of(checkpoint: Path, training: TrainingRecord) -> int | None:
    """The epoch of a checkpoint, from its record or else its name, such as ``epoch_15.pth``; None if neither tells."""
    if training.epoch is not None:
        return training.epoch
    number = checkpoint.stem.removeprefix("epoch_")
    return int(number) if number.isascii() and number.isdigit() and checkpoint.stem.startswith("epoch_") else None

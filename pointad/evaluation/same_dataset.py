"""Tells from what is recorded whether prompts were learned from the data set that they are tested on.

Neither a format nor a class tells: the demo and data of one's own have those of MVTec 3D-AD. Published data sets are
known by their title, which only complete ones have, others by the title or the folder that they share, or by two
formats or two names of --data_name.
"""

from collections.abc import Collection
from dataclasses import replace

from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import DATASETS
from pointad.evaluation.data_title import OWN_DATA
from pointad.evaluation.run_record import UNKNOWN_ORIGIN, PipelineRecord, RunRecord, TrainingRecord, trainings_before

ONE_VS_REST, CROSS_DATASET = "one-vs-rest", "cross-dataset"
_SAY_NOTHING = frozenset({None, "", OWN_DATA})


def protocol_name(run: RunRecord, classes: Collection[str]) -> str:
    """The protocol of a test of learned prompts, "" if it is not known.

    Args:
        run: the record of the test.
        classes: those of the tested data, with those that are left out.
    """
    same = learned_from_tested(run, classes)
    if same is None:
        return ""
    if same:
        return ONE_VS_REST
    before = trainings_before(run.training or TrainingRecord())
    return CROSS_DATASET if all(_is_other_or_left_out(each, run, classes) for each in before) else ""


def learned_from_tested(run: RunRecord, classes: Collection[str]) -> bool | None:
    """Whether the training class is one of the data set that is tested, tested or not; None: not known.

    Args:
        run: the record of the test.
        classes: those of the tested data.
    """
    if not run.training_class:
        return None
    training = run.training or TrainingRecord()
    return _is_of_tested(run.training_class, run.training_dataset, training, run, set(classes))


def with_known_protocol(run: RunRecord, classes: Collection[str]) -> RunRecord:
    """The record of a finished test, which is called cross-dataset only if it is known to be that.

    Older versions called every test so that had no class to leave out.
    """
    if run.protocol != CROSS_DATASET or not run.training_class:
        return run
    same = learned_from_tested(run, classes)
    return run if same is False else replace(run, protocol=ONE_VS_REST if same else "")


def is_published(dataset: DatasetSpecification | None, classes: Collection[str], title: str | None) -> bool:
    """Whether data of a format are of the published data set: by their title, or if none was recorded, their classes.

    Nothing tells so of formats whose classes are not listed here.
    """
    if dataset is None or not classes or not set(classes) <= set(dataset.classes):
        return False
    return title in (None, "", dataset.title)


def _is_other_or_left_out(before: str, run: RunRecord, classes: Collection[str]) -> bool:
    """Whether a class of `trainings_before` is of another data set, or one of this that the test leaves out."""
    if before == UNKNOWN_ORIGIN:
        return False
    dataset, _, name = before.partition("/")
    if dataset in ("", run.dataset) and name in classes:
        return True
    return _is_of_tested(name, dataset, TrainingRecord(), run, set(classes)) is False


def _is_of_tested(
    name: str, dataset: str | None, training: PipelineRecord, test: RunRecord, classes: set[str]
) -> bool | None:
    """Whether a class that was learned from is of the tested data set; None: not known."""
    about, learned = DATASETS.get(test.dataset or ""), DATASETS.get(dataset or "")
    is_published_now = is_published(about, classes, test.dataset_title)
    was_published = is_published(learned, {name}, training.dataset_title)
    has_other_format = dataset not in (None, "", test.dataset)
    if _share_folder(training, test) or _share_title(name, training, test, classes):
        return None if has_other_format else True
    if is_published_now and was_published:
        return not has_other_format
    if _is_named(training) and _is_named(test):
        return False
    published = set(() if about is None else about.classes)
    if is_published_now and (name not in published or dataset in (None, "")):
        return name in published
    may_be_shared = learned is not None and name in learned.classes and not classes.isdisjoint(learned.classes)
    is_apart = was_published or (has_other_format and name not in classes | published)
    return False if is_apart and not may_be_shared else None


def _share_folder(training: PipelineRecord, test: PipelineRecord) -> bool:
    """Whether both are known to have read one folder."""
    return _folder(training) is not None and _folder(training) == _folder(test)


def _share_title(name: str, training: PipelineRecord, test: PipelineRecord, classes: Collection[str]) -> bool:
    """Whether the data have one title, and it is no coincidence, as it may be that of two folders of one name."""
    if training.dataset_title != test.dataset_title or test.dataset_title in _SAY_NOTHING:
        return False
    are_named = _is_named(training) and _is_named(test)
    return are_named or name in classes or None in (_folder(training), _folder(test))


def _folder(record: PipelineRecord) -> str | None:
    return None if record.inputs is None else record.inputs.folder


def _is_named(record: PipelineRecord) -> bool:
    """Whether --data_name gave the data's title."""
    flags = None if record.inputs is None else record.inputs.flags
    return (flags or {}).get("data_name", "null") != "null" and record.dataset_title not in _SAY_NOTHING

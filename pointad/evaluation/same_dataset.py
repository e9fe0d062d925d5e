"""Tells from what is recorded whether prompts were learned from the data set that they are tested on.

A format does not tell: the demo and data of one's own have that of MVTec 3D-AD. Published data sets are known by their
classes, others by the name or the folder that they share, or by two formats or two names of --data_name.
"""

from collections.abc import Collection
from dataclasses import replace

from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import DATASETS
from pointad.evaluation.run_record import UNKNOWN_ORIGIN, PipelineRecord, RunRecord, TrainingRecord, trainings_before

ONE_VS_REST, CROSS_DATASET = "one-vs-rest", "cross-dataset"
_SAY_NOTHING = frozenset({None, "", "own data"})


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
    """Whether data of a format are of the published data set, by their classes and their title in tables, if known.

    Nothing tells so of formats whose classes are not listed here.
    """
    if dataset is None or not classes or not set(classes) <= set(dataset.classes):
        return False
    return title in (None, "", dataset.title) or (
        str(title).startswith(f"{dataset.title} (") and not str(title).endswith("(own data)")
    )


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
    all_tested, all_learned = (set() if one is None else set(one.classes) for one in (about, learned))
    is_known = is_published(about, classes, None)
    was_published = is_published(learned, {name}, training.dataset_title)
    same_title = training.dataset_title == test.dataset_title and test.dataset_title not in _SAY_NOTHING
    folders = [None if record.inputs is None else record.inputs.folder for record in (training, test)]
    same_folder = folders[0] is not None and folders[0] == folders[1]
    is_foreign = is_known and name not in all_tested
    if dataset not in (None, "", test.dataset):  # other formats
        if is_foreign or was_published:
            return False if not same_folder and (is_known or classes.isdisjoint(all_learned)) else None
        return None if same_folder or same_title or name in classes | all_tested else False
    if name in classes or same_folder or same_title:
        return True
    if is_foreign:
        return False
    if is_known:
        return is_published(about, {name}, training.dataset_title) or None
    if was_published and classes.isdisjoint(all_learned):
        return False
    return False if _is_named(training) and _is_named(test) else None


def _is_named(record: PipelineRecord) -> bool:
    """Whether --data_name gave the data's title."""
    flags = None if record.inputs is None else record.inputs.flags
    return (flags or {}).get("data_name", "null") != "null" and record.dataset_title not in _SAY_NOTHING

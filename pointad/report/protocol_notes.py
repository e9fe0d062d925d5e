"""How each row of a table deviates from the table's protocol: every difference is marked."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pointad.datasets.mvtec3d import MVTEC3D
from pointad.datasets.registry import DATASETS
from pointad.evaluation.protocol import UNKNOWN, aupro_definition, supervision_text, training_data
from pointad.evaluation.run_record import UNKNOWN_ORIGIN, RunRecord, trainings_before
from pointad.evaluation.same_dataset import CROSS_DATASET, ONE_VS_REST
from pointad.metrics.aupro import DEFAULT_LIMIT
from pointad.report.runs import Run
from pointad.scoring.options import DEFAULT_SIGMA, FUSIONS

_MEASURED = (
    f"zero-shot; AUPRO over regions of 8-connected positions of the mask, false-positive rate to {DEFAULT_LIMIT:g}, "
    f"every threshold; σ {DEFAULT_SIGMA:g}; fusion {FUSIONS[0]}"
)
_LEARNED = {
    "one-vs-rest": "prompts learned from the test split of one class, which is excluded; mean over the other classes",
    "cross-dataset": "prompts learned from the test split of one class of another data set; mean over all classes",
}


def standard_text(protocol: str) -> str:
    """The protocol of every unmarked row of a table."""
    learned = _LEARNED.get(
        protocol, "what the prompts learned from, or whether it is of the tested data set, is not known"
    )
    return f"Protocol unless marked: {learned}; {_MEASURED}."


def run_notes(runs: Sequence[Run]) -> tuple[str, ...]:
    """How the runs of one row deviate from the table's protocol; the runs differ in training class and seed only."""
    notes: dict[str, None] = {}
    for run in runs:
        notes.update(dict.fromkeys(_notes(run)))
    return tuple(notes)


def marks(notes_of_rows: Iterable[Sequence[str]]) -> dict[str, str]:
    """A letter for every note, in the order of the rows."""
    notes = dict.fromkeys(note for notes in notes_of_rows for note in notes)
    return {note: _letters(number) for number, note in enumerate(notes)}


def _notes(run: Run) -> list[str]:
    record, protocol = run.record, run.results.protocol
    found = []
    if record.shots:
        found.append(supervision_text(replace(record, draw_seed=None)))
    elif protocol.supervision != "zero-shot":
        found.append(f"{protocol.supervision}: other samples of the tested classes are known")
    if record.prompts == "ensemble":
        found.append("nothing learned, no class excluded")
    elif record.protocol == CROSS_DATASET and (data := training_data(record)) != MVTEC3D.name:
        name = "an unknown data set" if data == UNKNOWN else data
        found.append(f"learned from {DATASETS[data].title if data in DATASETS else name}")
    if record.training is not None and UNKNOWN_ORIGIN in trainings_before(record.training):
        found.append("began with prompts of unknown origin")
    if record.sigma not in (None, DEFAULT_SIGMA):
        found.append(f"σ {record.sigma:g}")
    if record.fusion not in (None, FUSIONS[0]) and not record.shots:
        found.append(f"fusion {record.fusion}")
    if run.results.measures_aupro and (record.region_neighbours is not None or record.aupro == "published"):
        found.append(f"AUPRO {aupro_definition(record)}")
    also = _also_left_out(run)
    if also:
        found.append(f"without {', '.join(also)}, which the prompts learned from, too")
    if protocol.classes and _is_part(record, protocol.classes, protocol.left_out):
        found.append(f"only the classes {', '.join(protocol.classes)}")
    return found


def _also_left_out(run: Run) -> tuple[str, ...]:
    """The classes in no mean that the table's protocol does not tell of: it excludes the training class at most."""
    if run.record.protocol == ONE_VS_REST:
        return tuple(name for name in run.record.learned_classes if name != run.record.training_class)
    return run.results.left_out if run.record.protocol == CROSS_DATASET else ()


def _is_part(record: RunRecord, counted: Sequence[str], left_out: Sequence[str]) -> bool:
    """Whether a published data set was tested in part."""
    about = DATASETS.get(record.dataset or "")
    whole = set(about.classes) if about is not None else set()
    tested = {*counted, *left_out}
    return tested < whole


def _letters(number: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    prefix = "" if number < 26 else _letters(number // 26 - 1)
    return prefix + chr(ord("a") + number % 26)

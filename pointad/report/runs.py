"""Finds test runs on disk by their `results.json`, and reads the other files of a run."""

import csv
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointad.datasets.registry import DATASETS
from pointad.errors import InputError
from pointad.evaluation.data_title import data_title, told_apart
from pointad.evaluation.provenance import file_fingerprint
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord, TrainingRecord, repeatable, unlike
from pointad.evaluation.run_schema import check_curves, checked_record, faults_of, loss_columns, score_row
from pointad.evaluation.sample_outputs import MAPS_COLUMN, PICTURE_COLUMN
from pointad.files.csv_tables import read_table
from pointad.files.escaping import from_csv
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json
from pointad.files.presence import is_file
from pointad.files.search import files_below
from pointad.metrics.curves import Curve
from pointad.training.run_folder import LOSSES_NAME, RUN_NAME

RESULTS_NAME = "results.json"
SCORES_NAME = "scores.csv"
CURVES_NAME = "curves.json"
FOREIGN = ""
"""In place of the fingerprint of a sample's maps or picture: what lies there is of another test."""

_OF_A_CHECKPOINT = frozenset({"epoch", "epochs", "sha256"})  # a training may go on after it has been tested

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One finished test run."""

    folder: Path  # that holds results.json and the other output of test.py
    results: Results
    name: str = RESULTS_NAME  # of the file of the results, which may have been renamed

    @property
    def place(self) -> Path:
        """What tells the run apart from all others: its folder, or its file where that has been renamed."""
        return self.folder if self.name == RESULTS_NAME else self.folder / self.name

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that a report reads from its folder, as far as they exist."""
        return tuple(self.folder / name for name in (self.name, SCORES_NAME, CURVES_NAME))

    @property
    def has_maps(self) -> bool:
        """Whether the run wrote maps, or may have, where it does not tell: others may lie in its folder."""
        return self.results.files is None or self.results.files.maps

    @property
    def has_pictures(self) -> bool:
        """The same for pictures of samples."""
        return self.results.files is None or self.results.files.pictures

    @property
    def record(self) -> RunRecord:
        """The record of the run; every fact may be missing."""
        return self.results.run


@dataclass(frozen=True)
class SampleScore:
    """One line of `scores.csv`."""

    class_name: str
    species: str
    identifier: str
    label: int  # 1 is anomalous
    scores: dict[str, float]  # modality -> score
    maps: str | None = None  # fingerprint of the file of its maps, or FOREIGN; None: unknown, or not written
    picture: str | None = None  # the same of its picture

    @property
    def name(self) -> tuple[str, str, str]:
        """Class, species and identifier."""
        return self.class_name, self.species, self.identifier


def dataset_title(run: Run) -> str:
    """The data set's name in tables: that of a published one only if these are its classes and samples."""
    record = run.record
    about = DATASETS.get(record.dataset or "")
    if about is None:
        return told_apart(record.dataset_title or record.dataset or "unknown data set")
    if record.dataset_title not in (None, about.title):
        return told_apart(str(record.dataset_title), about)
    classes = set(run.results.classes)
    if record.training_class and record.training_dataset == record.dataset:
        classes.update(run.results.protocol.left_out)
    return data_title(about, classes, record.data_path, record.sample_count)


def backbone_in_tables(run: Run) -> str:
    """The backbone's name in tables; the demo's is marked."""
    name = run.record.backbone or "unknown"
    return f"{name} (demo)" if run.record.is_demo and "demo" not in name.lower() else name


def find_runs(paths: Iterable[str | Path]) -> list[Run]:
    """Read every `results.json` in the given folders, at any depth, or the given files; each once.

    Raises:
        InputError: a path does not exist or holds no results, or a file is no `results.json`.
    """
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        found = (
            [file for file in files_below(path, hidden=True) if file.name == RESULTS_NAME] if path.is_dir() else [path]
        )
        if not found:
            raise InputError(path, f"holds no {RESULTS_NAME}", "give a folder that test.py wrote to")
        files.update(dict.fromkeys(file.resolve() for file in found))
    return [Run(file.parent, Results.load(file), file.name) for file in files]


def read_scores(run: Run) -> list[SampleScore]:
    """The sample scores of a run in the order of the file; empty if it wrote no `scores.csv`.

    Raises:
        InputError: the file has other columns or a score is not a number.
    """
    path = run.folder / SCORES_NAME
    if not is_beside(path):
        return []
    modalities = {"point": "point_score", "color": "color_score", "fused": "fused_score"}
    try:
        _, rows = read_table(path)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(path, f"is not a table of scores ({error})", "run test.py again") from None
    found = []
    for number, row in enumerate(rows, start=1):
        with faults_of(path, "run test.py again"):
            label, scores = score_row(row, number)
        found.append(
            SampleScore(
                class_name=from_csv(row["class"]),
                species=from_csv(row["species"]),
                identifier=from_csv(row["id"]),
                label=label,
                scores={name: scores[column] for name, column in modalities.items() if column in scores},
                maps=row.get(MAPS_COLUMN) or None,
                picture=row.get(PICTURE_COLUMN) or None,
            )
        )
    return found


def read_curves(run: Run) -> dict[str, dict[str, dict[str, dict[str, Curve]]]]:
    """The curves of a run: class -> modality -> "image" | "pixel" -> "roc" | "pro"; empty without a `curves.json`.

    Raises:
        InputError: the file is not a JSON object.
    """
    path = run.folder / CURVES_NAME
    if not is_beside(path):
        return {}
    remedy = "run test.py again"
    with faults_of(path, remedy):
        return check_curves(read_json(path, remedy))


def read_losses(run: Run, roots: Sequence[Path] = ()) -> dict[str, list[float]]:
    """The training losses beside the run's checkpoint, column -> one value per step; empty if there are none.

    Args:
        run: the run whose checkpoint to look for.
        roots: folders, besides the working folder, that a relative checkpoint path may start from.

    Raises:
        InputError: the file contains something that is not a number.
    """
    checkpoint = run.record.checkpoint
    if not checkpoint:
        return {}
    candidates = [root / checkpoint for root in (Path(), *roots)]
    try:
        found = next((c for c in candidates if is_beside(c.parent / LOSSES_NAME)), None)
    except InputError as error:  # the checkpoint may have lain in a folder of somebody else
        logger.warning("%s; no losses are shown", error)
        return {}
    if found is None:
        return {}
    path = found.parent / LOSSES_NAME
    tested = run.record.checkpoint_fingerprint
    if tested and is_file(found) and file_fingerprint(found) != tested:
        logger.warning("%s: the prompts have been replaced since %s was written; no losses are shown", found, run.place)
        return {}
    if _is_of_another_training(found.with_name(RUN_NAME), run):
        logger.warning("%s: belongs to another training than %s; no losses are shown", found.parent, run.place)
        return {}
    try:
        names, rows = read_table(path)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(path, f"is not a table of losses ({error})", "remove it or train again") from None
    with faults_of(path, "remove it or train again"):
        losses = loss_columns(rows, names)
    if run.record.epoch is not None and max(losses.get("epoch", []), default=0) < run.record.epoch:
        logger.warning("%s: lacks the tested epoch %d of %s; no losses are shown", path, run.record.epoch, run.place)
        return {}
    return losses


def _is_of_another_training(path: Path, run: Run) -> bool:
    """Whether a folder says that its losses are of another training than the tested prompts, which may be a copy.

    Raises:
        InputError: its run.json cannot be read.
    """
    if run.record.training is None or not is_beside(path):
        return False
    remedy = "remove it or train again"
    told = checked_record(TrainingRecord.from_json, read_json(path, remedy), path, remedy)
    now, tested = repeatable(told), repeatable(run.record.training)
    codes = [each.provenance and each.provenance.code for each in (told, run.record.training)]
    if codes[0] == codes[1]:  # the fingerprints of other versions may be others for the same samples
        now |= {"masks": told.masks, "pictures": told.pictures}
        tested |= {"masks": run.record.training.masks, "pictures": run.record.training.pictures}
    different = [name for name in unlike(tested, now) if name not in _OF_A_CHECKPOINT]
    return any(None not in (tested[name], now[name]) for name in different)

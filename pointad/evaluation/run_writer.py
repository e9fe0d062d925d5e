"""Writes the output of a test run: results, scores, curves, and optionally maps and pictures of every sample."""

import csv
import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pointad.errors import InputError
from pointad.evaluation.binning import binning_note
from pointad.evaluation.evaluation import ClassOutcome, ScoredSample
from pointad.evaluation.modalities import MODALITIES, MODALITY_LABELS
from pointad.evaluation.results import Metrics, Results, metric_title
from pointad.evaluation.run_record import RunRecord
from pointad.files.atomic import atomic_path
from pointad.files.escaping import for_csv, from_csv
from pointad.files.names import file_name, place_below
from pointad.files.presence import is_file
from pointad.visualization.sheets import sample_sheet

logger = logging.getLogger(__name__)

SCORES_NAME = "scores.csv"
SCORE_COLUMNS = ("class", "species", "id", "label", *(f"{modality}_score" for modality in MODALITIES))


class RunWriter:
    """Collects one run and writes it into a folder.

    Files: ``results.json``, ``scores.csv`` and ``curves.json`` when the run is finished; ``maps/<class>/<species>/
    <id>.npz`` (``point_map``, ``color_map``, ``fused_map``, float32; ``mask``, the anomalous positions, and ``valid``,
    those that hold a point, bool) and ``visualization/<class>/<species>/<id>.png`` as samples are scored, if requested;
    names that are not plain path components are escaped.

    Args:
        folder: where to write the files.
        run: the record of the run.
        save_maps: whether maps are written.
        visualize: whether pictures are written.
    """

    def __init__(self, folder: Path, run: RunRecord, *, save_maps: bool = False, visualize: bool = False) -> None:
        self.folder = folder
        self.results = Results({}, run)
        self._save_maps = save_maps
        self._visualize = visualize
        self._rows: list[list[str]] = []
        self._curves: dict[str, Any] = {}

    def discard_earlier(self) -> None:
        """Remove the maps and pictures of an earlier test: reports would show them beside the figures of this one.

        Only what its ``scores.csv`` names is removed, nothing else that lies in the folder.

        Raises:
            InputError: they cannot be removed.
        """
        for name in _named_in(self.folder / SCORES_NAME):
            for path in (maps_file(self.folder, *name), picture_file(self.folder, *name)):
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    problem = f"cannot be removed ({error.strerror or error})"
                    raise InputError(path, problem, "choose another folder") from error

    def add_sample(self, sample: ScoredSample) -> None:
        """Add a sample's scores, and write its maps and picture if requested.

        Raises:
            InputError: a file cannot be written.
        """
        scores = [repr(sample.scores[m]) if m in sample.scores else "" for m in MODALITIES]
        name = (sample.class_name, sample.species, sample.identifier)
        self._rows.append([*map(for_csv, name), str(sample.label), *scores])
        if self._save_maps:
            arrays = {f"{modality}_map": one.astype(np.float32) for modality, one in sample.maps.items()}
            arrays |= {"mask": sample.mask, "valid": sample.valid}
            with atomic_path(maps_file(self.folder, *name)) as temporary:
                np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
        if self._visualize:
            with atomic_path(picture_file(self.folder, *name)) as temporary:
                Image.fromarray(picture_of(sample)).save(temporary)

    def add_class(self, outcome: ClassOutcome) -> None:
        """Add the metrics of a class."""
        self.results.classes[outcome.class_name] = outcome.metrics
        self._curves[outcome.class_name] = outcome.curves
        for group, metrics in outcome.groups.items():
            self.results.groups.setdefault(group, {})[outcome.class_name] = metrics
        if outcome.error_bounds:
            self.results.error_bounds[outcome.class_name] = outcome.error_bounds
            for modality, bounds in outcome.error_bounds.items():
                logger.info("%s: %s", modality, binning_note({outcome.class_name: bounds}, metric_title))

    def finish(self, label_leaks: Mapping[str, Metrics] | None = None) -> Results:
        """Write the tables and return the results.

        Args:
            label_leaks: for the classes of this run, and possibly others; see :mod:`pointad.evaluation.label_leaks`.

        Raises:
            InputError: a file cannot be written.
        """
        leaks = label_leaks or {}
        self.results.label_leaks.update({name: leaks[name] for name in self.results.classes if name in leaks})
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(SCORE_COLUMNS)
        writer.writerows(self._rows)
        with atomic_path(self.folder / SCORES_NAME) as temporary:
            temporary.write_text(table.getvalue(), encoding="utf-8")
        with atomic_path(self.folder / "curves.json") as temporary:
            temporary.write_text(json.dumps(self._curves, allow_nan=False), encoding="utf-8")
        self.results.save(self.folder / "results.json")
        return self.results


def _named_in(path: Path) -> list[tuple[str, str, str]]:
    """Class, species and identifier of every sample in a table of scores; none if there is no such table."""
    if not is_file(path):
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return []
    cells = [[row.get(column) for column in SCORE_COLUMNS[:3]] for row in rows]
    return [tuple(map(from_csv, row)) for row in cells if None not in row]  # type: ignore[arg-type, misc]


def maps_file(folder: Path, class_name: str, species: str, identifier: str) -> Path:
    """The path of a sample's maps in a run's folder."""
    return place_below(folder / "maps", class_name, species) / f"{file_name(identifier)}.npz"


def picture_file(folder: Path, class_name: str, species: str, identifier: str) -> Path:
    """The path of a sample's picture in a run's folder."""
    return place_below(folder / "visualization", class_name, species) / f"{file_name(identifier)}.png"


def picture_of(sample: ScoredSample) -> np.ndarray:
    """A scored sample in one picture: inputs, ground truth and maps, (height, width, 3) uint8."""
    assert sample.views is not None and sample.view_maps is not None, "evaluated without keep_views"
    state = "anomalous" if sample.label else "good"
    return sample_sheet(
        f"{sample.class_name} / {sample.species} / {sample.identifier} ({state}), prompts: {sample.prompts}",
        rgb=sample.color,
        mask=sample.mask,
        maps={f"{MODALITY_LABELS[m]} {score:.3f}": sample.maps[m] for m, score in sample.scores.items()},
        views=sample.views.mean(axis=-1).astype(np.uint8),
        view_rows={"anomaly": sample.view_maps},
        view_labels=[f"{score:.2f}" for score in sample.view_scores],
    )

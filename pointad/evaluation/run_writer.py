"""Writes the output of a test run: results, scores, curves, and optionally maps and pictures of every sample."""

import dataclasses
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pointad.evaluation.binning import binning_note
from pointad.evaluation.class_outcome import ClassOutcome
from pointad.evaluation.companions import Companions, text_fingerprint
from pointad.evaluation.learned_samples import with_learned_samples
from pointad.evaluation.missing_masks import missing_masks_note
from pointad.evaluation.modalities import MODALITIES, MODALITY_LABELS
from pointad.evaluation.provenance import file_fingerprint
from pointad.evaluation.results import Metrics, Results, metric_title
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.sample_outputs import (
    MAPS_COLUMN,
    PICTURE_COLUMN,
    SCORE_COLUMNS,
    SCORES_NAME,
    SampleName,
    announce,
    confirm,
    discard,
    maps_file,
    picture_file,
    refuse_one_file_for_two,
)
from pointad.evaluation.scored_sample import ScoredSample
from pointad.files.atomic import atomic_path, write_together
from pointad.files.csv_tables import csv_text
from pointad.files.escaping import for_csv
from pointad.files.regular import refuse_leaving
from pointad.visualization.sheets import sample_sheet

logger = logging.getLogger(__name__)


class RunWriter:
    """Collects one run and writes it into a folder.

    Files: ``results.json``, ``scores.csv`` and ``curves.json`` when the run is finished; ``maps/<class>/<species>/
    <id>.npz`` (``point_map``, ``color_map``, ``fused_map``, float32; ``mask``, the anomalous positions, and ``valid``,
    those that hold a point, bool; ``views`` and ``picture``, what tells the views and the RGB picture, uint8) and
    ``visualization/<class>/<species>/<id>.png`` as samples are scored, if requested; names that are not plain path
    components are escaped. While a run writes maps or pictures, ``unfinished.csv`` names the samples that they are of.

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
        self._looks: dict[str, list[str]] = {}
        self._curves: dict[str, Any] = {}

    def begin(self, names: Iterable[SampleName]) -> None:
        """Remove the maps and pictures of earlier runs: reports would show them beside the figures of this one.

        Args:
            names: class, species and identifier of the samples that are going to be added.

        Raises:
            InputError: they cannot be removed, the folder cannot be written to, a link leads out of it, or two samples
                would have one file.
        """
        names = list(names)
        if self._save_maps or self._visualize:
            refuse_one_file_for_two(self.folder, names)
        discard(self.folder)
        if self._save_maps or self._visualize:
            for name in names:
                refuse_leaving(self.folder, maps_file(self.folder, *name))
                refuse_leaving(self.folder, picture_file(self.folder, *name))
            announce(self.folder, names)

    def add_sample(self, sample: ScoredSample) -> None:
        """Add a sample's scores, and write its maps and picture if requested.

        Raises:
            InputError: a file cannot be written.
        """
        scores = [repr(sample.scores[m]) if m in sample.scores else "" for m in MODALITIES]
        self._looks.setdefault(sample.class_name, []).append(sample.looks)
        name = (sample.class_name, sample.species, sample.identifier)
        row = [*map(for_csv, name), str(sample.label), *scores]
        self._rows.append(row)
        if self._save_maps:
            arrays = {f"{modality}_map": one.astype(np.float32) for modality, one in sample.maps.items()}
            arrays |= {"mask": sample.mask, "valid": sample.valid}
            for kind, digest in (("views", sample.renderings), ("picture", sample.picture)):
                if digest:
                    arrays[kind] = np.frombuffer(bytes.fromhex(digest), np.uint8)
            with atomic_path(maps_file(self.folder, *name)) as temporary:
                np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
            row.append(file_fingerprint(maps_file(self.folder, *name)))
        if self._visualize:
            with atomic_path(picture_file(self.folder, *name)) as temporary:
                Image.fromarray(picture_of(sample)).save(temporary)
            row.append(file_fingerprint(picture_file(self.folder, *name)))

    def add_class(self, outcome: ClassOutcome) -> None:
        """Add the metrics of a class."""
        self.results.classes[outcome.class_name] = outcome.metrics
        self._curves[outcome.class_name] = outcome.curves
        if outcome.masks:
            self.results.masks[outcome.class_name] = outcome.masks
        if outcome.pictures:
            self.results.pictures[outcome.class_name] = outcome.pictures
        if outcome.scans:
            self.results.scans[outcome.class_name] = self.results.run.of_views(outcome.scans)
        if outcome.without_mask:
            self.results.without_mask[outcome.class_name] = outcome.without_mask
            logger.warning("%s", missing_masks_note({outcome.class_name: outcome.without_mask}))
        for group, metrics in outcome.groups.items():
            self.results.groups.setdefault(group, {})[outcome.class_name] = metrics
        for group, bounds_of_group in outcome.group_error_bounds.items():
            self.results.group_error_bounds.setdefault(group, {})[outcome.class_name] = bounds_of_group
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
        further = ((MAPS_COLUMN, self._save_maps), (PICTURE_COLUMN, self._visualize))
        columns = [*SCORE_COLUMNS, *(column for column, is_written in further if is_written)]
        scores = csv_text([columns, *self._rows]).encode()
        curves = json.dumps(self._curves, allow_nan=False).encode()
        files = Companions(text_fingerprint(scores), text_fingerprint(curves), self._save_maps, self._visualize)
        run = with_learned_samples(self.results.run, self._looks)
        self.results = dataclasses.replace(self.results, run=run, files=files)
        named = {SCORES_NAME: scores, "curves.json": curves, "results.json": self.results.to_bytes()}
        write_together({self.folder / name: content for name, content in named.items()})
        confirm(self.folder)
        return self.results


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

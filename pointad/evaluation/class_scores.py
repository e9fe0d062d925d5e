"""The scores of one class's samples, one modality beside the other, and the metrics that they give."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from pointad.evaluation.results import Metrics
from pointad.metrics import PixelScores, curves, image_metrics, pixel_error_bounds, pixel_metrics
from pointad.metrics.aupro import AuproMethod
from pointad.metrics.curves import Curve
from pointad.metrics.ranking import rank

_PIXEL_PREFIX = "pixel_"


class Measures(Protocol):
    """What is measured, see `EvaluationSettings`."""

    @property
    def metrics(self) -> tuple[str, ...]: ...
    @property
    def aupro(self) -> AuproMethod: ...
    @property
    def exact_pixels(self) -> int: ...
    @property
    def allow_empty_masks(self) -> bool: ...


class ClassScores:
    """Takes samples in one by one; their maps are kept in compressed form only, see ``PixelScores``.

    Attributes:
        without_mask: anomalous samples that are in no pixel metric, since their masks mark nothing.
    """

    def __init__(self, settings: Measures) -> None:
        self._settings = settings
        self._pixel_names = [name for name in settings.metrics if name.startswith(_PIXEL_PREFIX)]
        self._image_names = [name for name in settings.metrics if not name.startswith(_PIXEL_PREFIX)]
        self._labels: dict[str, list[int]] = {}
        self._scores: dict[str, list[float]] = {}
        self._pixels: dict[str, PixelScores] = {}
        self.without_mask = 0

    def add(
        self,
        label: int,
        mask: np.ndarray,
        regions: np.ndarray | None,
        scores: Mapping[str, float],
        maps: Mapping[str, np.ndarray],
    ) -> None:
        """Take one sample in.

        Args:
            label: 1 is anomalous.
            mask: (S, S) bool, anomalous positions.
            regions: (S, S) their numbers, see ``PixelScores.add``.
            scores: modality -> score.
            maps: modality -> (S, S).
        """
        located = not (self._settings.allow_empty_masks and label and not mask.any())
        self.without_mask += bool(self._pixel_names) and not located
        for modality, score in scores.items():
            self._labels.setdefault(modality, []).append(label)
            self._scores.setdefault(modality, []).append(score)
            if self._pixel_names:
                pixels = self._pixels.setdefault(modality, PixelScores(self._settings.exact_pixels))
                if located:
                    pixels.add(maps[modality], mask, regions)

    def metrics(self) -> dict[str, Metrics]:
        """Modality -> metric -> fraction, those of samples first; None where undefined."""
        found = {modality: image_metrics(*self._judged(modality), self._image_names) for modality in self._scores}
        for modality, pixels in self._pixels.items():
            found[modality] |= pixel_metrics(pixels, self._pixel_names, self._settings.aupro)
        return found

    def error_bounds(self) -> dict[str, Metrics]:
        """Modality -> pixel metric that is binned -> bound; empty if there are none."""
        names, aupro = self._pixel_names, self._settings.aupro
        binned = {modality: pixels for modality, pixels in self._pixels.items() if pixels.is_binned}
        return {modality: pixel_error_bounds(pixels, names, aupro) for modality, pixels in binned.items()}

    def curves(self) -> dict[str, dict[str, dict[str, Curve]]]:
        """Modality -> "image" or "pixel" -> "roc", "pro"."""
        found = {modality: {"image": curves(rank(*self._judged(modality)))} for modality in self._scores}
        for modality, pixels in self._pixels.items():
            found[modality]["pixel"] = curves(pixels.ranking())
        return found

    def _judged(self, modality: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self._labels[modality]), np.array(self._scores[modality])

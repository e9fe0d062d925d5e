"""Rendered samples as tensors, single and batched: the input of encoders, losses and scores.

B samples, V views, S the side of the images (336), P = S * S positions on the grid of points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class MultiViewSample:
    """One scan, ready for the model; fields that were not requested are None."""

    class_name: str
    species: str
    identifier: str
    label: int  # 1 is anomalous
    views: Tensor | None  # (V, S, S, 3) uint8, renderings
    color: Tensor | None  # (S, S, 3) uint8, the RGB picture
    views_gt: Tensor | None  # (V, S, S) bool, anomalous pixels of every view
    mask: Tensor  # (P,) bool, anomalous positions
    correspondences: Tensor  # (V, P, 3) int16: column x, row y, visible (never-seen points filled); holes are 0
    non_zero: Tensor  # (P,) bool, positions that hold a point
    regions: Tensor | None = None  # (P,) int32, number of the anomalous region; only for point clouds without a grid
    points: Tensor | None = None  # (P, 3) float32, relative to their mean; holes are 0
    looks: str | None = None  # what tells each view as it was rendered, see `looks_and_sights`
    sights: tuple[str, ...] = ()  # the same of each with the places of its points


@dataclass(frozen=True)
class MultiViewBatch:
    """Samples stacked along a first axis; texts are kept as lists."""

    class_name: list[str]
    species: list[str]
    identifier: list[str]
    label: Tensor  # (B,) int64
    views: Tensor | None  # (B, V, S, S, 3) uint8
    color: Tensor | None  # (B, S, S, 3) uint8
    views_gt: Tensor | None  # (B, V, S, S) bool
    mask: Tensor  # (B, P) bool
    correspondences: Tensor  # (B, V, P, 3) int16
    non_zero: Tensor  # (B, P) bool
    regions: Tensor | None = None  # (B, P) int32
    points: Tensor | None = None  # (B, P, 3) float32
    looks: list[str | None] | None = None
    sights: list[tuple[str, ...]] | None = None

    def sample(self, index: int) -> MultiViewSample:
        """A single sample; its tensors share the batch's memory."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen: dict[str, Any] = {name: None if value is None else value[index] for name, value in values.items()}
        chosen["label"] = int(chosen["label"])
        return MultiViewSample(**chosen)

    def name_of(self, index: int) -> str:
        """What errors call a sample."""
        return f"{self.class_name[index]}/{self.species[index]}/{self.identifier[index]}"

    def to(self, device: torch.device) -> "MultiViewBatch":
        """The same batch with its tensors on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "MultiViewBatch":
        """The same batch in page-locked memory; the data loader calls this."""
        return self._map(lambda tensor: tensor.pin_memory())

    def _map(self, change) -> "MultiViewBatch":  # type: ignore[no-untyped-def]
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return MultiViewBatch(**{k: change(v) if isinstance(v, Tensor) else v for k, v in values.items()})


def collate(samples: Sequence[MultiViewSample]) -> MultiViewBatch:
    """Stack samples into a batch; a field that is None in one sample is None in the batch."""

    def stack(name: str) -> Tensor | None:
        values = [getattr(sample, name) for sample in samples]
        return None if any(value is None for value in values) else torch.stack(values)

    return MultiViewBatch(
        class_name=[sample.class_name for sample in samples],
        species=[sample.species for sample in samples],
        identifier=[sample.identifier for sample in samples],
        label=torch.tensor([sample.label for sample in samples]),
        views=stack("views"),
        color=stack("color"),
        views_gt=stack("views_gt"),
        mask=torch.stack([sample.mask for sample in samples]),
        correspondences=torch.stack([sample.correspondences for sample in samples]),
        non_zero=torch.stack([sample.non_zero for sample in samples]),
        regions=stack("regions"),
        points=stack("points"),
        looks=[sample.looks for sample in samples],
        sights=[sample.sights for sample in samples],
    )

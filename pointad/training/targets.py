"""Training targets: tensors that are moved together from the loader to the device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from torch import Tensor

from pointad.data.batch import MultiViewSample
from pointad.errors import InputError

Aim = TypeVar("Aim", bound="Targets")


@dataclass(frozen=True)
class Targets:
    """Targets of B samples; the part that every loss needs."""

    labels: Tensor  # (B,) int64, 1 is anomalous

    def to(self: Aim, device: torch.device) -> Aim:
        """The same targets on another device."""
        return self.changed(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self: Aim) -> Aim:
        """The same targets in page-locked memory, for faster copies to a GPU."""
        return self.changed(lambda tensor: tensor.pin_memory())

    def changed(self: Aim, change: Callable[[Tensor], Tensor]) -> Aim:
        """The same targets with a function applied to each of their tensors."""
        return type(self)(*(change(getattr(self, field.name)) for field in fields(self)))


@dataclass(frozen=True)
class MapTargets(Targets):
    """Targets for the maps of B samples: everything that a loss may use."""

    view_masks: Tensor  # (B, V, S, S) bool, anomalous pixels of the rendered ground truth
    masks: Tensor  # (B, P) bool, anomalous points
    correspondences: Tensor  # (B, V, P, 3) int16: column, row, visible
    non_zero: Tensor  # (B, P) bool, positions that hold a point


def map_targets(sample: MultiViewSample) -> MapTargets:
    """The targets of one sample; see :class:`MapTargets`, with B = 1.

    Raises:
        InputError: the sample was loaded without the ground truth of its views.
    """
    targets = MapTargets(
        labels=torch.tensor(sample.label),
        view_masks=drawn_truth(sample).clone(),  # so that loader processes can reuse their memory
        masks=sample.mask.clone(),
        correspondences=sample.correspondences.clone(),
        non_zero=sample.non_zero.clone(),
    )
    return targets.changed(lambda tensor: tensor[None])


def drawn_truth(sample: MultiViewSample) -> Tensor:
    """The ground truth of a sample's views, (V, S, S) bool.

    Raises:
        InputError: the sample was loaded without it.
    """
    if sample.views_gt is None:
        remedy = "load it with SampleOptions(with_views_gt=True)"
        raise InputError("sample", "was loaded without the ground truth of its views", remedy)
    return sample.views_gt


def concatenate_targets(parts: Sequence[Aim]) -> Aim:
    """Concatenate the targets, all of one kind, of several groups of samples."""
    kind = type(parts[0])
    return kind(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(kind)))

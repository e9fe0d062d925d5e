"""The two ways to compute the loss, and the choice between them.

The general path computes the maps at full size and visits every pixel and point: it supports any loss and any fusion of
the views. The fast path uses sums over patch grids, which suffice for the published loss. Before training, both are
computed for a few random samples, and the fast path is used only if it gives the same terms and the same gradients. So
a change of ``pointad.training.losses``, ``back_project`` or the resizing of maps takes effect as written, only slower.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from pointad.data.batch import MultiViewSample
from pointad.errors import InputError
from pointad.scoring.back_projection import MEAN, back_project
from pointad.scoring.similarity import upsample
from pointad.training.grid_losses import GridTargets, grid_losses, grid_targets
from pointad.training.losses import TERMS, LossInputs, training_losses
from pointad.training.targets import MapTargets, concatenate_targets, map_targets
from pointad.training.terms import PUBLISHED_WEIGHTS

logger = logging.getLogger(__name__)

TOLERANCE = 1e-5  # relative; sums over maps are kept in single precision
TRIAL_VIEWS, TRIAL_SIZE, TRIAL_GRID, TRIAL_SEED = 4, 30, 5, 3


@dataclass(frozen=True)
class FastPath:
    """Uses sums over patch grids: for the published terms, and fusions of the views that are linear in the maps."""

    view_fusion: str

    def targets(self, sample: MultiViewSample, grid_side: int) -> GridTargets:
        """Targets of one sample, B = 1, for pictures with ``grid_side`` patches per side."""
        return grid_targets(sample, grid_side, self.view_fusion)

    def losses(
        self, view_logits: Tensor, grids: Tensor, targets: GridTargets, terms: Collection[str]
    ) -> dict[str, Tensor]:
        """The chosen terms of B samples, scalars, from (B, V, 2) logits and (B, V, g, g) anomalous probabilities."""
        return grid_losses(view_logits, grids, targets, terms)


@dataclass(frozen=True)
class GeneralPath:
    """Computes full maps, back-projects them and calls :mod:`pointad.training.losses`: for any term and any fusion."""

    view_fusion: str

    def targets(self, sample: MultiViewSample, grid_side: int) -> MapTargets:
        """Targets of one sample, B = 1, for pictures with ``grid_side`` patches per side."""
        return map_targets(sample)

    def losses(
        self, view_logits: Tensor, grids: Tensor, targets: MapTargets, terms: Collection[str]
    ) -> dict[str, Tensor]:
        """The chosen terms of B samples, scalars, from (B, V, 2) logits and (B, V, g, g) anomalous probabilities."""
        maps = upsample(grids.unsqueeze(-3), targets.view_masks.shape[-1]).squeeze(-3)
        inputs = LossInputs(
            view_logits=view_logits,
            view_maps=maps,
            point_maps=back_project(maps, targets.correspondences, targets.non_zero, self.view_fusion),
            non_zero=targets.non_zero,
            labels=targets.labels,
            masks=targets.masks,
            view_masks=targets.view_masks,
        )
        return training_losses(inputs, terms)


LossPath = FastPath | GeneralPath


def choose_path(terms: Collection[str] = tuple(PUBLISHED_WEIGHTS), view_fusion: str = MEAN) -> LossPath:
    """The fast path if it agrees with the terms and the fusion as defined, else the general one, which is logged.

    Args:
        terms: the ones that will be computed.
        view_fusion: a key of :data:`pointad.scoring.back_projection.VIEW_FUSIONS`.

    Raises:
        InputError: the fusion is unknown, or a term has no function.
    """
    for name in sorted(set(terms) - set(TERMS)):
        raise InputError(f"loss {name}", "has no function", "write one and add it to TERMS in pointad.training.losses")
    fast, general = FastPath(view_fusion), GeneralPath(view_fusion)
    differing = [name for name in terms if not _agree(fast, general, name)]
    if not differing:
        return fast
    logger.info(
        "%s (views fused by %s): computed from full-size maps at every step, which is slower",
        ", ".join(differing),
        view_fusion,
    )
    return general


def _agree(fast: FastPath, general: GeneralPath, term: str) -> bool:
    """Whether both paths give the same term and the same gradients for a few random samples."""
    if term not in PUBLISHED_WEIGHTS:
        return False
    (wanted, wanted_gradients), (found, found_gradients) = (_trial(path, term) for path in (general, fast))
    return torch.allclose(found, wanted, rtol=TOLERANCE, atol=0) and all(
        torch.allclose(one, other, rtol=10 * TOLERANCE, atol=TOLERANCE * float(other.abs().max()))
        for one, other in zip(found_gradients, wanted_gradients, strict=True)
    )


def _trial(path: LossPath, term: str) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A term for random samples, in double precision, and its gradients."""
    generator = torch.Generator().manual_seed(TRIAL_SEED)
    targets = concatenate_targets([path.targets(_random_sample(generator, label), TRIAL_GRID) for label in (0, 1, 1)])
    shape = (len(targets.labels), TRIAL_VIEWS)
    with torch.enable_grad():
        logits = torch.randn(*shape, 2, generator=generator, dtype=torch.float64).requires_grad_()
        grids = torch.rand(*shape, TRIAL_GRID, TRIAL_GRID, generator=generator, dtype=torch.float64).requires_grad_()
        loss = path.losses(logits, grids, targets, [term])[term]  # type: ignore[arg-type]
        gradients = torch.autograd.grad(loss, (logits, grids), allow_unused=True, materialize_grads=True)
    return loss.detach(), gradients


def _random_sample(generator: torch.Generator, label: int) -> MultiViewSample:
    """A sample with points at half of the positions, seen by some of the views; the first view shows no defect."""
    positions = TRIAL_SIZE * TRIAL_SIZE
    correspondences = torch.randint(0, TRIAL_SIZE, (TRIAL_VIEWS, positions, 3), generator=generator)
    correspondences[..., 2] = torch.rand(TRIAL_VIEWS, positions, generator=generator) < 0.4
    views_gt = torch.rand(TRIAL_VIEWS, TRIAL_SIZE, TRIAL_SIZE, generator=generator) < 0.1
    views_gt[0] = False
    return MultiViewSample(
        class_name="trial",
        species="",
        identifier="",
        label=label,
        views=None,
        color=None,
        views_gt=views_gt & bool(label),
        mask=(torch.rand(positions, generator=generator) < 0.1) & bool(label),
        correspondences=correspondences.short(),
        non_zero=torch.rand(positions, generator=generator) < 0.5,
    )

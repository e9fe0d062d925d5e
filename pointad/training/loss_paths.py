"""The two ways to the loss, and which of them a training takes.

The general way draws the maps and looks every pixel and point up: it takes any loss and any fusion of the views. The
fast way takes sums over grids of patches, which serve the published loss. Before a training both are computed for a few
random samples, and the fast way is taken only if it gives the same terms and the same gradients. So whoever changes
``pointad.training.losses``, ``back_project`` or the resizing of maps gets what was written, only slower.
"""

import logging
from collections.abc import Collection

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


class FastPath:
    """Sums over grids of patches: the published terms, and fusions of the views that are linear in the maps."""

    def __init__(self, view_fusion: str = MEAN) -> None:
        self.view_fusion = view_fusion

    def targets(self, sample: MultiViewSample, grid_side: int) -> GridTargets:
        """What one sample should give, B = 1, for pictures of ``grid_side`` patches a side."""
        return grid_targets(sample, grid_side, self.view_fusion)

    def losses(
        self, view_logits: Tensor, grids: Tensor, targets: GridTargets, terms: Collection[str]
    ) -> dict[str, Tensor]:
        """The chosen terms of B samples, scalars, from (B, V, 2) logits and (B, V, g, g) anomalous probabilities."""
        return grid_losses(view_logits, grids, targets, terms)


class GeneralPath:
    """Draws the maps, back-projects them and asks :mod:`pointad.training.losses`: any term, any fusion."""

    def __init__(self, view_fusion: str = MEAN) -> None:
        self.view_fusion = view_fusion

    def targets(self, sample: MultiViewSample, grid_side: int) -> MapTargets:
        """What one sample should give, B = 1, for pictures of ``grid_side`` patches a side."""
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
    """The fast way where it gives what the terms and the fusion say, else the general one, which is said.

    Args:
        terms: those that will be computed.
        view_fusion: a key of :data:`pointad.scoring.back_projection.VIEW_FUSIONS`.

    Raises:
        InputError: there is no such fusion, or a term has no function.
    """
    for name in sorted(set(terms) - set(TERMS)):
        raise InputError(f"loss {name}", "has no function", "write it and enter it in TERMS of pointad.training.losses")
    fast, general = FastPath(view_fusion), GeneralPath(view_fusion)
    differing = [name for name in terms if not _agree(fast, general, name)]
    if not differing:
        return fast
    logger.info(
        "%s (views fused by %s): computed from maps drawn at every step, which is slower",
        ", ".join(differing),
        view_fusion,
    )
    return general


def _agree(fast: FastPath, general: GeneralPath, term: str) -> bool:
    """Whether both ways give the same term and the same gradients for a few random samples."""
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
    """Points in half of the positions, seen by some of the views; the first view shows no defect."""
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

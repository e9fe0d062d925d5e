"""The loss from grids of patches equals the one that draws maps, looks pixels up and sums over all points."""

import pytest
import torch
from torch import Tensor

from pointad.data.batch import MultiViewSample, collate
from pointad.errors import InputError
from pointad.scoring.back_projection import MEAN, back_project
from pointad.scoring.similarity import upsample
from pointad.training.grid_losses import GridTargets, grid_losses, grid_targets
from pointad.training.losses import LossInputs, training_losses
from pointad.training.targets import concatenate_targets
from pointad.training.terms import LOSS_TERMS

VIEWS, SIZE, GRID = 3, 30, 4


def random_sample(seed: int, label: int) -> MultiViewSample:
    """Points in half of the positions, seen by some views; its first view shows no defect."""
    generator = torch.Generator().manual_seed(seed)
    positions = SIZE * SIZE
    correspondences = torch.randint(0, SIZE, (VIEWS, positions, 3), generator=generator)
    correspondences[..., 2] = torch.rand(VIEWS, positions, generator=generator) < 0.4
    views_gt = torch.rand(VIEWS, SIZE, SIZE, generator=generator) < 0.1
    views_gt[0] = False
    return MultiViewSample(
        class_name="cube",
        species="dent" if label else "good",
        identifier=f"{seed:03}",
        label=label,
        views=None,
        color=None,
        views_gt=views_gt & bool(label),
        mask=(torch.rand(positions, generator=generator) < 0.1) & bool(label),
        correspondences=correspondences.short(),
        non_zero=torch.rand(positions, generator=generator) < 0.5,
    )


SAMPLES = [random_sample(0, 0), random_sample(1, 1), random_sample(2, 1)]


def step_by_step(view_logits: Tensor, grids: Tensor, samples: list[MultiViewSample]) -> dict[str, Tensor]:
    """The same loss as the method describes it."""
    batch = collate(samples)
    assert batch.views_gt is not None
    maps = upsample(grids.unsqueeze(-3), SIZE).squeeze(-3)
    inputs = LossInputs(
        view_logits=view_logits,
        view_maps=maps,
        point_maps=back_project(maps, batch.correspondences, batch.non_zero),
        non_zero=batch.non_zero,
        labels=batch.label,
        masks=batch.mask,
        view_masks=batch.views_gt,
    )
    return training_losses(inputs)


def targets_of(samples: list[MultiViewSample]) -> GridTargets:
    return concatenate_targets([grid_targets(sample, GRID, MEAN) for sample in samples])


@pytest.mark.parametrize("count", [1, 3])
def test_losses_and_gradients_are_those_of_the_maps(count: int) -> None:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(count, VIEWS, 2, generator=generator)
    grids = torch.rand(count, VIEWS, GRID, GRID, generator=generator)
    results = []
    for compute in (
        lambda x, y: step_by_step(x, y, SAMPLES[:count]),
        lambda x, y: grid_losses(x, y, targets_of(SAMPLES[:count]), LOSS_TERMS),
    ):
        inputs = (logits.clone().requires_grad_(), grids.clone().requires_grad_())
        losses = compute(*inputs)
        sum(losses.values()).backward()
        results.append((losses, inputs))
    (expected, expected_inputs), (found, found_inputs) = results
    for term in LOSS_TERMS:
        torch.testing.assert_close(found[term], expected[term], rtol=2e-6, atol=2e-7)
    for one, other in zip(found_inputs, expected_inputs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)


def test_a_sample_of_holes_and_unseen_points_has_finite_losses() -> None:
    sample = random_sample(3, 1)
    sample.non_zero[:] = False
    sample.correspondences[..., 2] = 0
    grids = torch.full((1, VIEWS, GRID, GRID), 0.5)
    losses = grid_losses(torch.zeros(1, VIEWS, 2), grids, targets_of([sample]), LOSS_TERMS)
    assert torch.isfinite(torch.stack(list(losses.values()))).all()


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_a_single_term_alone(term: str) -> None:
    losses = grid_losses(torch.zeros(3, VIEWS, 2), torch.rand(3, VIEWS, GRID, GRID), targets_of(SAMPLES), [term])
    assert set(losses) == {term} and losses[term] > 0


def test_targets_want_the_ground_truth_of_the_views() -> None:
    sample = random_sample(4, 1)
    without = MultiViewSample(**{**vars(sample), "views_gt": None})
    with pytest.raises(InputError, match="ground truth"):
        grid_targets(without, GRID, MEAN)

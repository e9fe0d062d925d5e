"""The loss terms against the goldens and in closed form; batches of any size."""

import math
from collections.abc import Collection, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.training.losses import TERMS, LossInputs, dice_loss, focal_loss, pixel_loss, training_losses
from pointad.training.terms import LOSS_TERMS, PUBLISHED_WEIGHTS, check_weights

BATCH, VIEWS, SIZE, POINTS = 5, 3, 14, 50


@pytest.fixture
def arguments() -> dict[str, Tensor]:
    """A random batch; the last view of every sample shows no defect."""
    generator = torch.Generator().manual_seed(7)
    non_zero = torch.rand(BATCH, POINTS, generator=generator) < 0.8
    view_masks = (torch.rand(BATCH, VIEWS, SIZE, SIZE, generator=generator) < 0.1).float()
    view_masks[:, -1] = 0
    return {
        "view_logits": torch.randn(BATCH, VIEWS, 2, generator=generator, requires_grad=True),
        "view_maps": torch.rand(BATCH, VIEWS, SIZE, SIZE, generator=generator).requires_grad_(),
        "point_maps": (torch.rand(BATCH, POINTS, generator=generator) * non_zero).requires_grad_(),
        "non_zero": non_zero,
        "labels": torch.tensor([0, 1, 1, 0, 1]),
        "masks": ((torch.rand(BATCH, POINTS, generator=generator) < 0.2) & non_zero).float(),
        "view_masks": view_masks,
    }


def losses_of(arguments: dict[str, Tensor], terms: Collection[str] = LOSS_TERMS) -> dict[str, Tensor]:
    return training_losses(LossInputs(**arguments), terms)


def total_of(arguments: dict[str, Tensor]) -> float:
    return float(sum(value.item() for value in losses_of(arguments).values()))


def test_golden_terms(golden_units: dict[str, np.ndarray]) -> None:
    anomalous = torch.from_numpy(golden_units["loss/prob"])[:, 1]
    mask = torch.from_numpy(golden_units["loss/gt"])[:, 0]
    focal = focal_loss(anomalous, mask).mean()
    dice_anomalous = dice_loss(anomalous.flatten(1), mask.flatten(1)).mean()
    dice_normal = dice_loss(1 - anomalous.flatten(1), 1 - mask.flatten(1)).mean()
    assert focal.item() == pytest.approx(float(golden_units["loss/focal"]), abs=1e-6)
    assert dice_anomalous.item() == pytest.approx(float(golden_units["loss/dice_anomaly"]), abs=1e-6)
    assert dice_normal.item() == pytest.approx(float(golden_units["loss/dice_normal"]), abs=1e-6)
    assert pixel_loss(anomalous, mask).item() == pytest.approx((focal + dice_anomalous + dice_normal).item(), abs=1e-6)


def test_perfect_maps_cost_nothing() -> None:
    mask = torch.zeros(2, 6, 6)
    mask[0, 2:4] = 1
    assert pixel_loss(mask, mask).item() == pytest.approx(0, abs=1e-6)


def test_dice_of_disjoint_sets() -> None:
    values, target = torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    assert dice_loss(values, target).item() == pytest.approx(1 - 1 / 4)


def test_focal_of_a_coin_flip() -> None:
    assert focal_loss(torch.tensor(0.5), torch.tensor(1.0)).item() == pytest.approx(0.25 * math.log(2), abs=1e-4)


def test_loss_does_not_depend_on_how_the_batch_is_cut(arguments: dict[str, Tensor]) -> None:
    whole = losses_of(arguments)
    for cut in (1, 4):  # the last batch may hold a single sample
        parts = [
            (len(part["labels"]), losses_of(part))
            for part in (
                {name: value[start : start + cut] for name, value in arguments.items()}
                for start in range(0, BATCH, cut)
            )
        ]
        for term in LOSS_TERMS:
            mean = sum(size * losses[term].item() for size, losses in parts) / BATCH
            assert whole[term].item() == pytest.approx(mean, rel=1e-5), (cut, term)


def test_order_of_views_does_not_matter(arguments: dict[str, Tensor]) -> None:
    order = torch.tensor([2, 0, 1])
    turned = {name: arguments[name][:, order] for name in ("view_logits", "view_maps", "view_masks")}
    assert total_of({**arguments, **turned}) == pytest.approx(total_of(arguments), rel=1e-6)


def test_view_labels_come_from_the_drawn_ground_truth(arguments: dict[str, Tensor]) -> None:
    logits = arguments["view_logits"]
    expected = [
        -logits[sample, view].log_softmax(0)[int(arguments["view_masks"][sample, view].any())]
        for sample in range(BATCH)
        for view in range(VIEWS)
    ]
    assert losses_of(arguments)["d2_image_loss"].item() == pytest.approx(torch.stack(expected).mean().item())


def test_holes_are_neither_normal_nor_anomalous(arguments: dict[str, Tensor]) -> None:
    points, masks, non_zero = arguments["point_maps"], arguments["masks"], arguments["non_zero"]
    normal = (1 - points) * non_zero
    expected = dice_loss(points, masks).mean() + dice_loss(normal, 1 - masks).mean()
    assert losses_of(arguments)["d3_point_loss"].item() == pytest.approx(expected.item())


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_one_term_alone(term: str, arguments: dict[str, Tensor]) -> None:
    alone, all_terms = losses_of(arguments, [term]), losses_of(arguments)
    assert set(alone) == {term}
    assert alone[term].item() == all_terms[term].item()
    alone[term].backward()
    wanted = {"d2_pixel_loss": "view_maps", "d3_point_loss": "point_maps"}.get(term, "view_logits")
    touched = {name for name, value in arguments.items() if value.grad is not None}
    assert touched == {wanted}


def test_every_named_term_has_a_function() -> None:
    assert tuple(TERMS) == LOSS_TERMS
    assert set(PUBLISHED_WEIGHTS.values()) == {1.0} and len(PUBLISHED_WEIGHTS) == 4


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "choose among d2_pixel_loss"),
        ({"d4_loss": 1.0}, "choose among d2_pixel_loss"),
        ({"d2_pixel_loss": 0.0}, "has no terms"),
        ({"d2_pixel_loss": -1.0}, "cannot have weight -1"),
        ({"d2_pixel_loss": math.nan}, "cannot have weight nan"),
    ],
)
def test_weights_that_mean_nothing_are_refused(weights: Mapping[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_weights(weights)


def test_weights_come_in_the_order_of_the_terms() -> None:
    weights = {"d2_image_loss": 2, "d2_pixel_loss": 0.5, "d3_point_loss": 0}
    assert list(check_weights(weights).items()) == [("d2_pixel_loss", 0.5), ("d2_image_loss", 2.0)]

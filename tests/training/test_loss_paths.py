"""The loss that is written is the loss that trains: the fast way is taken only where it says the same."""

import logging
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.scoring import back_projection, similarity
from pointad.training import losses
from pointad.training.loss_paths import FastPath, GeneralPath, choose_path
from pointad.training.losses import LossInputs
from pointad.training.terms import LOSS_TERMS


def test_the_published_loss_takes_the_fast_way() -> None:
    assert isinstance(choose_path(), FastPath)
    for term in LOSS_TERMS:
        assert isinstance(choose_path([term]), FastPath)


@pytest.mark.parametrize("fusion", ["max", "top2"])
def test_a_fusion_that_is_not_linear_takes_the_general_way_and_says_so(
    fusion: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert isinstance(choose_path(view_fusion=fusion), GeneralPath)
    assert "d3_point_loss" in caplog.text and "d2_pixel_loss" not in caplog.text
    # The terms that do not look at points do not care.
    assert isinstance(choose_path(["d2_pixel_loss", "d2_image_loss"], fusion), FastPath)


def test_a_linear_fusion_of_ones_own_stays_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    def favour_the_first(values: Tensor, seen: Tensor) -> Tensor:
        weights = seen * torch.arange(values.shape[1], 0, -1, device=values.device)[:, None]
        return (values * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)

    monkeypatch.setitem(back_projection.VIEW_FUSIONS, "first", favour_the_first)
    assert isinstance(choose_path(view_fusion="first"), FastPath)


def doubled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *arguments, **named: 2 * function(*arguments, **named)


def without_gradient(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *arguments, **named: function(*arguments, **named).detach() + 0 * function(*arguments, **named)


@pytest.mark.parametrize("change", [doubled, without_gradient])
@pytest.mark.parametrize("name", ["dice_loss", "focal_loss", "pixel_loss"])
def test_a_changed_loss_is_computed_as_it_is_written(
    change: Callable, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, name, change(getattr(losses, name)))
    assert isinstance(choose_path(), GeneralPath)


def test_changed_constants_count_in_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "DICE_SMOOTHING", 3.0)  # the fast way has its own copy when it is changed in memory
    assert isinstance(choose_path(), GeneralPath)


@pytest.mark.parametrize("name", LOSS_TERMS)
def test_a_replaced_term_is_computed_as_it_is_written(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(losses.TERMS, name, doubled(losses.TERMS[name]))
    assert isinstance(choose_path(), GeneralPath)


def test_a_changed_resizing_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def nearest(grid: Tensor, size: int) -> Tensor:
        return torch.nn.functional.interpolate(grid.flatten(0, -4), size=(size, size)).view(
            *grid.shape[:-2], size, size
        )

    monkeypatch.setattr("pointad.training.loss_paths.upsample", nearest)
    assert isinstance(choose_path(), GeneralPath)
    assert nearest(torch.ones(2, 3, 1, 4, 4), 8).shape == similarity.upsample(torch.ones(2, 3, 1, 4, 4), 8).shape


def test_a_new_term_takes_the_general_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def spread(inputs: LossInputs) -> Tensor:
        return inputs.point_maps.square().mean()

    monkeypatch.setitem(losses.TERMS, "d3_spread_loss", spread)
    assert isinstance(choose_path([*LOSS_TERMS, "d3_spread_loss"]), GeneralPath)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="choose one of mean, max, top2"):
        choose_path(view_fusion="median")
    with pytest.raises(InputError, match="has no function"):
        choose_path(["d4_loss"])

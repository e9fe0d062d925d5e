"""Back-projection against the goldens, a naive twin, and what must hold for every cloud."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.scoring.back_projection import back_project

BATCH, VIEWS, SIZE, POINTS = 2, 5, 12, 90


@pytest.fixture
def scene() -> tuple[Tensor, Tensor, Tensor]:
    """Random maps, correspondences and holes; some points are seen by no view."""
    generator = torch.Generator().manual_seed(3)
    maps = torch.rand(BATCH, VIEWS, SIZE, SIZE, generator=generator)
    pixels = torch.randint(SIZE, (BATCH, VIEWS, POINTS, 2), generator=generator)
    visible = torch.rand(BATCH, VIEWS, POINTS, 1, generator=generator) < 0.4
    non_zero = torch.rand(BATCH, POINTS, generator=generator) < 0.7
    return maps, torch.cat([pixels, visible.long()], dim=-1), non_zero


def mean_of_largest(values: list[Tensor], count: int) -> float:
    largest = sorted(map(float, values), reverse=True)[:count]
    return sum(largest) / len(largest)


def back_project_point_by_point(
    maps: Tensor, correspondences: Tensor, non_zero: Tensor, largest: int = VIEWS
) -> Tensor:
    """The definition, one point after the other: the mean of the largest values of the views that see it."""
    result = torch.zeros(non_zero.shape)
    for sample in range(maps.shape[0]):
        for point in range(non_zero.shape[1]):
            values = [
                maps[sample, view, row, column]
                for view, (column, row, visible) in enumerate(correspondences[sample, :, point].tolist())
                if visible and non_zero[sample, point]
            ]
            result[sample, point] = mean_of_largest(values, largest) if values else 0
    return result


@pytest.mark.parametrize("case", [0, 1])
@pytest.mark.parametrize("class_index", [0, 1])
def test_golden_cases(case: int, class_index: int, golden_units: dict[str, np.ndarray]) -> None:
    correspondences, non_zero = (torch.from_numpy(golden_units[f"back/{case}/{name}"]) for name in ("cor", "nonzero"))
    maps = torch.from_numpy(golden_units[f"back/{case}/maps"][..., class_index])
    maps = maps.unflatten(0, correspondences.shape[:2])
    expected = golden_units[f"back/{case}/points"][..., class_index].reshape(non_zero.shape)
    result = back_project(maps, correspondences, non_zero.bool())
    np.testing.assert_allclose(result, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64])
def test_agrees_with_the_naive_twin(scene: tuple[Tensor, Tensor, Tensor], dtype: torch.dtype) -> None:
    maps, correspondences, non_zero = scene
    result = back_project(maps, correspondences.to(dtype), non_zero)
    torch.testing.assert_close(result, back_project_point_by_point(*scene), rtol=0, atol=2e-7)


def test_order_of_views_does_not_matter(scene: tuple[Tensor, Tensor, Tensor]) -> None:
    maps, correspondences, non_zero = scene
    order = torch.tensor([3, 0, 4, 2, 1])
    result = back_project(maps[:, order], correspondences[:, order], non_zero)
    torch.testing.assert_close(result, back_project(*scene), rtol=0, atol=2e-7)


def test_points_keep_their_values_in_any_order(scene: tuple[Tensor, Tensor, Tensor]) -> None:
    maps, correspondences, non_zero = scene
    order = torch.randperm(POINTS, generator=torch.Generator().manual_seed(1))
    result = back_project(maps, correspondences[:, :, order], non_zero[:, order])
    torch.testing.assert_close(result, back_project(*scene)[:, order], rtol=0, atol=2e-7)


def test_gradient_reaches_only_the_pixels_that_points_take(scene: tuple[Tensor, Tensor, Tensor]) -> None:
    maps, correspondences, non_zero = scene
    maps.requires_grad_()
    back_project(maps, correspondences, non_zero).sum().backward()
    taken = torch.zeros(maps.shape, dtype=torch.bool)
    for sample, view, point in torch.nonzero((correspondences[..., 2] > 0) & non_zero[:, None]).tolist():
        column, row, _ = correspondences[sample, view, point].tolist()
        taken[sample, view, row, column] = True
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad > 0, taken)


@pytest.mark.parametrize(("fusion", "largest"), [("mean", VIEWS), ("max", 1), ("top2", 2)])
def test_fusions_agree_with_the_naive_twin(scene: tuple[Tensor, Tensor, Tensor], fusion: str, largest: int) -> None:
    expected = back_project_point_by_point(*scene, largest=largest)
    torch.testing.assert_close(back_project(*scene, fusion), expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("fusion", ["mean", "max", "top2"])
def test_fusions_of_a_single_view_are_that_view(scene: tuple[Tensor, Tensor, Tensor], fusion: str) -> None:
    maps, correspondences, non_zero = scene
    expected = back_project(maps[:, :1], correspondences[:, :1], non_zero)
    torch.testing.assert_close(back_project(maps[:, :1], correspondences[:, :1], non_zero, fusion), expected)


@pytest.mark.parametrize("fusion", ["max", "top2"])
def test_gradients_of_fusions_are_finite(scene: tuple[Tensor, Tensor, Tensor], fusion: str) -> None:
    maps, correspondences, non_zero = scene
    maps = maps.clone().requires_grad_()
    back_project(maps, correspondences, non_zero, fusion).sum().backward()
    assert maps.grad is not None and torch.isfinite(maps.grad).all()
    seen = (correspondences[..., 2] != 0) & non_zero[:, None]
    assert maps.grad.sum().item() == pytest.approx(seen.any(dim=1).sum().item(), rel=1e-6)


def test_an_unknown_fusion_is_refused(scene: tuple[Tensor, Tensor, Tensor]) -> None:
    with pytest.raises(InputError, match="choose one of mean, max, top2"):
        back_project(*scene, "median")

"""Smoothing against scipy, and the scores of a sample in closed form."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from pointad.errors import InputError
from pointad.scoring.fusion import fuse, smooth


@pytest.mark.parametrize("shape", [(336, 336), (40, 23), (5, 9)])
@pytest.mark.parametrize("sigma", [0.7, 4.0, 11.0])
def test_smoothing_equals_scipy(shape: tuple[int, int], sigma: float) -> None:
    maps = np.random.default_rng(0).random((2, *shape))
    expected = np.stack([gaussian_filter(each, sigma) for each in maps])
    np.testing.assert_allclose(smooth(torch.from_numpy(maps), sigma), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(smooth(torch.from_numpy(maps).float(), sigma), expected, rtol=0, atol=1e-6)


def test_no_smoothing() -> None:
    maps = torch.rand(1, 8, 8)
    torch.testing.assert_close(smooth(maps, 0), maps, rtol=0, atol=0)


def test_scores() -> None:
    point_values, color_values = torch.zeros(2, 6, 6), torch.zeros(2, 6, 6)
    point_values[0, 1, 2], color_values[0, 1, 2], color_values[1, 5, 5] = 0.8, 0.4, 0.6
    scores = fuse(point_values, torch.tensor([0.5, 0.1]), color_values, torch.tensor([0.3, 0.7]), sigma=0)
    torch.testing.assert_close(scores.point_score, torch.tensor([0.65, 0.05]))
    torch.testing.assert_close(scores.color_score, torch.tensor([0.7, 1.3]))
    torch.testing.assert_close(scores.fused_map, (point_values + color_values) / 2)
    torch.testing.assert_close(scores.fused_score, torch.tensor([0.6 + 0.4, 0.3 + 0.4]))


def test_fused_map_is_smoothed_twice() -> None:
    point_values, color_values = torch.rand(1, 30, 30), torch.rand(1, 30, 30)
    scores = fuse(point_values, torch.tensor([0.5]), color_values, torch.tensor([0.5]), sigma=2)
    torch.testing.assert_close(scores.fused_map, smooth((smooth(point_values, 2) + smooth(color_values, 2)) / 2, 2))


def test_without_a_color_picture_there_are_only_points() -> None:
    scores = fuse(torch.rand(1, 30, 30), torch.tensor([0.5]))
    assert scores.color_map is scores.fused_map is scores.color_score is scores.fused_score is None


def test_scores_from_maps_or_pictures_alone_add_up_to_both() -> None:
    maps, probabilities = torch.rand(2, 3, 20, 20), torch.rand(2, 3)
    scores = {
        fusion: fuse(maps[0], probabilities[0], maps[1], probabilities[1], fusion=fusion)
        for fusion in ("both", "map", "global")
    }
    for field in ("point_score", "color_score", "fused_score"):
        parts = getattr(scores["map"], field) + getattr(scores["global"], field)
        torch.testing.assert_close(parts, getattr(scores["both"], field))
    torch.testing.assert_close(scores["global"].color_score, probabilities[1])
    with pytest.raises(InputError, match="fusion none"):
        fuse(maps[0], probabilities[0], fusion="none")

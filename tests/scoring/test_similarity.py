"""Probabilities and maps from features, against the goldens and in closed form."""

import math

import numpy as np
import pytest
import torch

from pointad.errors import InputError
from pointad.scoring.similarity import (
    TEMPERATURE,
    anomaly_maps,
    global_logits,
    global_probabilities,
    local_probability_grid,
    sample_logits,
    upsample,
)


def test_golden_probabilities(golden_units: dict[str, np.ndarray]) -> None:
    patches, texts = torch.from_numpy(golden_units["sim/patch"]), torch.from_numpy(golden_units["sim/text"])
    result = global_probabilities(patches, texts)
    np.testing.assert_allclose(result, golden_units["sim/similarity"], rtol=0, atol=1e-6)


def test_golden_maps(golden_units: dict[str, np.ndarray]) -> None:
    patches, texts = torch.from_numpy(golden_units["sim/patch"])[:, 1:], torch.from_numpy(golden_units["sim/text"])
    size = int(golden_units["sim/size"])
    both = upsample(local_probability_grid(patches, texts), size)  # (3, 2, 84, 84)
    np.testing.assert_allclose(both.permute(0, 2, 3, 1), golden_units["sim/map"], rtol=0, atol=1e-6)
    anomalous = anomaly_maps(patches[:, None], texts, size)
    np.testing.assert_allclose(anomalous, golden_units["sim/map"][..., 1], rtol=0, atol=1e-6)


def test_logits_are_cosines_whatever_the_lengths() -> None:
    texts = torch.tensor([[5.0, 0.0], [0.0, 0.1]])
    features = torch.tensor([[3.0, 0.0], [-2.0, 2.0]])
    expected = torch.tensor([[1.0, 0.0], [-math.sqrt(0.5), math.sqrt(0.5)]]) / TEMPERATURE
    torch.testing.assert_close(global_logits(features, texts), expected)


def test_logits_of_a_sample_come_from_its_own_views() -> None:
    view_logits = torch.arange(12.0).reshape(2, 3, 2)
    torch.testing.assert_close(sample_logits(view_logits), torch.tensor([[2.0, 3.0], [8.0, 9.0]]))


def test_maps_of_several_layers_are_the_mean_of_their_maps() -> None:
    generator = torch.Generator().manual_seed(0)
    patches, texts = torch.randn(4, 3, 25, 8, generator=generator), torch.randn(2, 8, generator=generator)
    each = torch.stack([anomaly_maps(patches[:, layer : layer + 1], texts, 31) for layer in range(3)])
    torch.testing.assert_close(anomaly_maps(patches, texts, 31), each.mean(dim=0))
    assert anomaly_maps(patches[None], texts, 31).shape == (1, 4, 31, 31)


def test_grid_is_row_major() -> None:
    texts = torch.eye(2)
    patches = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])  # only row 0, column 1 is anomalous
    grid = local_probability_grid(patches, texts)
    assert (grid[1] > 0.5).tolist() == [[False, True], [False, False]]


def test_patches_that_form_no_square_are_refused() -> None:
    with pytest.raises(InputError, match="12 patches"):
        local_probability_grid(torch.rand(12, 4), torch.rand(2, 4))

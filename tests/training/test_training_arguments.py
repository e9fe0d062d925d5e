"""Hyperparameters of other kinds, and prompts made while the caller's default type is another one."""

from typing import Any

import pytest
import torch
from small_engine import small_backbone, small_dataset

from pointad.data.batch import collate
from pointad.data.loader import iterate_batches
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.model.prompt_learner import PromptLearner
from pointad.training.settings import TrainingSettings
from pointad.training.terms import check_weights


@pytest.mark.parametrize(
    "arguments",
    [
        {"epochs": 1.5},
        {"epochs": 0},
        {"batch_size": "2"},
        {"batch_size": -1},
        {"learning_rate": float("nan")},
        {"learning_rate": -1},
        {"learning_rate": 1e300},
        {"seed": 2**70},
        {"seed": None},
    ],
)
def test_settings_are_numbers(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(arguments))):
        TrainingSettings(**arguments)


@pytest.mark.parametrize("weights", [["d3_point_loss"], None, {"d3_point_loss": "1"}, {1: 1.0}])
def test_weights_are_numbers_by_name(weights: Any) -> None:
    with pytest.raises(InputError, match="loss"):
        check_weights(weights)


@pytest.mark.parametrize("kind", [torch.float16, torch.float64])
def test_prompts_are_made_in_single_precision(kind: torch.dtype) -> None:
    backbone = small_backbone()
    torch.set_default_dtype(kind)
    try:
        learner = PromptLearner(backbone, depth=3, generator=torch.Generator().manual_seed(3))
    finally:
        torch.set_default_dtype(torch.float32)
    wanted = PromptLearner(backbone, depth=3, generator=torch.Generator().manual_seed(3))
    for one, other in zip(learner.state_dict().values(), wanted.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("workers", [0, 1])
def test_loading_samples_draws_no_random_numbers(workers: int) -> None:
    before = torch.get_rng_state()
    assert len(list(iterate_batches(small_dataset({"cube": 2}, training=False), num_workers=workers))) == 2
    assert torch.equal(torch.get_rng_state(), before)


def test_pictures_are_bytes() -> None:
    batch = collate([small_dataset({"cube": 1}, training=False)[0]])
    assert batch.views is not None
    object.__setattr__(batch, "views", batch.views / 255)
    with pytest.raises(InputError, match="pictures"):
        PictureEncoder(small_backbone()).encode(batch)

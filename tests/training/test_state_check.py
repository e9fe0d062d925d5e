"""States of trainings that this training could not hold itself are refused before they are used."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_engine import small_backbone, small_dataset

from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.training.settings import TrainingSettings
from pointad.training.state_check import check_training_state
from pointad.training.training import Training, load_examples

SAMPLES = 3
SETTINGS = TrainingSettings(epochs=2, batch_size=2)
State = dict[str, Any]


def fresh_learner(backbone: ClipBackbone) -> PromptLearner:
    return PromptLearner(backbone, depth=3, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return small_backbone()


@pytest.fixture(scope="module")
def training(backbone: ClipBackbone) -> Training:
    examples = load_examples(
        PictureEncoder(backbone), small_dataset({"cube": SAMPLES}, training=True), description=None
    )
    return Training(backbone, fresh_learner(backbone), examples, SETTINGS)


@pytest.fixture(scope="module")
def learned(training: Training) -> State:
    """The state after two epochs of two steps each."""
    assert len(list(training.epochs())) == 2
    return training.state()


@pytest.fixture
def state(learned: State) -> State:
    return copy.deepcopy(learned)


@pytest.fixture
def check(backbone: ClipBackbone) -> Callable[[State], None]:
    return lambda state: check_training_state(
        state,
        "training_state.pt",
        backbone=backbone,
        learner=fresh_learner(backbone),
        settings=SETTINGS,
        samples=SAMPLES,
    )


def kept(state: State) -> State:
    return state["optimizer"]["state"][0]


def group(state: State) -> State:
    return state["optimizer"]["param_groups"][0]


def test_its_own_state_is_taken(state: State, check: Callable[[State], None]) -> None:
    check(state)
    state["content"] = state.pop("samples") - 1  # what an older version made of the same samples
    check(state)
    del state["content"]  # as still older ones left it out
    group(state)["foreach_of_a_later_torch"] = None
    del group(state)["fused"]
    check(state)


def test_a_state_before_the_first_epoch_is_taken(
    training: Training, backbone: ClipBackbone, check: Callable[[State], None]
) -> None:
    check(Training(backbone, fresh_learner(backbone), training._examples, SETTINGS).state())


WRONG: dict[str, Callable[[State], object]] = {
    "optimizer is a list": lambda state: state.update(optimizer=[]),
    "an entry more": lambda state: state.update(scaler=1.0),
    "content is a text": lambda state: state.update(content="1"),
    "moment of another shape": lambda state: kept(state).update(exp_avg=torch.zeros(3)),
    "moment not finite": lambda state: kept(state)["exp_avg"].fill_(float("nan")),
    "moment in double precision": lambda state: kept(state).update(exp_avg=kept(state)["exp_avg"].double()),
    "moment a text": lambda state: kept(state).update(exp_avg="x"),
    "moment missing": lambda state: kept(state).pop("exp_avg_sq"),
    "negative squares": lambda state: kept(state)["exp_avg_sq"].fill_(-1),
    "three steps": lambda state: kept(state).update(step=torch.zeros(3)),
    "steps not taken": lambda state: kept(state)["step"].fill_(5),
    "a parameter less": lambda state: state["optimizer"]["state"].pop(1),
    "a parameter more": lambda state: state["optimizer"]["state"].update({9: kept(state)}),
    "learning rate a text": lambda state: group(state).update(lr="abc"),
    "learning rate a tensor": lambda state: group(state).update(lr=torch.tensor([5.0, 1.0])),
    "another learning rate": lambda state: group(state).update(lr=5.0),
    "betas missing": lambda state: group(state).pop("betas"),
    "betas of tensors": lambda state: group(state).update(betas=(torch.ones(2), torch.ones(2))),
    "maximize": lambda state: group(state).update(maximize=True),
    "amsgrad": lambda state: group(state).update(amsgrad=True),
    "two groups": lambda state: state["optimizer"]["param_groups"].append(group(state)),
    "another generator": lambda state: state["generator"].zero_(),
    "losses not finite": lambda state: state["losses"][0].fill_(float("nan")),
    "losses of bools": lambda state: state.update(losses=[each.bool() for each in state["losses"]]),
    "losses in one row": lambda state: state.update(losses=[each.flatten()[None] for each in state["losses"]]),
    "losses of an epoch less": lambda state: state["losses"].pop(),
    "prompts of whole numbers": lambda state: state["learner"].update(ctx_pos=state["learner"]["ctx_pos"].int()),
    "prompts too large": lambda state: state["learner"]["ctx_pos"].fill_(1e38),
    "prompts less": lambda state: state["learner"].pop("compound_prompts_text.0"),
    "other tokens": lambda state: state["learner"]["tokenized_prompts_pos"].fill_(1_000_000),
    "other embeddings": lambda state: state["learner"]["token_suffix_neg"].add_(1),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_others_are_refused(state: State, check: Callable[[State], None], change: Callable[[State], object]) -> None:
    change(state)
    with pytest.raises(InputError, match=r"training_state.pt: is not the state of such a training.*--restart"):
        check(state)


def test_moments_that_share_their_memory_are_learned_apart(training: Training, state: State) -> None:
    first, second = (state["optimizer"]["state"][index] for index in (0, 1))
    second["exp_avg"] = first["exp_avg"]
    training.restore(state)
    held = training.state()["optimizer"]["state"]
    assert held[0]["exp_avg"].data_ptr() != held[1]["exp_avg"].data_ptr()

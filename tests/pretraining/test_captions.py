"""Captions describe and never judge: what prompts are to find out must not be told during the pre-training."""

import numpy as np
import pytest

from pointad.demo.defects import DEFECT_KINDS
from pointad.demo.objects import CLASSES
from pointad.model.prompt_ensemble import ANOMALOUS_STATES, NORMAL_STATES
from pretraining.bodies import FAMILIES, PROFILES
from pretraining.captions import picture_caption, state_sentences, vocabulary
from pretraining.marks import KINDS
from pretraining.reliefs import RELIEFS

QUALITY_STEMS = (
    "damag", "broke", "break", "flaw", "defect", "perfect", "anomal", "normal", "fault", "intact", "blemish", "deform",
    "condition", "quality", "fail", "spoil", "impair", "correct", "wrong", "undamaged", "pristine",
)  # fmt: skip
QUALITY_WORDS = {"good", "bad", "fine-looking", "ok", "poor", "new", "clean"}


def test_no_word_of_quality_is_in_the_vocabulary() -> None:
    words = {word.lower() for word in vocabulary()}
    assert not words & QUALITY_WORDS
    assert not [word for word in words if any(stem in word for stem in QUALITY_STEMS)]


def test_nothing_but_common_words_is_shared_with_the_prompt_ensemble() -> None:
    states = {word for state in (*NORMAL_STATES, *ANOMALOUS_STATES) for word in state.replace("{}", "").split()}
    assert states & vocabulary() <= {"a", "with", "in", "any", "without"}


def test_captions_use_the_vocabulary_only() -> None:
    rng = np.random.default_rng(0)
    known = vocabulary()
    for _ in range(300):
        body = {
            "family": str(rng.choice(FAMILIES)),
            "profile": str(rng.choice(PROFILES)),
            "reliefs": list(rng.choice(RELIEFS, rng.integers(0, 4), replace=False)),
        }
        kinds = list(rng.choice(KINDS, rng.integers(0, 3), replace=False))
        texts = [picture_caption(rng, body, kinds), *state_sentences(rng)]
        assert {word.strip(".,") for text in texts for word in text.split()} <= known


def test_states_differ_in_nothing_but_the_state() -> None:
    sentences = state_sentences(np.random.default_rng(3))
    assert len(sentences) == len(set(sentences)) == 2 + len(KINDS)
    assert len({sentence.split(" with ")[0] for sentence in sentences}) == 1


@pytest.mark.parametrize("class_name", CLASSES)
def test_the_demo_classes_are_not_spoken_of(class_name: str) -> None:
    assert class_name not in vocabulary()
    assert class_name not in FAMILIES


def test_every_demo_defect_has_its_own_kind_of_words() -> None:
    assert set(DEFECT_KINDS) == {"chip", "groove", "lump", "pit", "rough", "stain"}

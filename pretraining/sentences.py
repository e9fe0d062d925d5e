"""What is said about the pre-training pictures, as token ids and, once the text encoder has learned, as features.

The text encoder stays as it is while pictures are learned, so every sentence is encoded once.
"""

from dataclasses import dataclass

import numpy as np
import open_clip
import torch
from torch import Tensor

from pretraining.bodies import FAMILIES, PROFILES
from pretraining.captions import state_sentences
from pretraining.objective import visible_kinds
from pretraining.picture_store import PICTURES, PictureStore
from pretraining.small_clip import CONFIGURATION

_TOGETHER = 2048  # sentences or pictures


@dataclass(frozen=True)
class Sentences:
    """N captions, one for each picture of a store, and R ways of saying the 2 + K states."""

    captions: Tensor  # (N, C) int64 token ids, no longer than the longest caption
    states: Tensor  # (R, 2 + K, C')
    seen: Tensor  # (N, K) bool, the kinds of mark that a caption names
    bodies: Tensor  # (N, 2) int64, numbers of the family and of the profile that a caption names


@dataclass(frozen=True)
class SentenceFeatures:
    """The same, encoded."""

    captions: Tensor  # (N, D)
    states: Tensor  # (R, 2 + K, D)

    def some_states(self, number: int) -> Tensor:
        """One way of saying the states, (2 + K, D), chosen by any number."""
        return self.states[number % len(self.states)]


def read_sentences(
    store: PictureStore, seed: int, device: torch.device | str = "cpu", *, wordings: int = 256
) -> Sentences:
    """The captions of a store's pictures and so many random ways of saying the states, as token ids."""
    tokenizer = open_clip.SimpleTokenizer(context_length=CONFIGURATION["text_cfg"]["context_length"])
    rng = np.random.default_rng([seed, wordings])
    states = [sentence for _ in range(wordings) for sentence in state_sentences(rng)]
    captions = [caption for body in store.bodies for caption in body["captions"]]
    kinds = torch.from_numpy(store.kinds).flatten(0, 1)
    seen = torch.cat([visible_kinds(part.to(device)) for part in kinds.split(_TOGETHER)])
    bodies = [(FAMILIES.index(body["family"]), PROFILES.index(body["profile"])) for body in store.bodies]
    return Sentences(
        _without_padding(tokenizer(captions)).to(device),
        _without_padding(tokenizer(states)).unflatten(0, (wordings, -1)).to(device),
        seen,
        torch.tensor(bodies).repeat_interleave(PICTURES, dim=0).to(device),
    )


@torch.no_grad()
def encode_sentences(model: open_clip.CLIP, sentences: Sentences) -> SentenceFeatures:
    """Features of all sentences, float32."""
    captions = [encode_captions(model, part) for part in sentences.captions.split(_TOGETHER)]
    states = [encode_captions(model, part) for part in sentences.states.flatten(0, 1).split(_TOGETHER)]
    return SentenceFeatures(
        torch.cat(captions).float(), torch.cat(states).unflatten(0, sentences.states.shape[:2]).float()
    )


def encode_captions(model: open_clip.CLIP, token_ids: Tensor) -> Tensor:
    """Text features (K, D) of token ids (K, C), without the work for what stands behind the longest text's end.

    Every token looks only back, so that what is left out changes nothing.
    """
    ends = token_ids.argmax(dim=-1)
    length = token_ids.shape[1]
    hidden = model.token_embedding(token_ids) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length].to(hidden.dtype))
    return model.ln_final(hidden[torch.arange(len(hidden), device=hidden.device), ends]) @ model.text_projection


def _without_padding(token_ids: Tensor) -> Tensor:
    """Token ids (K, C) without the columns behind the longest text's end, which is the largest id."""
    return token_ids[:, : int(token_ids.argmax(dim=-1).max()) + 1]

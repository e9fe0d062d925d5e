"""Prompts to features: CLIP's or SigLIP's text transformer, with learned tokens that replace some of its own inside.

Follows PointAD, section 3.3; the learned tokens inside the encoder pass through half precision, as they did when the
released prompts were trained.
"""

from collections.abc import Sequence
from pathlib import Path

import open_clip
import torch
from open_clip.transformer import LayerNorm, TextTransformer, Transformer
from torch import Tensor, nn

from pointad.errors import InputError

SHORTEST = 1e-12  # of features; shorter ones are not brought to unit length (`torch.nn.functional.normalize`)
_NO_DIFFERENCE = 1e-6  # of features of unit length, which rounding moves by as much


class TextTower(nn.Module):
    """The text half of an open_clip model, under one set of names for all its model classes.

    CLIP's is causal: texts begin with a start token, tokens attend to earlier ones, and the end of the text is read
    out. SigLIP's is not: texts begin at once, all tokens attend to all, padding included, and the last position of the
    context is read out, whatever token is there.

    Args:
        source: the module that holds the parts: an open_clip ``CLIP``, or the ``text`` of a ``CustomTextCLIP`` or of a
            ``SiglipModel``.

    Attributes:
        causal: which of the two it is.
    """

    token_embedding: nn.Embedding
    positional_embedding: nn.Parameter  # (C, width)
    transformer: Transformer
    ln_final: LayerNorm
    text_projection: nn.Parameter | nn.Linear  # (width, D)
    attention_mask: Tensor | None  # (C, C), minus infinity where a token would look ahead; None if all may be seen

    def __init__(self, source: open_clip.CLIP | TextTransformer) -> None:
        super().__init__()
        self.token_embedding = source.token_embedding
        self.positional_embedding = source.positional_embedding
        self.transformer = source.transformer
        self.ln_final = source.ln_final
        self.text_projection = source.text_projection
        self.causal = source.attn_mask is not None
        mask = None
        if self.causal:
            mask = torch.full((self.context_length, self.context_length), float("-inf")).triu(diagonal=1)
        self.register_buffer("attention_mask", mask, persistent=False)

    @property
    def context_length(self) -> int:
        """Number of tokens of a prompt, including padding."""
        return self.positional_embedding.shape[0]

    @property
    def start_tokens(self) -> int:
        """Number of tokens before the words of a prompt: the learned ones follow them."""
        return 1 if self.causal else 0

    @property
    def width(self) -> int:
        """Dimensions of a token."""
        return self.token_embedding.weight.shape[1]

    @property
    def depth(self) -> int:
        """Number of transformer blocks."""
        return len(self.transformer.resblocks)


def encode_prompts(
    tower: TextTower,
    prompts: Tensor,
    token_ids: Tensor,
    deep_tokens: Sequence[Tensor] = (),
    length: int | None = None,
) -> Tensor:
    """Encode prompts given as token embeddings.

    Before block 2 the first T tokens after the start token, if there is one, take the values of ``deep_tokens[0]``,
    before block 3 those of ``deep_tokens[1]``, and so on; all prompts share them. They and their gradients are rounded
    to float16, whatever the precision of the rest: the released prompts were trained this way, and without it text
    features change by 2e-4.

    Args:
        tower: the text encoder.
        prompts: (K, C, width) float32, embeddings of K prompts before the positional embedding is added.
        token_ids: (K, C) integer; in a causal encoder the end-of-text token has the largest id of its prompt and is
            the one read out.
        deep_tokens: up to ``tower.depth − 1`` tensors (T, width).
        length: how many tokens of each prompt are encoded, at least up to the end of the longest text; None: exactly
            up to there. With causal attention, tokens after the end change nothing; without, all are always encoded.

    Returns:
        (K, D) text features, not normalized.
    """
    if not tower.causal:
        length = tower.context_length
    elif length is None:
        length = text_length(token_ids)
    hidden = prompts[:, :length] + tower.positional_embedding[:length]
    attention_mask = None if tower.attention_mask is None else tower.attention_mask[:length, :length]
    for number, block in enumerate(tower.transformer.resblocks):
        if 1 <= number <= len(deep_tokens):
            hidden = _replace_tokens(hidden, deep_tokens[number - 1], tower.start_tokens)
        hidden = block(hidden, attn_mask=attention_mask)
    prompt_index = torch.arange(len(hidden), device=hidden.device)
    read_out = tower.ln_final(hidden[prompt_index, token_ids.argmax(dim=-1)] if tower.causal else hidden[:, -1])
    if isinstance(tower.text_projection, nn.Linear):
        return tower.text_projection(read_out)
    return read_out @ tower.text_projection


def check_text_features(features: Tensor, subject: str | Path) -> Tensor:
    """Return the features if all of them have a direction, and prompts differ; other scores would be meaningless.

    Args:
        features: (2, D) of a normal and an anomalous prompt, of unit length; or (K, D) of other texts.
        subject: the prompts or the file that they come from, for the error message.

    Raises:
        InputError: one has none, or those of both prompts are the same.
    """
    if not have_directions(features):
        problem = "gives text features that are not finite or have no direction, as of tokens that are too large"
        raise InputError(subject, problem, "give other prompts, or the CLIP weights that they were learned with")
    if same_for_both(features):
        problem = "gives the normal and the anomalous prompt the same text features, so that every score would be 0.5"
        raise InputError(subject, problem, "give prompts that differ, and CLIP weights that were trained")
    return features


def same_for_both(features: Tensor) -> bool:
    """Whether these are the features (2, D) of two prompts, of unit length, that cannot be told apart."""
    return len(features) == 2 and bool((features[0] - features[1]).norm() <= _NO_DIFFERENCE)


def have_directions(features: Tensor) -> bool:
    """Whether features (…, D) are finite and can be brought to unit length in their precision."""
    lengths = features.norm(dim=-1)
    return bool((lengths.isfinite() & (lengths > SHORTEST)).all())


def text_length(token_ids: Tensor) -> int:
    """Tokens from the start of (K, C) texts for a causal encoder to the end of the longest, both included."""
    return int(token_ids.argmax(dim=-1).max()) + 1


def encode_token_ids(tower: TextTower, token_ids: Tensor) -> Tensor:
    """Encode tokenized texts (K, C) as plain CLIP does, without learned tokens: (K, D), not normalized."""
    return encode_prompts(tower, tower.token_embedding(token_ids), token_ids)


def _replace_tokens(hidden: Tensor, tokens: Tensor, start: int) -> Tensor:
    """Put ``tokens`` (T, width), rounded to float16, from position ``start`` on into all prompts (K, C, width)."""
    # Expanded first, rounded second, so that the gradient of each prompt is rounded before the sum over prompts.
    rounded = tokens.expand(len(hidden), -1, -1).half().to(hidden.dtype)
    return torch.cat([hidden[:, :start], rounded, hidden[:, start + tokens.shape[0] :]], dim=1)

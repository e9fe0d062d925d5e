"""The token ids of a prompt that begins with learned tokens, for each kind of tokenizer."""

from dataclasses import dataclass
from typing import TypeAlias

import open_clip
from torch import Tensor

from pointad.model.siglip_tokenizer import SiglipTokenizer

Tokenizer: TypeAlias = open_clip.SimpleTokenizer | SiglipTokenizer

_PLACEHOLDER = "X"  # one token of CLIP's vocabulary


@dataclass(frozen=True)
class PromptTokens:
    """A tokenized prompt; the tokens to be replaced by learned ones follow the start token, if there is one."""

    token_ids: Tensor  # (1, C) int64
    length: int  # tokens up to the end token, included; more than C if the prompt does not fit


def prompt_tokens(tokenizer: Tokenizer, learned: int, words: str) -> PromptTokens:
    """Tokenize ``[V_1 … V_n] words``.

    Args:
        tokenizer: the backbone's.
        learned: n, tokens that will be replaced.
        words: what follows them, such as "damaged object."
    """
    if isinstance(tokenizer, SiglipTokenizer):
        token_ids = tokenizer.encode_after_words(words)
        return PromptTokens(tokenizer.after_placeholders(learned, token_ids), learned + len(token_ids) + 1)
    text = " ".join([_PLACEHOLDER] * learned + [words])
    return PromptTokens(tokenizer([text]), len(tokenizer.encode(text)) + 2)  # start and end of text

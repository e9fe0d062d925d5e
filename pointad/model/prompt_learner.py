"""The only part that is trained: the tokens of a normal and an anomalous prompt, before and inside the text encoder.

The prompts read ``[V_1 … V_n] object.`` and ``[W_1 … W_n] damaged object.`` (PointAD, section 3.3). Names and shapes of
all entries are those of the released checkpoints.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_tokens import prompt_tokens
from pointad.model.text import TextTower, encode_prompts, text_length

CONTEXT_TOKENS = 12  # n_ctx of the released prompts
DEEP_TOKENS = 4  # t_n_ctx
DEPTH = 9  # text blocks 2 to 9 take learned tokens
OBJECT_NAME = "object"  # the released prompts say nothing about the class

INITIAL_SPREAD = 0.02  # standard deviation of fresh tokens
PROJECTION_WIDTH = 896  # of the unused projections in the released checkpoints


class PromptLearner(nn.Module):
    """Learned prompts for one text encoder of width W and context length C (77 in CLIP, 64 in SigLIP).

    Entries: ``ctx_pos`` and ``ctx_neg`` (1, 1, n, W), the tokens of the normal and the anomalous prompt;
    ``compound_prompts_text`` with ``depth − 1`` tensors (t, W), the tokens inside the encoder, shared by both;
    ``token_prefix_*`` (1, 1, 1, W) and ``token_suffix_*`` (1, 1, C − 1 − n, W), the embeddings around the learned
    tokens; ``tokenized_prompts_*`` (1, 1, C) int32. SigLIP has no start token: there the learned tokens come first, the
    prefix is empty, (1, 1, 0, W), and the suffix is (1, 1, C − n, W). ``compound_prompt_projections`` exist only for
    compatibility with the released checkpoints; nothing is computed with them.

    Args:
        backbone: the CLIP whose text encoder the prompts are for; only read, no reference is kept.
        context_tokens: n, learned tokens of each prompt.
        deep_tokens: t, learned tokens before each of the text blocks 2 … ``depth``.
        depth: the last text block that takes learned tokens; 1 for none inside the encoder.
        object_name: the noun of both prompts.
        generator: draws the fresh tokens from N(0, 0.02²); torch's own when None.

    Raises:
        InputError: a count is out of range, or the prompt is too long for the text encoder.
    """

    token_prefix_pos: Tensor
    token_prefix_neg: Tensor
    token_suffix_pos: Tensor
    token_suffix_neg: Tensor
    tokenized_prompts_pos: Tensor
    tokenized_prompts_neg: Tensor

    def __init__(
        self,
        backbone: ClipBackbone,
        *,
        context_tokens: int = CONTEXT_TOKENS,
        deep_tokens: int = DEEP_TOKENS,
        depth: int = DEPTH,
        object_name: str = OBJECT_NAME,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        beside = max(prompt_tokens(backbone.tokenizer, 1, words).length for words in _words(object_name)) - 1
        most = backbone.text.context_length - beside
        _check_range("n_ctx", context_tokens, 1, most if most > 0 else backbone.text.context_length)
        _check_range("t_n_ctx", deep_tokens, 1, backbone.text.context_length)
        _check_range("depth", depth, 1, backbone.text.depth)
        width = backbone.text.width
        device = backbone.text.token_embedding.weight.device

        def fresh(*shape: int) -> nn.Parameter:
            drawn = torch.randn(*shape, generator=generator, dtype=torch.float32, device="cpu")
            return nn.Parameter((drawn * INITIAL_SPREAD).to(device))

        self.ctx_pos = fresh(1, 1, context_tokens, width)
        self.ctx_neg = fresh(1, 1, context_tokens, width)
        self.compound_prompts_text = nn.ParameterList(fresh(deep_tokens, width) for _ in range(depth - 1))
        self.compound_prompt_projections = nn.ModuleList(_zero_projection(width).to(device) for _ in range(depth - 1))
        self.name_object(backbone, object_name)

    @property
    def context_tokens(self) -> int:
        """n, learned tokens of each prompt."""
        return self.ctx_pos.shape[2]

    @property
    def deep_tokens(self) -> int:
        """t, learned tokens before each of the blocks that take them; 0 if none does."""
        return len(self.compound_prompts_text[0]) if len(self.compound_prompts_text) else 0

    @property
    def depth(self) -> int:
        """The last text block that takes learned tokens; 1 for none."""
        return len(self.compound_prompts_text) + 1

    def learned_parameters(self) -> list[nn.Parameter]:
        """The parameters that the optimizer updates."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    @torch.no_grad()
    def name_object(self, backbone: ClipBackbone, object_name: str) -> None:
        """Change the noun of both prompts, for example to the class name; the learned tokens stay.

        Raises:
            InputError: the prompt is too long for the text encoder.
        """
        start = backbone.text.start_tokens
        for side, words in zip(("pos", "neg"), _words(object_name), strict=True):
            prompt = prompt_tokens(backbone.tokenizer, self.context_tokens, words)
            if prompt.length > backbone.text.context_length:
                raise InputError(
                    f"n_ctx {self.context_tokens}",
                    f"the prompt '{words}' takes {prompt.length} tokens with so many learned ones; the text encoder "
                    f"takes {backbone.text.context_length}",
                    "learn fewer tokens",
                )
            replaceable = prompt.length - start - 1  # the last token is the one that the text's feature is read from
            if self.deep_tokens > replaceable:
                raise InputError(
                    f"t_n_ctx {self.deep_tokens}",
                    f"the prompt '{words}' has {replaceable} tokens that learned ones can replace in deeper blocks",
                    f"learn fewer tokens, {replaceable} at most",
                )
            token_ids = prompt.token_ids.to(backbone.text.token_embedding.weight.device)
            embeddings = backbone.text.token_embedding(token_ids)[None].to(self.ctx_pos.device)  # (1, 1, C, W)
            suffix_start = start + self.context_tokens
            self.register_buffer(f"token_prefix_{side}", embeddings[:, :, :start].clone())
            self.register_buffer(f"token_suffix_{side}", embeddings[:, :, suffix_start:].clone())
            self.register_buffer(f"tokenized_prompts_{side}", token_ids[None].int().to(self.ctx_pos.device))

    def says(self, backbone: ClipBackbone, object_name: str) -> bool:
        """Whether this is the noun of both prompts; learned prompts are stored with the noun that they were about."""
        return all(
            torch.equal(
                prompt_tokens(backbone.tokenizer, self.context_tokens, words).token_ids.int(), token_ids[0].int().cpu()
            )
            for words, token_ids in zip(
                _words(object_name), (self.tokenized_prompts_pos, self.tokenized_prompts_neg), strict=True
            )
        )

    def embeddings(self) -> tuple[Tensor, Tensor]:
        """Token embeddings (2, C, W) of the normal and the anomalous prompt, and their token ids (2, C)."""
        normal = torch.cat([self.token_prefix_pos, self.ctx_pos, self.token_suffix_pos], dim=2)
        anomalous = torch.cat([self.token_prefix_neg, self.ctx_neg, self.token_suffix_neg], dim=2)
        token_ids = torch.cat([self.tokenized_prompts_pos, self.tokenized_prompts_neg])
        return torch.cat([normal, anomalous]).squeeze(1), token_ids.squeeze(1)

    def prompt_length(self) -> int:
        """Tokens up to the end of the longer prompt; constant in training, but computing it waits for the device."""
        return text_length(self.embeddings()[1])

    def raw_text_features(self, text: TextTower, length: int | None = None) -> Tensor:
        """Text features (2, D) of the normal and the anomalous prompt, not normalized.

        Args:
            text: the text encoder.
            length: the value of :meth:`prompt_length`, for callers that must not wait for it; None computes it.
        """
        prompts, token_ids = self.embeddings()
        return encode_prompts(text, prompts, token_ids, list(self.compound_prompts_text), length)

    def forward(self, text: TextTower, length: int | None = None) -> Tensor:
        """Text features (2, D) of the normal and the anomalous prompt, L2-normalized; see above."""
        return F.normalize(self.raw_text_features(text, length), dim=-1)


def _words(object_name: str) -> tuple[str, str]:
    """What follows the learned tokens of the normal and of the anomalous prompt."""
    return f"{object_name}.", f"damaged {object_name}."


def _zero_projection(width: int) -> nn.Linear:
    projection = nn.Linear(width, PROJECTION_WIDTH, dtype=torch.float32).requires_grad_(False)
    nn.init.zeros_(projection.weight)
    nn.init.zeros_(projection.bias)
    return projection


def _check_range(flag: str, value: int, smallest: int, largest: int) -> None:
    if not smallest <= value <= largest:
        raise InputError(f"{flag} {value}", "out of range for this text encoder", f"choose {smallest} to {largest}")

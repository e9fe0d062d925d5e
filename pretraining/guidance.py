"""How far the image encoder is from what its guide sees: one scalar for each thing that it is told."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pretraining.guide import COARSE_CHANNELS, FINE_CELLS, FINE_CHANNELS, Guidance
from pretraining.objective import ANY_MARK, PLAIN, TEMPERATURE
from pretraining.picture_features import PictureFeatures

TOKEN_BLOCKS = (2, 4, 6)  # after these the tokens are asked for the guide's fine, late and late features
_PLAIN_WEIGHT = 0.1  # of a patch without marks against one with a mark, as the guide sees it


@dataclass(frozen=True)
class GuidanceLosses:
    """The terms, each a scalar."""

    direction: Tensor  # local features against the guide's
    states: Tensor  # what local features say of the states against what the guide says (Kullback-Leibler)
    whole: Tensor  # global features against the guide's
    tokens: Tensor  # tokens on the way against the guide's features on the way

    def total(self) -> Tensor:
        """The sum that is minimized beside the objective itself, which it outweighs at the beginning.

        On objects unlike those of the pictures the guide, which sees every place
        by the same filters, is right more often than an image encoder that has learned from few pictures alone.
        """
        return 6 * self.direction + 2 * self.states + 3 * self.whole + self.tokens


class TokenReaders(nn.Module):
    """Linear maps from tokens to the guide's features; they are not kept.

    Args:
        width: of the tokens.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = (FINE_CHANNELS * FINE_CELLS**2, COARSE_CHANNELS, COARSE_CHANNELS)
        self.maps = nn.ModuleList(nn.Linear(width, size) for size in sizes)


def guidance_losses(
    features: PictureFeatures, guidance: Guidance, state_features: Tensor, readers: TokenReaders
) -> GuidanceLosses:
    """All terms for one batch.

    Args:
        features: of the image encoder, with tokens after `TOKEN_BLOCKS`.
        guidance: of the same pictures, without gradients.
        state_features: (2 + K, D) of `state_sentences`.
        readers: what reads the tokens.
    """
    states = F.normalize(state_features.float(), dim=-1)
    wanted = F.normalize(guidance.patch_features, dim=-1)[:, None]  # (B, 1, P, D)
    given = F.normalize(features.patch_features.float(), dim=-1)  # (B, L, P, D)
    marked = (wanted @ (states[ANY_MARK] - states[PLAIN]) / TEMPERATURE).sigmoid()  # (B, 1, P)
    weight = _PLAIN_WEIGHT + marked
    weight = weight / weight.mean()
    wanted_states = (wanted @ states.T / TEMPERATURE).log_softmax(dim=-1)
    given_states = (given @ states.T / TEMPERATURE).log_softmax(dim=-1)
    divergence = (wanted_states.exp() * (wanted_states - given_states)).sum(dim=-1)
    whole = F.cosine_similarity(features.global_features.float(), guidance.global_features, dim=-1)
    goals = (guidance.fine, guidance.coarse, guidance.coarse)
    tokens = [
        F.mse_loss(reader(token.float()), _standardized(goal))
        for reader, token, goal in zip(readers.maps, features.tokens, goals, strict=True)
    ]
    return GuidanceLosses(
        direction=((1 - (given * wanted).sum(dim=-1)) * weight).mean(),
        states=(divergence * weight).mean(),
        whole=(1 - whole).mean(),
        tokens=torch.stack(tokens).sum(),
    )


def _standardized(features: Tensor) -> Tensor:
    """Features (B, P, C), each channel with mean 0 and standard deviation 1 over the batch."""
    return (features - features.mean(dim=(0, 1))) / (features.std(dim=(0, 1)) + 1e-3)

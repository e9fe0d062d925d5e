"""What the demo backbone learns: pictures agree with their captions, and patches with what is seen in them.

The patch features are those of the local (value-to-value) path, the ones that PointAD compares with its prompts.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pretraining.marks import KINDS

TEMPERATURE = 0.07  # of PointAD's cosine similarities, so that learned differences have the right size
PLAIN, ANY_MARK, FIRST_KIND = 0, 1, 2  # rows of the state features
_MARKED_SHARE = 0.1  # of a patch's area, from which on the patch counts as marked
_VISIBLE_CELLS = 6  # of a kind map, from which on a mark counts as seen
_MARKED_PATCHES, _MARKED_CELLS = 0.1, 0.03  # how often something is marked; see `_prior`
_PATCH_CLASS_WEIGHT = 0.35  # of the marked patches against the plain ones


# How much of a caption's place depends on the state that it names, and on the body's family and profile.
_STATE_SHARE = 0.6
_BODY_SHARES = (0.25, 0.15)
_ANY_SHARE = 0.5  # how much of a kind's direction is that of "a mark"


@dataclass(frozen=True)
class PretrainingLosses:
    """The terms of the objective, each a scalar."""

    caption: Tensor  # pictures against the captions of the batch
    picture_state: Tensor  # pictures against "nothing on it" and "a mark", and against the kinds of mark
    patch_kind: Tensor  # patches against the kinds of mark
    patch_map: Tensor  # the map of "a mark" against the area of the marks

    def total(self) -> Tensor:
        """The sum that is minimized. What is said about whole pictures must not drown what is said about patches."""
        return 0.5 * (0.5 * self.caption + self.picture_state) + self.patch_kind + 2 * self.patch_map


def visible_kinds(kind_maps: Tensor) -> Tensor:
    """(B, K) bool: which kinds of mark are seen in pictures with the given kind maps (B, M, M)."""
    numbers = torch.arange(1, len(KINDS) + 1, device=kind_maps.device)
    return (kind_maps.flatten(1)[:, :, None] == numbers).sum(dim=1) >= _VISIBLE_CELLS


def pretraining_losses(
    global_features: Tensor,
    patch_features: Tensor,
    caption_features: Tensor | None,
    state_features: Tensor,
    kind_maps: Tensor,
) -> PretrainingLosses:
    """All terms for one batch.

    Args:
        global_features: (B, D).
        patch_features: (B, L, P, D) of the local path after each of L blocks, P patches row by row. Several blocks
            learn, so that the earlier ones need not wait for the last.
        caption_features: (B, D), one caption a picture; none for cut-outs, which need not show what a caption tells.
        state_features: (2 + K, D) of `state_sentences`.
        kind_maps: (B, M, M) uint8, 0 where there is no mark, n where KINDS[n - 1] is.
    """
    pictures, patches, states = (
        F.normalize(features.float(), dim=-1) for features in (global_features, patch_features, state_features)
    )
    if caption_features is None:
        caption = pictures.new_zeros(())
    else:
        caption = _contrast(pictures @ F.normalize(caption_features.float(), dim=-1).T / TEMPERATURE)
    layers = patches.shape[1]
    patches = patches.transpose(0, 1).flatten(0, 1)  # (L · B, P, D)
    maps_of_patches = kind_maps.repeat(layers, 1, 1)
    return PretrainingLosses(
        caption=caption,
        picture_state=_picture_state_loss(pictures @ states.T / TEMPERATURE, visible_kinds(kind_maps)),
        patch_kind=patch_kind_loss(
            _without_any_mark(patches @ states.T / TEMPERATURE) + _prior(_MARKED_PATCHES, len(KINDS), patches.device),
            maps_of_patches,
        ),
        patch_map=_patch_map_loss(patches @ states[: ANY_MARK + 1].T / TEMPERATURE, maps_of_patches),
    )


def wording_loss(caption_features: Tensor, state_features: Tensor, seen: Tensor, bodies: Tensor) -> Tensor:
    """Sentences that say the same lie together, others apart: what the text encoder learns, before any picture.

    Learning both encoders at once from nothing begins with their agreeing that everything is alike, and takes long
    to leave that point.

    Args:
        caption_features: (B, D), one caption a picture.
        state_features: (2 + K, D) of `state_sentences`.
        seen: (B, K) bool, the kinds of mark that a caption names.
        bodies: (B, 2) integers, numbers of the family and of the profile that a caption names.
    """
    captions, states = F.normalize(caption_features.float(), dim=-1), F.normalize(state_features.float(), dim=-1)
    about_marks = torch.cat([_mark_directions(seen.float()), _state_directions(seen.device)])  # (B + 2 + K, 1 + K)
    alike_marks = about_marks @ about_marks.T
    same = (bodies[:, None] == bodies[None]).float() @ bodies.new_tensor(_BODY_SHARES, dtype=torch.float32)
    target = alike_marks.clone()
    count = len(captions)
    target[:count] *= _STATE_SHARE
    target[count:, :count] *= _STATE_SHARE
    target[:count, :count] += same
    sentences = torch.cat([captions, states])
    return ((sentences @ sentences.T - target) ** 2).mean()


def _mark_directions(kinds: Tensor) -> Tensor:
    """Unit directions (N, 1 + K) that say how alike states are, of those with the given kinds of mark (N, K).

    "A mark" and "nothing on it" point apart, and every kind of mark stands between "a mark" and a way of its own.
    """
    general = 2 * kinds.any(dim=1, keepdim=True).float() - 1
    return F.normalize(torch.cat([_ANY_SHARE * general, (1 - _ANY_SHARE) * F.normalize(kinds, dim=1)], dim=1), dim=1)


def _state_directions(device: torch.device) -> Tensor:
    """The same (2 + K, 1 + K) for each of the state sentences in turn."""
    plain_and_any = torch.zeros(2, 1 + len(KINDS), device=device)
    plain_and_any[PLAIN, 0], plain_and_any[ANY_MARK, 0] = -1, 1
    return torch.cat([plain_and_any, _mark_directions(torch.eye(len(KINDS), device=device))])


def _contrast(logits: Tensor) -> Tensor:
    """Symmetric contrastive loss of CLIP, (B, B) logits."""
    target = torch.arange(len(logits), device=logits.device)
    return (
        F.cross_entropy(logits, target, label_smoothing=0.1) + F.cross_entropy(logits.T, target, label_smoothing=0.1)
    ) / 2


def _picture_state_loss(logits: Tensor, seen: Tensor) -> Tensor:
    """(B, 2 + K) logits: marked or not, and for pictures with at most one kind of mark, which."""
    marked = seen.any(dim=1)
    either = F.cross_entropy(logits[:, : ANY_MARK + 1], marked.long())
    sole = (seen.sum(dim=1) <= 1).float()
    kind = torch.where(marked, seen.int().argmax(dim=1) + 1, 0)
    which = F.cross_entropy(_without_any_mark(logits), kind, reduction="none")
    return either + 0.5 * (which * sole).sum() / sole.sum().clamp(min=1)


def _without_any_mark(logits: Tensor) -> Tensor:
    """(..., 2 + K) logits of the states to (..., 1 + K) of "plain" and the kinds."""
    return torch.cat([logits[..., :ANY_MARK], logits[..., FIRST_KIND:]], dim=-1)


def patch_kind_loss(logits: Tensor, kind_maps: Tensor, marked_share: float = _PATCH_CLASS_WEIGHT) -> Tensor:
    """Cross-entropy of patches against the kind of mark in each; patches that a mark hardly touches do not count.

    Args:
        logits: (B, P, 1 + K) of "plain" and of each kind.
        kind_maps: (B, M, M) uint8, 0 where there is no mark, n where KINDS[n - 1] is.
        marked_share: weight of the mean over the marked patches; the plain ones get the rest.
    """
    grid = round(logits.shape[1] ** 0.5)
    maps = kind_maps.float()[:, None]
    share = F.adaptive_avg_pool2d((maps > 0).float(), grid).flatten(1)  # (B, P)
    kind = F.adaptive_max_pool2d(maps, grid).flatten(1).long()
    loss = F.cross_entropy(logits.flatten(0, 1), kind.flatten(), reduction="none").view_as(share)
    marked, plain = (share > _MARKED_SHARE).float(), (share == 0).float()
    return marked_share * (loss * marked).sum() / marked.sum().clamp(min=1) + (1 - marked_share) * (
        loss * plain
    ).sum() / plain.sum().clamp(min=1)


def _prior(marked: float, kinds: int, device: torch.device) -> Tensor:
    """Logits (1 + K,) of "plain" and of K equally frequent kinds of mark, before anything is seen.

    With them the features need to say only what is seen. Without them all patches first run to "plain", which most
    of them are, and a small model takes long to leave it.
    """
    prior = torch.full((1 + kinds,), math.log(marked / kinds), device=device)
    prior[0] = math.log(1 - marked)
    return prior


def _patch_map_loss(logits: Tensor, kind_maps: Tensor) -> Tensor:
    """(B, P, 2) logits, brought to the kind map's size: cross-entropy and the overlap with the marks' area (Dice)."""
    grid = round(logits.shape[1] ** 0.5)
    probability = (
        (logits + _prior(_MARKED_CELLS, 1, logits.device)).softmax(dim=-1)[..., 1].unflatten(1, (grid, grid))[:, None]
    )
    drawn = F.interpolate(probability, size=kind_maps.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    target = (kind_maps > 0).float()
    entropy = F.binary_cross_entropy(drawn.clamp(1e-5, 1 - 1e-5), target)
    overlap = (2 * (drawn * target).flatten(1).sum(1) + 1) / (drawn.flatten(1).sum(1) + target.flatten(1).sum(1) + 1)
    # A picture without marks has no overlap to win; cross-entropy takes care of it.
    marked = target.flatten(1).any(dim=1).float()
    dice = ((1 - overlap) * marked).sum() / marked.sum().clamp(min=1)
    return 4 * entropy + 0.5 * dice

"""The published encoder and training step, re-enacted from their description, for comparing times.

Every view goes through the encoder by itself, with attention matrices written out and with each path multiplying for
itself; the losses see full maps; CLIP is not frozen, so gradients of its text weights are computed and thrown away.
"""

import torch
import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn

from pointad.data.batch import MultiViewBatch
from pointad.encoding.features import normalize_pictures
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.model.vision import doubled_block_count
from pointad.scoring.back_projection import back_project
from pointad.scoring.similarity import anomaly_maps, global_logits
from pointad.training.losses import LossInputs, training_losses


@torch.no_grad()
def encode_published(backbone: ClipBackbone, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (B, V, S, S, 3) uint8 of B samples to global features (B, V, D) and patch features (B, V, 1, N, D)."""
    features = []
    for view in pictures.unbind(dim=1):
        features.append(_two_paths(backbone, normalize_pictures(view, backbone.mean, backbone.std)))
    return torch.stack([one for one, _ in features], dim=1), torch.stack([patches for _, patches in features], dim=1)


def step_published(
    backbone: ClipBackbone,
    learner: PromptLearner,
    optimizer: torch.optim.Optimizer,
    batch: MultiViewBatch,
    global_features: Tensor,
    patch_features: Tensor,
) -> None:
    """One step on a batch whose features were encoded a moment ago."""
    assert batch.views_gt is not None
    text_features = _all_tokens(backbone, learner)
    maps = anomaly_maps(patch_features, text_features, batch.views_gt.shape[-1])
    inputs = LossInputs(
        view_logits=global_logits(global_features, text_features),
        view_maps=maps,
        point_maps=back_project(maps, batch.correspondences.long(), batch.non_zero),
        non_zero=batch.non_zero,
        labels=batch.label,
        masks=batch.mask,
        view_masks=batch.views_gt,
    )
    losses = training_losses(inputs)
    optimizer.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    optimizer.step()
    [term.item() for term in losses.values()]


def _all_tokens(backbone: ClipBackbone, learner: PromptLearner) -> Tensor:
    """Text features from all 77 tokens, with gradients for the encoder's weights too."""
    for block in backbone.text.transformer.resblocks:
        block.requires_grad_(True)
    try:
        return learner(backbone.text, backbone.text.context_length)
    finally:
        for block in backbone.text.transformer.resblocks:
            block.zero_grad()


def _two_paths(backbone: ClipBackbone, images: Tensor) -> tuple[Tensor, Tensor]:
    visual = backbone.vision
    assert isinstance(visual, VisionTransformer)
    blocks = visual.transformer.resblocks
    patches = visual.conv1(images).flatten(2).transpose(1, 2)  # (B, N, width)
    class_token = visual.class_embedding.expand(len(images), 1, -1)
    original = visual.ln_pre(torch.cat([class_token, patches], dim=1) + visual.positional_embedding)
    local = original
    first_doubled = len(blocks) - doubled_block_count(len(blocks))
    for index, block in enumerate(blocks):
        if index < first_doubled:
            original = original + _attention(block, block.ln_1(original), values_only=False)
            local = original = original + block.mlp(block.ln_2(original))
            continue
        hidden = block.ln_1(original)
        local = local + _attention(block, hidden, values_only=True)
        original = original + _attention(block, hidden, values_only=False)
        original = original + block.mlp(block.ln_2(original))
    global_features = visual.ln_post(original[:, 0]) @ visual.proj
    return F.normalize(global_features, dim=-1), (visual.ln_post(local[:, 1:]) @ visual.proj)[:, None]


def _attention(block: ResidualAttentionBlock, hidden: Tensor, *, values_only: bool) -> Tensor:
    """One path's attention, with the matrix of all pairs of tokens in memory; hidden (B, T, width)."""
    attention: nn.MultiheadAttention = block.attn
    projected = F.linear(hidden, attention.in_proj_weight, attention.in_proj_bias)
    heads = projected.unflatten(-1, (3, attention.num_heads, attention.head_dim)).permute(2, 0, 3, 1, 4)
    query, key, value = heads
    if values_only:
        query = key = value
    weights = (query @ key.transpose(-2, -1) / attention.head_dim**0.5).softmax(dim=-1)  # (B, heads, T, T)
    return attention.out_proj((weights @ value).transpose(1, 2).flatten(2))

"""The pre-training itself: a few processes, each with one thread, share the gradient of every batch.

One thread a process is deliberate: on a busy machine threads that wait for each other cost more than they bring.
"""

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.distributed as distributed
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from pointad.atomic import atomic_path
from pointad.demo.pretraining.batches import Batches, PretrainingBatch
from pointad.demo.pretraining.objective import PretrainingLosses, pretraining_losses, wording_loss
from pointad.demo.pretraining.patch_whitening import whiten_patches
from pointad.demo.pretraining.picture_store import PictureStore
from pointad.demo.pretraining.pictures import PICTURE_SIDE
from pointad.model.vision import encode_images

logger = logging.getLogger(__name__)

# Standard CLIP in a small size. The text encoder has the nine blocks that learned prompts reach into.
CONFIGURATION: dict[str, Any] = {
    "embed_dim": 128,
    "quick_gelu": False,
    "vision_cfg": {"image_size": 336, "layers": 6, "width": 192, "head_width": 64, "patch_size": 28},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 9},
}


SUPERVISED_BLOCKS = (3, 4, 5, 6)  # of the image encoder: their local features learn
CROPPED_SIDE = 168  # pixels: 6 of the 12 patches; what is local can be learned from less than a whole picture


@dataclass(frozen=True)
class LearningPlan:
    """How the pre-training goes."""

    steps: int
    batch_size: int = 96  # pictures a step, of all processes together
    learning_rate: float = 8e-4
    wording_steps: int = 100  # first the text encoder alone learns which sentences are alike
    warm_up: float = 0.08  # share of the steps
    weight_decay: float = 0.05
    average: float = 0.99  # of the running mean of the weights, which is what is kept
    position_rate: float = 0.1  # of the learning rate; small positions leave learned prompts room to matter
    cropped_steps: float = 0.85  # share of the steps, the first ones, that see cut-outs instead of whole pictures
    save_every: int = 100
    seed: int = 0


def new_model(seed: int) -> open_clip.CLIP:
    """A fresh model with open_clip's initialization."""
    torch.manual_seed(seed)
    return open_clip.CLIP(**CONFIGURATION)


def learn(
    store: PictureStore,
    plan: LearningPlan,
    weights: Path,
    *,
    process: int = 0,
    processes: int = 1,
    start_from: Path | None = None,
    report: Callable[[int, dict[str, float]], None] | None = None,
) -> None:
    """Train and write the averaged weights, in half precision, every so often and at the end.

    Args:
        store: the pictures.
        plan: how.
        weights: the safetensors file to write; the configuration goes beside it as JSON.
        process, processes: this process's number among those of the default `torch.distributed` group.
        start_from: weights to go on from instead of fresh ones.
        report: called by process 0 now and then with the step and the means of the losses since.

    Raises:
        InputError: the weights cannot be written.
    """
    model = new_model(plan.seed)
    if start_from is None:
        whiten_patches(model.visual, store, *_normalization(), plan.seed)
    else:
        model.load_state_dict({name: entry.float() for name, entry in load_file(start_from).items()})
    averaged = copy.deepcopy(model).requires_grad_(False)
    half = _computing_copy(model)
    optimizer = _optimizer(model, plan)
    rng = np.random.default_rng([plan.seed, process])
    batches = Batches(store, plan.batch_size // processes, rng, process, processes)
    tokenizer = open_clip.SimpleTokenizer(context_length=CONFIGURATION["text_cfg"]["context_length"])

    if start_from is None:
        for step in range(plan.wording_steps):
            _set_rate(optimizer, plan.learning_rate * min(1.0, 10 * (step + 1) / plan.wording_steps))
            _wording_loss(half, batches.draw(CROPPED_SIDE), tokenizer).backward()
            _step(optimizer, half, model, processes)
        optimizer = _optimizer(model, plan)

    history: list[dict[str, float]] = []
    started = time.monotonic()
    for step in range(plan.steps):
        _set_rate(optimizer, _learning_rate(step, plan))
        side = CROPPED_SIDE if step < plan.cropped_steps * plan.steps else PICTURE_SIDE
        losses = _losses(half, batches.draw(side), tokenizer)
        losses.total(step / plan.steps).backward()
        _step(optimizer, half, model, processes)
        _update_average(averaged, model, min(plan.average, (1 + step) / (10 + step)))
        history.append({name: float(value.detach()) for name, value in vars(losses).items()})
        if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
            if process == 0:
                _save(averaged, weights)
                if report is not None:
                    means = {name: float(np.mean([row[name] for row in history])) for name in history[0]}
                    report(step + 1, {**means, "minutes": (time.monotonic() - started) / 60})
            history.clear()


class _PatchProjection(nn.Module):
    """A convolution of patches that do not overlap, as one matrix product: its gradient is faster on CPUs."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = convolution.weight

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, width, H / side, W / side)."""
        side = self.weight.shape[-1]
        patches = images.unfold(2, side, side).unfold(3, side, side)  # (B, 3, rows, columns, side, side)
        return (patches.permute(0, 2, 3, 1, 4, 5).flatten(3) @ self.weight.flatten(1).T).permute(0, 3, 1, 2)


def _computing_copy(model: open_clip.CLIP) -> open_clip.CLIP:
    """What computes, in half precision; the model itself takes the steps in full precision."""
    half = copy.deepcopy(model).bfloat16()
    half.visual.conv1 = _PatchProjection(half.visual.conv1)
    return half


def _losses(model: open_clip.CLIP, batch: PretrainingBatch, tokenizer: open_clip.SimpleTokenizer) -> PretrainingLosses:
    mean, std = _normalization()
    images = ((batch.images - mean) / std).to(model.visual.conv1.weight.dtype)
    # PyTorch's fused attention is slow backwards on CPUs; the plain one is not.
    with sdpa_kernel(SDPBackend.MATH):
        pictures = encode_images(model.visual, images, SUPERVISED_BLOCKS)
        texts = encode_captions(model, tokenizer([*batch.captions, *batch.states]))
    captions, states = texts.split([len(batch.captions), len(batch.states)])
    return pretraining_losses(
        pictures.global_features, pictures.patch_features, captions, states, batch.kind_maps, batch.bodies
    )


def _normalization() -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of CLIP's pictures, (3, 1, 1) each."""
    mean, std = torch.tensor(open_clip.OPENAI_DATASET_MEAN), torch.tensor(open_clip.OPENAI_DATASET_STD)
    return mean[:, None, None], std[:, None, None]


def _wording_loss(model: open_clip.CLIP, batch: PretrainingBatch, tokenizer: open_clip.SimpleTokenizer) -> Tensor:
    texts = encode_captions(model, tokenizer([*batch.captions, *batch.states]))
    captions, states = texts.split([len(batch.captions), len(batch.states)])
    return wording_loss(captions, states, batch.kind_maps, batch.bodies)


def encode_captions(model: open_clip.CLIP, token_ids: Tensor) -> Tensor:
    """Text features (K, D) of token ids (K, C), without the work for what stands behind the longest text's end.

    Every token looks only back, so that what is left out changes nothing.
    """
    ends = token_ids.argmax(dim=-1)
    length = int(ends.max()) + 1
    hidden = model.token_embedding(token_ids[:, :length]) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length].to(hidden.dtype))
    return model.ln_final(hidden[torch.arange(len(hidden)), ends]) @ model.text_projection


def _optimizer(model: nn.Module, plan: LearningPlan) -> torch.optim.Optimizer:
    """AdamW in three groups: matrices with weight decay, other weights without, text positions at a slower rate."""
    groups: dict[str, list[nn.Parameter]] = {"matrices": [], "others": [], "positions": []}
    for name, parameter in model.named_parameters():
        if name == "positional_embedding":
            groups["positions"].append(parameter)
        elif parameter.ndim >= 2 and name != "token_embedding.weight":
            groups["matrices"].append(parameter)
        elif name != "logit_scale":
            groups["others"].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": groups["matrices"], "weight_decay": plan.weight_decay, "share": 1.0},
            {"params": groups["others"], "weight_decay": 0.0, "share": 1.0},
            {"params": groups["positions"], "weight_decay": 0.0, "share": plan.position_rate},
        ],
        lr=plan.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * rate


def _step(optimizer: torch.optim.Optimizer, half: nn.Module, model: open_clip.CLIP, processes: int) -> None:
    """One step of the model by the gradients of its computing copy, which follows."""
    _hand_over_gradients(half, model, processes)
    visual = {id(parameter) for parameter in model.visual.parameters()}
    # Each encoder on its own: the gradients of one must not drown those of the other.
    nn.utils.clip_grad_norm_(model.visual.parameters(), 1.0)
    nn.utils.clip_grad_norm_([parameter for parameter in model.parameters() if id(parameter) not in visual], 1.0)
    optimizer.step()
    _copy_weights(model, half)


def _learning_rate(step: int, plan: LearningPlan) -> float:
    """Linear warm-up, then half a cosine down to 2 %."""
    warm_up = max(1.0, plan.warm_up * plan.steps)
    if step < warm_up:
        return plan.learning_rate * (step + 1) / warm_up
    progress = (step - warm_up) / max(1.0, plan.steps - warm_up)
    return plan.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def _hand_over_gradients(source: nn.Module, target: nn.Module, processes: int) -> None:
    """Move the gradients of the computing model, averaged over all processes as one vector, to the full model."""
    pairs = [
        (own, goal) for own, goal in zip(source.parameters(), target.parameters(), strict=True) if own.grad is not None
    ]
    together = torch.cat([own.grad.flatten() for own, _ in pairs if own.grad is not None]).float()
    if processes > 1:
        distributed.all_reduce(together)
        together /= processes
    for (own, goal), part in zip(pairs, together.split([own.numel() for own, _ in pairs]), strict=True):
        goal.grad = part.view_as(goal)
        own.grad = None


@torch.no_grad()
def _copy_weights(source: nn.Module, target: nn.Module) -> None:
    torch._foreach_copy_(list(target.parameters()), list(source.parameters()))


@torch.no_grad()
def _update_average(averaged: nn.Module, model: nn.Module, keep: float) -> None:
    torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1 - keep)


def _save(model: open_clip.CLIP, weights: Path) -> None:
    state = {name: entry.detach().half().contiguous() for name, entry in model.state_dict().items()}
    with atomic_path(weights) as path:
        save_file(state, path)
    with atomic_path(weights.with_suffix(".json")) as path:
        path.write_text(json.dumps(CONFIGURATION, indent=2) + "\n")

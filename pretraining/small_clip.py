"""The demo backbone as a model: its configuration, how pictures are normalized for it, and its file."""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save
from torch import Tensor

from pointad.files.atomic import atomic_path
from pretraining.pictures import PICTURE_SIDE

PATCH_SIDE = 16  # pixels
GRID_SIDE = PICTURE_SIDE // PATCH_SIDE  # patches along a picture's side

# Standard CLIP in a small size. The text encoder has the nine blocks that learned prompts reach into.
CONFIGURATION: dict[str, Any] = {
    "embed_dim": 128,
    "quick_gelu": False,
    "vision_cfg": {
        "image_size": PICTURE_SIDE,
        "layers": 8,
        "width": 192,
        "head_width": 64,
        "patch_size": PATCH_SIDE,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 9},
}


def new_model(seed: int) -> open_clip.CLIP:
    """A fresh model with open_clip's initialization, on the CPU."""
    torch.manual_seed(seed)
    return open_clip.CLIP(**CONFIGURATION)


def normalized(images: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) of values 0..1 as the image encoder takes them."""
    mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN, device=images.device)[:, None, None]
    std = torch.tensor(open_clip.OPENAI_DATASET_STD, device=images.device)[:, None, None]
    return (images - mean) / std


def save_model(model: open_clip.CLIP, weights: Path) -> None:
    """Write the weights in half precision, and the configuration beside them as JSON.

    Raises:
        InputError: a file cannot be written.
    """
    state = {name: entry.detach().half().cpu().contiguous() for name, entry in model.state_dict().items()}
    # By way of memory: writing to a full disk itself, safetensors raises errors that do not tell.
    with atomic_path(weights) as path:
        path.write_bytes(save(state))
    with atomic_path(weights.with_suffix(".json")) as path:
        path.write_text(json.dumps(CONFIGURATION, indent=2) + "\n")

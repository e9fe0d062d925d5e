"""A random CLIP small enough for tests that look into it: 5 vision blocks, 4 text blocks, 28-pixel pictures."""

import open_clip
import torch

CONFIGURATION = {
    "embed_dim": 24,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 28, "layers": 5, "width": 32, "head_width": 8, "patch_size": 7},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 4},
}


def small_clip(seed: int = 0, **vision: object) -> open_clip.CLIP:
    """The model in evaluation mode; ``vision`` overrides entries of the vision configuration."""
    torch.manual_seed(seed)
    model = open_clip.CLIP(
        CONFIGURATION["embed_dim"],
        {**CONFIGURATION["vision_cfg"], **vision},
        CONFIGURATION["text_cfg"],
        quick_gelu=True,
    ).eval()
    with torch.no_grad():  # fresh biases are zero and fresh embeddings tiny: too tame to notice mistakes
        for name, parameter in model.named_parameters():
            if name.endswith(("bias", "gamma")) or "embedding" in name:
                parameter.normal_(std=0.3)
    return model

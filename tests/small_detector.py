"""The small detector of the tests, the same in every process."""

import torch

from pointad.model.architecture import build
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner

SMALL_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 168, "layers": 2, "width": 32, "head_width": 16, "patch_size": 28},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    "quick_gelu": True,
}


def make_backbone() -> ClipBackbone:
    """A CLIP with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return ClipBackbone(build(SMALL_CLIP), "small random CLIP")


def make_text_features(backbone: ClipBackbone) -> torch.Tensor:
    """(2, D), features of fresh prompts, far enough apart that maps are not flat."""
    learner = PromptLearner(backbone, depth=2, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        normal, anomalous = learner(backbone.text)
    return torch.stack([normal, anomalous - normal])

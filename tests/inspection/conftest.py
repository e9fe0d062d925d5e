"""A detector that is small enough to be asked often, and scans to ask it about."""

import numpy as np
import pytest
import torch
from sample_scans import closed_shape, depth_scan

from pointad.inspection.predictor import PointAD
from pointad.model.architecture import build
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner

SMALL_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 168, "layers": 2, "width": 32, "head_width": 16, "patch_size": 28},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    "quick_gelu": True,
}


@pytest.fixture(scope="session")
def small_backbone() -> ClipBackbone:
    """A CLIP with random weights that are the same in every run."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return ClipBackbone(build(SMALL_CLIP), "small random CLIP")


@pytest.fixture(scope="session")
def text_features(small_backbone: ClipBackbone) -> torch.Tensor:
    """Features of fresh prompts, far enough apart that maps are not flat."""
    learner = PromptLearner(small_backbone, depth=2, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        normal, anomalous = learner(small_backbone.text)
    return torch.stack([normal, anomalous - normal])


@pytest.fixture(scope="session")
def detector(small_backbone: ClipBackbone, text_features: torch.Tensor) -> PointAD:
    """Finds nothing meaningful, but finds it reliably."""
    return PointAD(small_backbone, text_features)


@pytest.fixture(scope="session")
def cloud() -> np.ndarray:
    """3,000 points of a closed shape."""
    return closed_shape(3000)


@pytest.fixture(scope="session")
def scan() -> np.ndarray:
    """An organized scan of 200 x 200 pixels."""
    return depth_scan()

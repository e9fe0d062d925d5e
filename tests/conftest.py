"""Fixtures that several tests share: the seeded golden inputs and what the library makes of them, once per session."""

import os

# The models here are so small that threads would mostly wait for each other. Programs that are started inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pytest
import torch
from golden.clip_inputs import write_weights
from golden.dataset_inputs import write_dataset
from golden.stages import run_stages
from golden.unit_inputs import unit_inputs
from hypothesis import HealthCheck, settings
from sample_scans import closed_shape, depth_scan
from small_detector import make_backbone, make_text_features

from pointad.inspection.predictor import PointAD
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.checkpoint import load_prompt_learner
from pointad.model.prompt_learner import PromptLearner

GOLDEN_SEED = 1234

# A busy machine is no fault: by default, an example that takes 0.2 s fails.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def golden_expected() -> Path:
    """Folder of the stored goldens."""
    return Path(__file__).parent / "fixtures" / "golden"


@pytest.fixture(scope="session")
def golden_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``clip_tiny.pt`` (a CLIP in OpenAI's format) and ``prompts.pth`` (learned prompts for it)."""
    folder = tmp_path_factory.mktemp("golden")
    write_weights(GOLDEN_SEED, folder)
    return folder


@pytest.fixture(scope="session")
def golden_inputs(golden_weights: Path) -> Path:
    """The same folder with ``data/`` beside the weights: ten samples in the rendered layout with their JSON lists."""
    data = golden_weights / "data"
    data.mkdir()
    write_dataset(GOLDEN_SEED, data)
    return golden_weights


@pytest.fixture(scope="session")
def golden_backbone(golden_weights: Path) -> ClipBackbone:
    """The small CLIP of the goldens."""
    return load_backbone(weights=golden_weights / "clip_tiny.pt")


@pytest.fixture
def golden_learner(golden_weights: Path, golden_backbone: ClipBackbone) -> PromptLearner:
    """The prompts of the goldens, fresh from their file for every test."""
    return load_prompt_learner(golden_weights / "prompts.pth", golden_backbone)


@pytest.fixture(scope="session")
def golden_stages(golden_inputs: Path, golden_backbone: ClipBackbone) -> dict[str, np.ndarray]:
    """What every stage makes of the ten samples."""
    learner = load_prompt_learner(golden_inputs / "prompts.pth", golden_backbone)
    return run_stages(golden_backbone, learner, golden_inputs / "data")


@pytest.fixture(scope="session")
def golden_units(golden_expected: Path) -> dict[str, np.ndarray]:
    """Inputs and expected values of the unit cases, under their names; no name is in both."""
    with np.load(golden_expected / "units.npz") as expected:
        return {**unit_inputs(GOLDEN_SEED), **expected}


@pytest.fixture(scope="session")
def small_backbone() -> ClipBackbone:
    """A CLIP with random weights that are the same in every run."""
    return make_backbone()


@pytest.fixture(scope="session")
def text_features(small_backbone: ClipBackbone) -> torch.Tensor:
    """Features of fresh prompts, far enough apart that maps are not flat."""
    return make_text_features(small_backbone)


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

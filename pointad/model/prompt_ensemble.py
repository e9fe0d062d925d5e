"""Text features without learning: the average over many plain prompts, the row "CLIP + R." of the paper's tables."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.model.backbone import ClipBackbone
from pointad.model.text import check_text_features

# State words combined with sentence templates, the compositional ensemble of WinCLIP (CVPR 2023, section 4.1).
NORMAL_STATES = (
    "{}",
    "flawless {}",
    "perfect {}",
    "unblemished {}",
    "intact {}",
    "{} without any flaw",
    "{} without any defect",
    "{} in good condition",
)
ANOMALOUS_STATES = (
    "damaged {}",
    "broken {}",
    "defective {}",
    "deformed {}",
    "{} with a flaw",
    "{} with a defect",
    "{} with damage",
    "{} in bad condition",
)
SENTENCES = (
    "a photo of a {}.",
    "a photo of the {}.",
    "a close-up photo of a {}.",
    "a cropped photo of the {}.",
    "a bright photo of a {}.",
    "a dark photo of the {}.",
    "a blurry photo of a {}.",
    "a photo of a {} for visual inspection.",
    "a rendering of a {}.",
    "a depth rendering of the {}.",
)


def ensemble_texts(states: tuple[str, ...], object_name: str) -> Iterator[str]:
    """Every sentence about the object in each of these states."""
    for sentence in SENTENCES:
        for state in states:
            yield sentence.format(state.format(object_name))


@torch.no_grad()
def ensemble_text_features(backbone: ClipBackbone, object_name: str = "object") -> Tensor:
    """Text features (2, D) of the normal and the anomalous ensemble: mean of the normalized features, L2-normalized."""
    features = []
    for states in (NORMAL_STATES, ANOMALOUS_STATES):
        raw = backbone.encode_texts(list(ensemble_texts(states, object_name)))
        each = F.normalize(check_text_features(raw, f"prompt ensemble '{object_name}'"), dim=-1)
        features.append(F.normalize(each.mean(dim=0), dim=-1))
    return torch.stack(features)

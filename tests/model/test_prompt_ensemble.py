"""The plain prompt ensemble: as many normal as anomalous prompts, averaged."""

import torch
import torch.nn.functional as F

from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_ensemble import (
    ANOMALOUS_STATES,
    NORMAL_STATES,
    SENTENCES,
    ensemble_text_features,
    ensemble_texts,
)


def test_texts() -> None:
    texts = list(ensemble_texts(ANOMALOUS_STATES, "cable gland"))
    assert len(texts) == len(set(texts)) == len(SENTENCES) * len(ANOMALOUS_STATES)
    assert all("cable gland" in text and "{" not in text for text in texts)
    assert "a photo of a damaged cable gland." in texts
    assert len(NORMAL_STATES) == len(ANOMALOUS_STATES)


def test_features_are_the_mean_of_normalized_features(golden_backbone: ClipBackbone) -> None:
    features = ensemble_text_features(golden_backbone, "tire")
    for row, states in enumerate((NORMAL_STATES, ANOMALOUS_STATES)):
        each = [F.normalize(golden_backbone.encode_texts([text])[0], dim=0) for text in ensemble_texts(states, "tire")]
        torch.testing.assert_close(features[row], F.normalize(torch.stack(each).mean(dim=0), dim=0))
    assert not torch.equal(features[0], features[1])

"""A sample of a data set as references see it: encoded once, then looked at with any prompts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pointad.data.batch import MultiViewSample, collate
from pointad.data.sample_identity import looks_of, picture_digest
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.reference.observation import Observation, observe, observe_with, select_blocks
from pointad.scoring.fusion import SampleScores, smooth
from pointad.scoring.inference import score_samples


@dataclass(frozen=True)
class SampleLook:
    """One sample, looked at once; S is the side of its grid."""

    sample: MultiViewSample  # without its pictures
    features: SampleFeatures  # of the prompts' blocks
    seen: Observation
    side: int  # S
    content: bytes  # tells its pictures and points, see `picture_digest`
    renderings: str  # tells each of its views, see `looks_of`

    @torch.no_grad()
    def under(self, text_features: Tensor) -> "SampleLook":
        """The same sample under other prompts (2, D), without another pass of the encoder."""
        return replace(self, seen=observe_with(self.seen, self.features, text_features, self.side))

    @torch.no_grad()
    def zero_shot(self, text_features: Tensor, sigma: float) -> SampleScores:
        """What the prompts (2, D) that it is looked at with find, as in a test without good scans."""
        seen = self.seen
        return score_samples(self.features, seen.views, text_features, seen.correspondences, seen.non_zero, sigma=sigma)


@torch.no_grad()
def look_at_sample(
    encoder: PictureEncoder,
    sample: MultiViewSample,
    text_features: Tensor,
    *,
    prompt_blocks: Sequence[int],
    bank_blocks: Sequence[int],
    sigma: float,
    organized: bool,
) -> SampleLook:
    """Encode a sample and look at it, and at its RGB picture where it has one.

    Args:
        encoder: gives the blocks of the prompts and of the bank.
        sample: with pictures and points.
        text_features: (2, D), normal and anomalous.
        prompt_blocks: that the prompts are compared with.
        bank_blocks: that good scans are compared by.
        sigma: width of the smoothing in places of the grid.
        organized: whether a depth camera saw the scan, from the front.
    """
    batch = collate([sample])
    assert batch.points is not None
    features = encoder.encode(batch)
    places = batch.non_zero[0].numpy()
    side = round(len(places) ** 0.5)
    points = batch.points[0].numpy()[places]

    def on_grid(values: np.ndarray) -> np.ndarray:
        grid = np.zeros(len(places), np.float32)
        grid[places] = values
        return smooth(torch.from_numpy(grid).view(side, side), sigma).numpy().ravel()

    for_prompts = select_blocks(features, encoder.layers, prompt_blocks)
    seen = observe(
        for_prompts,
        select_blocks(features, encoder.layers, bank_blocks),
        text_features,
        batch.correspondences.to(encoder.device),
        batch.non_zero.to(encoder.device),
        points,
        smooth=on_grid,
        size=side,
        from_front=organized,
        extent=float(np.ptp(points, axis=0).max()),
    )
    assert sample.views is not None  # the encoder refuses samples without it
    return SampleLook(
        replace(sample, views=None, color=None),
        for_prompts,
        seen,
        side,
        content=picture_digest(sample),
        renderings=looks_of(sample),
    )

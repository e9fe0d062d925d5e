"""Samples of full size with random pictures and correspondences: time does not depend on what they show."""

from dataclasses import dataclass

import numpy as np

from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions

SIZE = 336  # pixels a side of the renderings and of the grid of points
VIEWS = 9


@dataclass(frozen=True)
class SyntheticSample:
    """Names one sample; every second one is anomalous."""

    identifier: str
    label: int
    class_name: str = "synthetic"

    @property
    def species(self) -> str:
        return "defect" if self.label else "good"


def synthetic_dataset(count: int, *, image_size: int, training: bool) -> MultiViewDataset[SyntheticSample]:
    """That many samples, as train.py or test.py would load them for an encoder of that picture size."""
    samples = [SyntheticSample(f"{index:03}", index % 2) for index in range(count)]
    options = SampleOptions(image_size=image_size, with_color=not training, with_views_gt=training)
    return MultiViewDataset(samples, _load, options)


def _load(sample: SyntheticSample, options: SampleOptions) -> LoadedScan:
    random = np.random.default_rng(int(sample.identifier))
    points = np.flatnonzero(random.random(SIZE * SIZE) < 0.6)  # the others are holes
    correspondences = random.integers(0, SIZE, (VIEWS, len(points), 3), np.int16)
    correspondences[..., 2] = random.random((VIEWS, len(points))) < 0.6
    defect = np.zeros((SIZE, SIZE), np.uint8)
    defect[100:150, 120:180] = 255 * sample.label
    return LoadedScan(
        views=random.integers(0, 256, (VIEWS, SIZE, SIZE, 3), np.uint8),
        views_gt=np.repeat(defect[None], VIEWS, axis=0) if options.with_views_gt else None,
        correspondences=correspondences,
        nonzero_indices=points,
        color=random.integers(0, 256, (SIZE, SIZE, 3), np.uint8) if options.with_color else None,
        mask=defect if sample.label else None,
    )

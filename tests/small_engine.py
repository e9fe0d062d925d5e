"""A CLIP of three narrow blocks and a data set of random scans, small enough to train and test in a second."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions
from pointad.model.architecture import build
from pointad.model.backbone import ClipBackbone

IMAGE_SIZE, POINT_SIZE, VIEWS = 56, 30, 2
WIDTH, DEPTH = 64, 3


@dataclass(frozen=True)
class RandomScan:
    """Names one random scan."""

    class_name: str
    identifier: str
    label: int

    @property
    def species(self) -> str:
        return "dent" if self.label else "good"


def small_backbone(seed: int = 0) -> ClipBackbone:
    torch.manual_seed(seed)
    tower = {"width": WIDTH, "layers": DEPTH}
    vision = {**tower, "image_size": IMAGE_SIZE, "patch_size": 14, "head_width": 32}
    text = {**tower, "context_length": 77, "vocab_size": 49408, "heads": 2}
    return ClipBackbone(build({"embed_dim": WIDTH, "vision_cfg": vision, "text_cfg": text}), f"small {seed}")


def small_dataset(
    samples_per_class: dict[str, int], *, training: bool = False, with_color: bool = True
) -> MultiViewDataset[RandomScan]:
    """Classes of random scans; every second sample has an anomalous corner."""
    scans = [
        RandomScan(name, f"{index:03}", index % 2)
        for name, count in samples_per_class.items()
        for index in range(count)
    ]
    options = SampleOptions(
        image_size=IMAGE_SIZE,
        point_size=POINT_SIZE,
        view_indices=tuple(range(VIEWS)),
        with_color=with_color and not training,
        with_views_gt=training,
    )
    return MultiViewDataset(scans, partial(random_scan, repaint=0), options)


def random_scan(scan: RandomScan, options: SampleOptions, repaint: int) -> LoadedScan:
    """Noise; ``repaint`` changes one pixel of every picture by so much."""
    generator = np.random.default_rng([int(scan.identifier), *scan.class_name.encode()])
    views = generator.integers(50, 200, (VIEWS, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    color = generator.integers(50, 200, (IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    views[:, 0, 0] += repaint
    color[0, 0] += repaint
    nonzero = np.flatnonzero(generator.random(POINT_SIZE**2) < 0.7)
    correspondences = generator.integers(0, POINT_SIZE, (VIEWS, len(nonzero), 3))
    correspondences[..., 2] = generator.random((VIEWS, len(nonzero))) < 0.5
    corner = np.zeros((POINT_SIZE, POINT_SIZE), np.uint8)
    corner[:8, :8] = 255 * scan.label
    return LoadedScan(
        views=views,
        views_gt=np.repeat(corner[None], VIEWS, axis=0) if options.with_views_gt else None,
        correspondences=correspondences,
        nonzero_indices=nonzero,
        color=color if options.with_color else None,
        mask=corner if scan.label else None,
    )


def some_views(dataset: MultiViewDataset[RandomScan], *indices: int, size: int) -> MultiViewDataset[RandomScan]:
    """The same scans, of which a run takes these views and brings them to another size."""

    def load(source: RandomScan, options: SampleOptions) -> LoadedScan:
        scan, chosen = dataset.load(source, options), list(indices)
        assert scan.views is not None
        ground_truth = None if scan.views_gt is None else scan.views_gt[chosen]
        seen = {"views": scan.views[chosen], "correspondences": scan.correspondences[chosen]}
        return replace(scan, **seen, views_gt=ground_truth)

    return MultiViewDataset(dataset.sources, load, replace(dataset.options, image_size=size, view_indices=indices))

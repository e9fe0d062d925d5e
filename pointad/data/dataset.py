"""The data set for training and testing: tensors from rendered folders, or from raw scans rendered on the fly.

Sizes: V views, S pixels a side of a rendering and of the grid of points (336), P = S * S grid positions, M points.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from pointad.data.batch import MultiViewSample
from pointad.data.sample_identity import looks_and_sights
from pointad.data.sample_source import SampleSource
from pointad.data.visibility import fill_never_seen
from pointad.errors import InputError, shown
from pointad.metrics.regions import cloud_regions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleOptions:
    """What a sample must contain, and at which sizes."""

    image_size: int = 336  # side of the encoder's input images, in pixels
    point_size: int = 336  # side of the grid of points, and of the renderings that the correspondences refer to
    view_indices: tuple[int, ...] = tuple(range(9))  # which of the rendered views, in this order
    with_pictures: bool = True  # False if the encoder's features are already available
    with_color: bool = True  # False for data sets without RGB pictures
    with_views_gt: bool = False  # used in training only
    allow_empty_masks: bool = False  # whether an anomalous sample may have no marked point
    region_neighbours: int | None = None  # for point clouds without a grid: number the anomalous regions on this graph
    with_points: bool = False  # used for references of good scans only


@dataclass(frozen=True)
class LoadedScan:
    """One scan as it was read or rendered, before conversion to tensors."""

    views: np.ndarray | None  # (V, S, S) or (V, S, S, 3) uint8
    views_gt: np.ndarray | None  # (V, S, S) uint8
    correspondences: np.ndarray  # (V, M, 3) any integer type
    nonzero_indices: np.ndarray | None  # (M,); None: the points are the grid positions, in order
    color: np.ndarray | None  # (H, W, 3) uint8
    mask: np.ndarray | None  # (H, W) uint8, or (P,) bool per point; None: a good sample
    points: np.ndarray | None = None  # (M, 3) floating point; None unless requested


Source = TypeVar("Source", bound=SampleSource)


class MultiViewDataset(Dataset[MultiViewSample], Generic[Source]):
    """Samples of a data set, loaded one at a time, in any order and from any process.

    Args:
        sources: identify the scans.
        load: reads or renders one of them, see :func:`pointad.data.rendered_scan.load_rendered`.
        options: what the samples must contain.
    """

    def __init__(
        self, sources: Sequence[Source], load: Callable[[Source, SampleOptions], LoadedScan], options: SampleOptions
    ) -> None:
        self.sources = list(sources)
        self.load = load
        self.options = options

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> MultiViewSample:
        source = self.sources[index]
        return to_sample(source, self.load(source, self.options), self.options)


def to_sample(source: SampleSource, scan: LoadedScan, options: SampleOptions) -> MultiViewSample:
    """Resize one scan to the sizes of the model and fill in the visibility of points that no view sees.

    Raises:
        InputError: sizes do not match, or no view sees any point.
    """
    name = f"{source.class_name}/{source.species}/{source.identifier}"
    non_zero = _non_zero(name, scan, options.point_size)
    mask = _mask(name, scan.mask, options.point_size)
    correspondences = _correspondences(name, scan.correspondences, non_zero, options.point_size)
    looks, sights = looks_and_sights(scan.views, scan.correspondences, non_zero)
    return MultiViewSample(
        class_name=source.class_name,
        species=source.species,
        identifier=source.identifier,
        label=source.label,
        views=None if scan.views is None else resize_pictures(scan.views, options.image_size),
        color=None if scan.color is None else resize_pictures(scan.color[None], options.image_size)[0],
        views_gt=None if scan.views_gt is None else _views_gt(scan.views_gt, options.point_size),
        mask=torch.from_numpy(mask),
        correspondences=torch.from_numpy(correspondences),
        non_zero=torch.from_numpy(non_zero),
        regions=None if options.region_neighbours is None else torch.from_numpy(_regions(name, scan, mask, options)),
        points=_points(name, scan.points, non_zero) if options.with_points else None,
        looks=looks,
        sights=sights,
    )


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Resize a mask (H, W), anomalous where above 0, to (size, size) bool: bilinear, antialiased, 8-bit, > 0.5.

    The published loader does this with torchvision on a PIL image; the threshold in bytes is 128.
    """
    binary = Image.fromarray(((mask > 0) * 255).astype(np.uint8))
    if binary.size != (size, size):
        binary = binary.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(binary) >= 128


def resize_pictures(pictures: np.ndarray, size: int) -> torch.Tensor:
    """(V, H, W) or (V, H, W, 3) uint8 to (V, size, size, 3) uint8: PIL bicubic with antialiasing."""
    if pictures.ndim == 3:
        pictures = np.repeat(pictures[..., None], 3, axis=-1)
    if pictures.shape[1:3] != (size, size):
        resized = (Image.fromarray(p).resize((size, size), Image.Resampling.BICUBIC) for p in pictures)
        pictures = np.stack([np.asarray(p) for p in resized])
    return torch.from_numpy(np.require(pictures, requirements=["C", "W"]))  # it warns of arrays that are read-only


def _views_gt(views_gt: np.ndarray, size: int) -> torch.Tensor:
    """(V, H, W) uint8 to (V, size, size) bool."""
    if views_gt.shape[1:] == (size, size):
        return torch.from_numpy(views_gt >= 128)
    resized = (Image.fromarray(p).resize((size, size), Image.Resampling.BILINEAR) for p in views_gt)
    return torch.from_numpy(np.stack([np.asarray(p) for p in resized]) >= 128)


def _non_zero(name: str, scan: LoadedScan, size: int) -> np.ndarray:
    """Flags (P,) of the positions that hold a point."""
    count = scan.correspondences.shape[1]
    positions = size * size
    if scan.nonzero_indices is None:
        if count != positions:
            problem = f"has {count} points, but no nonzero_indices.npy; {positions} are expected without it"
            raise InputError(name, problem, "render the scan again")
        return np.ones(positions, bool)
    indices = scan.nonzero_indices
    if len(indices) != count:
        raise InputError(
            name, f"{len(indices)} nonzero indices but {count} correspondences per view", "render the scan again"
        )
    if count == 0 or indices.min() < 0 or indices.max() >= positions:
        problem = f"nonzero_indices.npy does not match a grid of {size} x {size} points"
        raise InputError(name, problem, "render the scan again, or give the --grid_size that it was rendered with")
    if (np.diff(indices) <= 0).any():
        raise InputError(name, "nonzero_indices.npy is not in strictly increasing order", "render the scan again")
    non_zero = np.zeros(positions, bool)
    non_zero[indices] = True
    return non_zero


def _points(name: str, points: np.ndarray | None, non_zero: np.ndarray) -> torch.Tensor:
    """(M, 3) coordinates to (P, 3) float32 on the grid, less their mean to preserve precision; 0 for holes."""
    count = int(non_zero.sum())
    if points is None or points.shape != (count, 3):
        found = "no" if points is None else str(len(points))
        raise InputError(name, f"has {found} points for {count} correspondences per view", "render the scan again")
    on_grid = np.zeros((len(non_zero), 3), np.float32)
    # Stored scans hold float32, whose own mean would be another than that of the same points in float64.
    on_grid[non_zero] = points - points.mean(axis=0, dtype=np.float64)
    return torch.from_numpy(on_grid)


def _correspondences(name: str, correspondences: np.ndarray, non_zero: np.ndarray, size: int) -> np.ndarray:
    """(V, M, 3) of the points to (V, P, 3) int16 on the grid, with the flags of never-seen points filled in."""
    pixels = correspondences[..., :2]
    if pixels.min() < 0 or pixels.max() >= size:
        problem = f"a correspondence lies outside the {size} x {size} pixels of a view"
        raise InputError(name, problem, "render the scan again, or give the --grid_size that it was rendered with")
    on_grid = np.zeros((len(correspondences), len(non_zero), 3), np.int16)
    on_grid[:, non_zero] = correspondences
    visible = on_grid[..., 2] != 0
    if not visible.any():
        raise InputError(name, "no view sees any point", "render the scan again")
    on_grid[..., 2] = fill_never_seen(visible, non_zero)
    return on_grid


def _regions(name: str, scan: LoadedScan, mask: np.ndarray, options: SampleOptions) -> np.ndarray:
    """The number (P,) of each point's anomalous region; 0 for normal points."""
    if options.region_neighbours is None or not mask.any():
        return np.zeros(len(mask), np.int32)
    if scan.points is None or len(scan.points) != len(mask):
        count = "no" if scan.points is None else str(len(scan.points))
        raise InputError(name, f"has {count} points for {len(mask)} labels", "render the scan again")
    return cloud_regions(scan.points, mask, options.region_neighbours)


def _mask(name: str, mask: np.ndarray | None, size: int) -> np.ndarray:
    """The mask as flags (P,); a good sample has none."""
    if mask is None:
        return np.zeros(size * size, bool)
    if mask.ndim == 2:
        on_grid = resize_mask(mask, size).reshape(-1)
        if mask.any() and not on_grid.any():
            message = (
                "%s: its mask marks too little to be seen on the grid of %d x %d points, where all counts as normal"
            )
            logger.warning(message, shown(name), size, size)
        return on_grid
    if mask.shape != (size * size,):
        problem = f"the mask has {mask.size} labels, not {size * size}"
        raise InputError(name, problem, "render the scan again")
    return mask.astype(bool)

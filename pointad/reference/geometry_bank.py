"""The bends of good scans' surfaces, and how far those of another scan lie from the nearest of them.

No network takes part: a cloud is thinned evenly, each of some two thousand centres is described by the mean histogram
of the points around it (`pointad.reference.fpfh`), and a point takes the value of the centres near it. Histograms are
compared by their square roots (Hellinger's distance, as Arandjelovic and Zisserman, "Three things everyone should know
to improve object retrieval", CVPR 2012), so that their full bins do not drown the empty ones that a defect fills.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from pointad.reference.coreset import spread_out
from pointad.reference.fpfh import LENGTH, fpfh, nearest_points, surface_normals

CELL = 0.01  # sides of the cells that a cloud is thinned by, as a part of its largest side
SIZES = (80,)  # neighbours of the histograms
POOLED = 48  # points around a centre whose histograms are averaged
CENTRES = 2000
_SEED = 0  # of their choice
COMPARED_AT_ONCE = 128  # centres; their distances then stay in the processor's caches
READ_FROM = 4  # centres that a point takes its value from
TOTAL = 600.0  # all bins of a histogram added up: three angles, the point's own and its neighbours'


@dataclass(frozen=True)
class ScanGeometry:
    """How the surface of one scan bends; N points, C centres."""

    descriptors: np.ndarray  # (C, sizes * 33) float32, roots of histograms that add up to 1
    centres: np.ndarray  # (C, 3) float64
    thinned: np.ndarray  # (T, 3) float64
    source: np.ndarray  # (N,) int64, the thinned point that stands for each point


@dataclass(frozen=True)
class GeometryBank:
    """Histograms of the good scans."""

    descriptors: np.ndarray  # (K, sizes * 33) float32, roots as those of a scan
    owners: np.ndarray  # (K,) int32, the good scan that each comes from

    @property
    def nbytes(self) -> int:
        """What the histograms take in memory."""
        return self.descriptors.nbytes + self.owners.nbytes

    def without(self, owner: int) -> "GeometryBank":
        """The histograms of all scans but one."""
        kept = self.owners != owner
        return GeometryBank(self.descriptors[kept], self.owners[kept])


def describe_geometry(points: np.ndarray, viewpoint: np.ndarray | None) -> ScanGeometry:
    """Describe a scan's surface.

    Args:
        points: (N, 3) floating point, in any unit.
        viewpoint: (3,) where the surface was seen from; None: from all around, so that nothing says which side of it
            is the outer one.
    """
    thinned, source = _thin(points, CELL)
    indices = nearest_points(thinned, min(len(thinned), SIZES[-1] + 1))
    sizes = [min(size, indices.shape[1] - 1) for size in SIZES]
    normals = surface_normals(thinned, indices, viewpoint)
    histograms = fpfh(thinned, normals, sizes, indices, oriented=viewpoint is not None)
    random = np.random.default_rng(_SEED)
    centres = np.sort(random.permutation(len(thinned))[:CENTRES])
    pooled = histograms[indices[centres, :POOLED]].mean(axis=1)
    return ScanGeometry(
        descriptors=np.sqrt(pooled.reshape(len(centres), len(SIZES) * LENGTH) / np.float32(TOTAL)),
        centres=thinned[centres],
        thinned=thinned,
        source=source,
    )


def gather_geometry(scans: Sequence[ScanGeometry], most_bytes: int) -> GeometryBank:
    """Keep the histograms of good scans, at most so many bytes, spread out evenly where they are too many."""
    joined = np.concatenate([scan.descriptors for scan in scans])
    kept = spread_out(torch.from_numpy(joined), max(1, most_bytes // joined[0].nbytes)).numpy()
    owners = np.repeat(np.arange(len(scans), dtype=np.int32), [len(scan.descriptors) for scan in scans])
    return GeometryBank(joined[kept], owners[kept])


def compare_geometry(scan: ScanGeometry, bank: GeometryBank) -> np.ndarray:
    """How far each centre's bends lie from the nearest good ones: (C,) float32, Euclidean between the roots.

    1 where there are no good ones, as when one of several equal scans is left out and the others were not kept.
    """
    if not len(bank.descriptors):
        return np.ones(len(scan.descriptors), np.float32)
    own, good = torch.from_numpy(scan.descriptors), torch.from_numpy(bank.descriptors)
    # |a - b|² = |a|² + (|b|² - 2 a b); what stands in brackets is one product of matrices with a column more
    lengthened = torch.cat([-2 * good, good.square().sum(dim=1, keepdim=True)], dim=1).T
    extended = torch.cat([own, torch.ones(len(own), 1, dtype=own.dtype)], dim=1)
    smallest = [(part @ lengthened).amin(dim=1) for part in extended.split(COMPARED_AT_ONCE)]
    return (torch.cat(smallest) + own.square().sum(dim=1)).clamp(min=0).sqrt().numpy()


def spread_to_points(scan: ScanGeometry, values: np.ndarray) -> np.ndarray:
    """Values of the centres (C,) to the points (N,) float32: the mean of the nearest centres', the nearer the more."""
    reach, nearest = cKDTree(scan.centres).query(scan.thinned, k=min(READ_FROM, len(scan.centres)))
    reach, nearest = reach.reshape(len(scan.thinned), -1), nearest.reshape(len(scan.thinned), -1)
    weights = 1 / np.maximum(reach, np.finfo(np.float64).tiny ** 0.5)
    weights /= weights.sum(axis=1, keepdims=True)
    return (values[nearest] * weights).sum(axis=1)[scan.source].astype(np.float32)


def _thin(points: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray]:
    """The mean point of every cell of a cubic lattice (T, 3), and the cell of every point (N,)."""
    low = points.min(axis=0)
    cell = max(float((points.max(axis=0) - low).max()) * part, np.finfo(np.float64).tiny)
    lattice = ((points - low) / cell).astype(np.int64)
    sides = lattice.max(axis=0) + 1
    keys = (lattice[:, 0] * sides[1] + lattice[:, 1]) * sides[2] + lattice[:, 2]
    _, source, number = np.unique(keys, return_inverse=True, return_counts=True)
    source = source.reshape(-1)
    sums = [np.bincount(source, weights=points[:, axis].astype(np.float64)) for axis in range(3)]
    return np.stack(sums, axis=1) / number[:, None], source

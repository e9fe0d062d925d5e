"""Patches of good scans, view by view, and how far the patches of another scan lie from the nearest of them.

V views, L layers, N patches a view on a square grid, D joint dimensions, K patches of good scans in one view.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.reference.coreset import spread_out


@dataclass(frozen=True)
class ScanPatches:
    """What the views of one scan look like, patch by patch."""

    descriptors: Tensor  # (V, N, L * D) floating point, of unit length
    seen: Tensor  # (V, N) bool, patches on which a point of the scan may lie

    @property
    def view_count(self) -> int:
        """V."""
        return len(self.descriptors)


@dataclass(frozen=True)
class PatchBank:
    """Patches of the good scans; only those on which points lie are kept."""

    descriptors: Tensor  # (K of all views, L * D) float16, of unit length
    counts: tuple[int, ...]  # K of each view
    owners: Tensor  # (K of all views,) int32, the good scan that each comes from

    @property
    def nbytes(self) -> int:
        """What the patches take in memory."""
        return self.descriptors.nbytes + self.owners.nbytes

    def view(self, number: int) -> Tensor:
        """Descriptors (K, L * D) float32 of one view."""
        start = sum(self.counts[:number])
        return self.descriptors[start : start + self.counts[number]].float()

    def without(self, owner: int) -> "PatchBank":
        """The patches of all scans but one."""
        kept = self.owners != owner
        counts = tuple(int(part.sum()) for part in kept.split(self.counts))
        return PatchBank(self.descriptors[kept], counts, self.owners[kept])


def patch_descriptors(patch_features: Tensor) -> Tensor:
    """Features of several layers as one vector of unit length: (V, L, N, D) to (V, N, L * D)."""
    joined = F.normalize(patch_features.float(), dim=-1).transpose(1, 2).flatten(2)
    return joined / math.sqrt(patch_features.shape[1])


def seen_patches(correspondences: Tensor, non_zero: Tensor, side: int, patches: int) -> Tensor:
    """Patches that a visible point lies on or beside, so that its value is read from them.

    Args:
        correspondences: (V, P, 3) integer: column, row, visible.
        non_zero: (P,) bool, False for holes.
        side: of the views in the correspondences' pixels.
        patches: N of a view, a square.

    Returns:
        (V, N) bool.
    """
    grid = math.isqrt(patches)
    column, row, visible = correspondences.long().unbind(dim=-1)  # (V, P) each
    place = (row * grid // side) * grid + column * grid // side
    hit = torch.zeros(len(correspondences), patches, dtype=torch.float32, device=correspondences.device)
    hit.scatter_reduce_(1, place, (visible * non_zero).float(), "amax")
    return F.max_pool2d(hit.view(-1, 1, grid, grid), 3, 1, 1).flatten(1) > 0


def gather_patches(scans: Sequence[ScanPatches], most_bytes: int) -> PatchBank:
    """Keep the patches of good scans, at most so many bytes of them, spread out evenly where they are too many.

    Args:
        scans: at least one, all with the same views and layers.
        most_bytes: what the bank may take.
    """
    view_count, _, length = scans[0].descriptors.shape
    most = max(1, most_bytes // (view_count * length * torch.float16.itemsize))
    descriptors, owners = [], []
    for view in range(view_count):
        here = torch.cat([scan.descriptors[view][scan.seen[view]] for scan in scans])
        numbers = [torch.full((int(scan.seen[view].sum()),), number) for number, scan in enumerate(scans)]
        kept = spread_out(here, most)
        descriptors.append(here[kept].half().cpu())
        owners.append(torch.cat(numbers)[kept.cpu()].int())
    return PatchBank(torch.cat(descriptors), tuple(map(len, owners)), torch.cat(owners))


def compare_patches(scan: ScanPatches, bank: PatchBank) -> Tensor:
    """How far each patch of a scan lies from the nearest good patch of the same view.

    Args:
        scan: with the views and layers of the bank.
        bank: of the good scans.

    Returns:
        (V, N) float32, cosine distance; 0 where no point lies, 1 where the view showed no good scan.
    """
    distance = torch.zeros(scan.seen.shape, dtype=torch.float32, device=scan.seen.device)
    for view in range(scan.view_count):
        seen, good = scan.seen[view], bank.view(view).to(distance.device)
        if not len(good):
            distance[view, seen] = 1
        elif seen.any():
            distance[view, seen] = 1 - (scan.descriptors[view][seen].float() @ good.T).amax(dim=-1)
    return distance.clamp(min=0)

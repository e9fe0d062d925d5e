"""Cuts the polygons of a mesh into triangles."""

import logging
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)

_PIECE = 2**18  # corners that are looked at together
_MOST_TRIED = 64  # corners of a polygon, fewer if there are many polygons to be turned
_MOST_TURNED = 2**24  # corners in all: ten seconds
_FLAT = 1e-9  # of a polygon's squared area: corners on one line are no fold


def fans(corners: np.ndarray, lengths: np.ndarray, vertices: np.ndarray, path: Path) -> np.ndarray:
    """Triangles (F, 3) int64 from polygons, as fans around their first corners; fewer than three corners give none.

    Of polygons that are bent inwards, a fan may reach beyond them. Their fan is around the first of up to 64 corners
    from which it does not. Polygons without such a corner are logged.

    Args:
        corners: vertex indices of all polygons, concatenated.
        lengths: (N,) how many corners each has.
        vertices: (V, 3) float64; indices may be beyond it.
        path: the file, for the log.
    """
    ascending = np.argsort(lengths, kind="stable")  # once: there may be thousands of lengths
    ascending = ascending[np.searchsorted(lengths[ascending], 3) :]
    starts = (np.cumsum(lengths) - lengths)[ascending]
    different, firsts = np.unique(lengths[ascending], return_index=True)
    triangles = []
    folded, left = 0, _MOST_TURNED
    for length, own in zip(different.tolist(), np.split(starts, firsts[1:]), strict=False):
        polygons = corners[own[:, None] + np.arange(length)].astype(np.int64, copy=False)
        if length == 3:
            triangles.append(polygons)
            continue
        if len(vertices):
            bent, left = _turn_folded(polygons, vertices, left)
            folded += bent
        first = np.repeat(polygons[:, :1], length - 2, axis=1)
        triangles.append(np.stack([first, polygons[:, 1:-1], polygons[:, 2:]], axis=2).reshape(-1, 3))
    if folded:
        message = "%s: %d of %d polygons are bent inwards so that their triangles also cover what is outside of them"
        logger.warning(message + "; export triangles", path, folded, len(starts))
    return triangles[0] if len(triangles) == 1 else np.concatenate([np.zeros((0, 3), dtype=np.int64), *triangles])


def _turn_folded(polygons: np.ndarray, vertices: np.ndarray, most: int) -> tuple[int, int]:
    """Let polygons (N, L) begin with a corner whose fan is not folded, in place.

    Returns:
        How many have none, and how many of the ``most`` corners that may be turned are left for other polygons.
    """
    folded = np.flatnonzero(_folded(polygons, vertices))
    length = polygons.shape[1]
    for shift in range(1, min(length, _MOST_TRIED, 1 + most // max(length * len(folded), 1))):
        most -= length * len(folded)
        turned = np.roll(polygons[folded], -shift, axis=1)
        still = _folded(turned, vertices)
        polygons[folded[~still]] = turned[~still]
        folded = folded[still]
        if not len(folded):
            break
    return len(folded), most


def _folded(polygons: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Whether (N,) some triangle of the fan around the first corner faces away from the polygon (N, L) as a whole."""
    folded = np.zeros(len(polygons), bool)
    step = max(1, _PIECE // polygons.shape[1])
    for start in range(0, len(polygons), step):
        part = slice(start, start + step)
        corners = vertices.take(polygons[part], axis=0, mode="clip")
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            edges = corners[:, 1:] - corners[:, :1]
            areas = np.cross(edges[:, :-1], edges[:, 1:])  # of each triangle, as a vector
            whole = areas.sum(axis=1, keepdims=True)
            folded[part] = ((areas * whole).sum(axis=2) < -_FLAT * (whole * whole).sum(axis=2)).any(axis=1)
    return folded

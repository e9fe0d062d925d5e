"""Points spread over a triangle mesh, the same ones however its triangles are ordered and its corners numbered.

Triangles are walked along a Z-order curve through their centres, and points are put at equal steps of the area that was
passed. So a file that stores the same surface in another order, precision or unit gets the same points up to rounding,
and a small change of the surface moves only the points near it.
"""

from collections.abc import Callable

import numpy as np

_PIECE = 2**14  # triangles
_CELLS = 2**16  # along the longest side of the box, of the Z-order curve
_SPREADING = (  # bits of one coordinate to every third bit: shift, and what is kept
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)
# Fractions of the plastic number's powers: multiples of both cover the unit square evenly.
_STEPS = np.array([0.7548776662466927, 0.5698402909980532])


def in_pieces(work: Callable[[np.ndarray], np.ndarray], faces: np.ndarray) -> np.ndarray:
    """What a function makes of triangles (F, ...), of some of them at a time: the corners of all take 72 bytes each."""
    starts = range(0, max(len(faces), 1), _PIECE)
    return np.concatenate([work(faces[start : start + _PIECE]) for start in starts])


def spread_points(
    vertices: np.ndarray, faces: np.ndarray, areas: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where points lie on triangles, evenly by area.

    Args:
        vertices: (V, 3) float64.
        faces: (F, 3) int64, the corners of the triangles among these.
        areas: (F,) of them, 0 or larger, with a finite sum above 0; those of area 0 get no point.
        count: how many points.
        seed: another one puts them elsewhere.

    Returns:
        The triangle (count,) int64 of each point, and the weights (count, 3) of its corners, which sum to 1.
    """
    used = np.flatnonzero(areas)
    centers = in_pieces(lambda some: vertices[faces[some]].mean(axis=1), used)
    low = centers.min(axis=0)
    side = float((centers.max(axis=0) - low).max())
    places = in_pieces(lambda some: _places(some, low, side if side > 0 else 1.0), centers)
    order = used[np.argsort(places, kind="stable")]
    passed = np.cumsum(areas[order])
    offset = np.random.default_rng(seed).random(3)
    steps = (np.arange(count) + offset[0]) / count * passed[-1]
    chosen = order[np.minimum(np.searchsorted(passed, steps, side="right"), len(order) - 1)]
    weights = (np.arange(count)[:, None] * _STEPS + offset[1:]) % 1
    outside = weights.sum(axis=1) > 1  # reflect the half of the parallelogram that lies outside
    weights[outside] = 1 - weights[outside]
    weights = np.column_stack([1 - weights.sum(axis=1), weights])
    # The corners of a triangle are numbered anew, by their place.
    rank = np.argsort(np.argsort(vertices[faces[chosen]] @ np.array([1.0, *_STEPS]), axis=1, kind="stable"), axis=1)
    return chosen, np.take_along_axis(weights, rank, axis=1)


def _places(centers: np.ndarray, low: np.ndarray, side: float) -> np.ndarray:
    """The places (F,) uint64 of points (F, 3) on a Z-order curve through a cube with this corner (3,) and side."""
    cells = ((centers - low) / side * (_CELLS - 1)).round().astype(np.uint64)
    return _spread(cells[:, 0]) | _spread(cells[:, 1]) << np.uint64(1) | _spread(cells[:, 2]) << np.uint64(2)


def _spread(bits: np.ndarray) -> np.ndarray:
    for shift, kept in _SPREADING:
        bits = (bits | bits << np.uint64(shift)) & np.uint64(kept)
    return bits

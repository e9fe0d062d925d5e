"""Seeded small inputs for the golden tests of single functions.

The order of the draws is part of the goldens: change nothing here without making them anew.
"""

from itertools import product

import numpy as np

Arrays = dict[str, np.ndarray]


def unit_inputs(seed: int) -> Arrays:
    """All inputs under the names that the expected values go by."""
    generator = np.random.default_rng([seed, 9])
    return {
        **_never_seen_cases(generator),
        **_visibility_cases(generator),
        **_back_projection_cases(generator),
        **_similarity_case(generator),
        **_loss_case(generator),
        **_region_overlap_case(generator),
    }


def _never_seen_cases(generator: np.random.Generator) -> Arrays:
    """48 cases of ``fill/NN/flags`` (views, points) and ``fill/NN/nonzero`` (points), uint8."""
    arrays = {}
    densities = ((0.5, 0.0), (0.15, 0.3), (0.04, 0.5), (0.02, 0.0))  # of visible points and of holes
    for case, (points, views, (density, holes)) in enumerate(product((12, 30, 64, 150), (1, 3, 9), densities)):
        non_zero = generator.random(points) >= holes
        flags = (generator.random((views, points)) < density) & non_zero
        if case % 3 == 0:  # hide both ends
            indices = np.flatnonzero(non_zero)
            hidden = max(1, len(indices) // 6)
            flags[:, indices[:hidden]] = False
            flags[:, indices[-hidden:]] = False
        if non_zero.sum() < 3 or not flags.any():
            non_zero[:] = True
            flags[0, points // 2] = True
        arrays[f"fill/{case:02d}/flags"] = flags.astype(np.uint8)
        arrays[f"fill/{case:02d}/nonzero"] = non_zero.astype(np.uint8)
    return arrays


def _visibility_cases(generator: np.random.Generator) -> Arrays:
    """Points (N, 3) with ties in depth on integer pixels (N, 2): column, row."""
    arrays = {}
    for case, (points, size) in enumerate(((400, 16), (2000, 32), (3000, 64))):
        arrays[f"vis/{case}/points"] = np.round(generator.random((points, 3)), 2)
        pixels = [generator.integers(0, size, points), generator.integers(0, size, points)]
        arrays[f"vis/{case}/pixels"] = np.stack(pixels, 1).astype(np.int16)
        arrays[f"vis/{case}/size"] = np.int64(size)
    return arrays


def _back_projection_cases(generator: np.random.Generator) -> Arrays:
    """Maps (B · V, S, S, 2), correspondences (B, V, P, 3) and holes (B, P)."""
    arrays = {}
    for case, (batch, views, size, side) in enumerate(((1, 9, 28, 20), (2, 3, 24, 16))):
        points = side * side
        anomalous = _uniform(generator, (batch * views, size, size, 1))
        non_zero = generator.random((batch, points)) < 0.6
        visible = (generator.random((batch, views, points)) < 0.4) & non_zero[:, None]
        visible[:, 0] |= non_zero & ~visible.any(1)
        pixels = generator.integers(0, size, (batch, views, points, 2)) * non_zero[:, None, :, None]
        arrays[f"back/{case}/maps"] = np.concatenate([1 - anomalous, anomalous], -1)
        arrays[f"back/{case}/cor"] = np.concatenate([pixels, visible[..., None]], -1).astype(np.int16)
        arrays[f"back/{case}/nonzero"] = non_zero.astype(np.uint8)
    return arrays


def _similarity_case(generator: np.random.Generator) -> Arrays:
    patches = _uniform(generator, (3, 37, 64)) * 2 - 1
    texts = _uniform(generator, (2, 64)) * 2 - 1
    return {
        "sim/patch": patches / np.linalg.norm(patches, axis=-1, keepdims=True),
        "sim/text": texts / np.linalg.norm(texts, axis=-1, keepdims=True),
        "sim/size": np.int64(84),
    }


def _loss_case(generator: np.random.Generator) -> Arrays:
    anomalous = _uniform(generator, (6, 1, 40, 40))
    mask = (generator.random((6, 1, 40, 40)) < 0.2).astype(np.float32)
    return {"loss/prob": np.concatenate([1 - anomalous, anomalous], 1), "loss/gt": mask}


def _region_overlap_case(generator: np.random.Generator) -> Arrays:
    """Six smooth maps with none to two round regions each."""
    rows, columns = np.mgrid[:96, :96]
    maps, masks = [], []
    for image in range(6):
        mask = np.zeros((96, 96), bool)
        for _ in range(image % 3):
            row, column = generator.integers(12, 84, 2).tolist()
            radius = int(generator.integers(4, 11))
            mask |= (rows - row) ** 2 + (columns - column) ** 2 < radius * radius
        grid = generator.random((9, 9))
        position = np.linspace(0, 8, 96, endpoint=False)
        cell = position.astype(int)
        weight = position - cell
        upper = grid[cell][:, cell] * (1 - weight)[None] + grid[cell][:, cell + 1] * weight[None]
        lower = grid[cell + 1][:, cell] * (1 - weight)[None] + grid[cell + 1][:, cell + 1] * weight[None]
        smooth = upper * (1 - weight)[:, None] + lower * weight[:, None]
        maps.append((smooth + 0.35 * mask).astype(np.float32))
        masks.append(mask)
    return {"pro/maps": np.stack(maps), "pro/masks": np.stack(masks).astype(np.uint8)}


def _uniform(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.random(shape).astype(np.float32)

"""The defects of the demo data set: damage to an object's surface, with its ground truth.

Each defect modifies a height field or a colour field as real damage would and marks exactly where. The sizes are those
of small damage on an object of 8 to 10 cm: mostly 0.5 to 3 % of its area and 1.5 to 4 mm deep.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pointad.demo.noise import smooth_noise, smooth_step

CHANGE_LIMIT = 0.00025  # metres: a smaller change of height is sensor noise and not part of the ground truth
TABLE_LIMIT = 0.0065  # metres above the table: anything lower disappears when the table is removed


@dataclass(frozen=True)
class Specimen:
    """One object on the table, before it is scanned."""

    x: np.ndarray  # (W,) metres, position of the grid's columns
    y: np.ndarray  # (H,) metres, position of the grid's rows
    height: np.ndarray  # (H, W) float64, metres above the table, 0 where the table is visible
    albedo: np.ndarray  # (H, W, 3) float64, share of the light reflected in red, green and blue
    mask: np.ndarray  # (H, W) bool, True where it is defective

    @property
    def pitch(self) -> float:
        """Distance between neighbouring grid points in metres."""
        return float(self.x[1] - self.x[0])


Defect = Callable[[np.random.Generator, Specimen], Specimen]


def apply_defect(kind: str, rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """The specimen after one defect of the given kind (one of `DEFECT_KINDS`), with its ground truth in `mask`."""
    return _DEFECTS[kind](rng, specimen)


def _place(rng: np.random.Generator, specimen: Specimen, margin: float) -> tuple[float, float]:
    """A random position on the object, at least about `margin` metres from its outline."""
    reach = max(1, round(margin / specimen.pitch))
    solid = specimen.height > TABLE_LIMIT + 0.001
    while reach > 1:
        inner = solid.copy()
        for axis in (0, 1):
            inner &= np.roll(solid, reach, axis) & np.roll(solid, -reach, axis)
            inner &= np.roll(solid, reach // 2, axis) & np.roll(solid, -(reach // 2), axis)
        if inner.sum() > 0.01 * solid.sum():
            solid = inner
            break
        reach = reach * 3 // 4
    row, column = np.unravel_index(rng.choice(np.flatnonzero(solid)), solid.shape)
    return float(specimen.x[column]), float(specimen.y[row])


def _offsets(specimen: Specimen, center: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of the grid points from a centre along x and y, each broadcastable to (H, W)."""
    return specimen.x[None, :] - center[0], specimen.y[:, None] - center[1]


def _oval(rng: np.random.Generator, specimen: Specimen, center: tuple[float, float], radius: float) -> np.ndarray:
    """(H, W) distance from a centre in units of an uneven oval's radius: below 1 is inside."""
    dx, dy = _offsets(specimen, center)
    angle = rng.uniform(0, np.pi)
    stretch = rng.uniform(1.0, 1.35)
    along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    direction = np.arctan2(across, along)
    uneven = 1 + 0.1 * np.cos(2 * direction + rng.uniform(0, 6)) + 0.07 * np.cos(3 * direction + rng.uniform(0, 6))
    return np.hypot(along / stretch, across * stretch) / (radius * uneven)


def _with_height(specimen: Specimen, height: np.ndarray) -> Specimen:
    """The specimen with a new height; the ground truth is where the object's surface has visibly changed."""
    changed = (np.abs(height - specimen.height) > CHANGE_LIMIT) & (height > TABLE_LIMIT)
    return replace(specimen, height=height, mask=specimen.mask | changed)


def _pit(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """A dent with a rounded bottom, as left by a blow."""
    radius = rng.uniform(0.0050, 0.0074)
    inside = _oval(rng, specimen, _place(rng, specimen, radius), radius)
    depth = rng.uniform(0.0024, 0.0040) * 0.5 * (1 + np.cos(np.pi * np.clip(inside, 0, 1)))
    lowered = np.maximum(specimen.height - depth, np.minimum(specimen.height, TABLE_LIMIT + 0.001))
    return _with_height(specimen, np.where(specimen.height > 0, lowered, 0))


def _lump(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """A drop of foreign matter that sticks to the surface."""
    radius = rng.uniform(0.0048, 0.0072)
    inside = _oval(rng, specimen, _place(rng, specimen, 0.8 * radius), radius)
    rise = rng.uniform(0.0024, 0.0040) * np.sqrt(np.clip(1 - inside**2, 0, None))
    return _with_height(specimen, np.where(specimen.height > 0, specimen.height + rise, 0))


def _groove(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """A bent scratch of even depth."""
    center = _place(rng, specimen, 0.006)
    dx, dy = _offsets(specimen, center)
    angle = rng.uniform(0, np.pi)
    along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    half_length, half_width = rng.uniform(0.012, 0.019), rng.uniform(0.0014, 0.0021)
    across = across - rng.uniform(-10, 10) * (along**2 - half_length**2 / 3)
    profile = np.clip(1 - (across / half_width) ** 2, 0, None) * (
        1 - smooth_step(np.abs(along), 0.85 * half_length, half_length)
    )
    lowered = specimen.height - rng.uniform(0.0016, 0.0028) * profile
    lowered = np.maximum(lowered, np.minimum(specimen.height, TABLE_LIMIT + 0.0005))
    return _with_height(specimen, np.where(specimen.height > 0, lowered, 0))


def _chip(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """A piece broken off the outline, leaving an uneven slanting fracture."""
    solid = specimen.height > TABLE_LIMIT + 0.003
    rows, columns = np.nonzero(solid)
    angle = rng.uniform(0, 2 * np.pi)
    outward = specimen.x[columns] * np.cos(angle) + specimen.y[rows] * np.sin(angle)
    edge = int(np.argmax(outward))
    center = (float(specimen.x[columns[edge]]), float(specimen.y[rows[edge]]))
    dx, dy = _offsets(specimen, center)
    inwards = -(dx * np.cos(angle) + dy * np.sin(angle))
    sideways = dy * np.cos(angle) - dx * np.sin(angle)
    reach, half_width = rng.uniform(0.009, 0.013), rng.uniform(0.009, 0.013)
    top = float(np.quantile(specimen.height[solid & (np.hypot(dx, dy) < 0.02)], 0.9))
    slope = (top - TABLE_LIMIT) / reach
    uneven = 0.0004 * smooth_noise(rng, specimen.x, specimen.y, 0.002, 0.006)
    fracture = TABLE_LIMIT + slope * (inwards - 0.1 * reach + 0.8 * reach * (sideways / half_width) ** 2) + uneven
    near = (np.abs(sideways) < 1.6 * half_width) & (inwards < 1.6 * reach)
    broken = near & (fracture < specimen.height)
    height = np.where(broken, np.where(fracture > TABLE_LIMIT - 0.001, fracture, 0), specimen.height)
    return _with_height(specimen, np.maximum(height, 0))


def _rough(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """A patch where the surface has been torn up."""
    radius = rng.uniform(0.0066, 0.0088)
    inside = _oval(rng, specimen, _place(rng, specimen, 0.8 * radius), radius)
    grain = smooth_noise(rng, specimen.x, specimen.y, 0.0022, 0.004)
    torn = specimen.height + rng.uniform(0.0007, 0.0010) * grain * (1 - smooth_step(inside, 0.75, 1.0))
    marked = (inside < 0.93) & (specimen.height > TABLE_LIMIT)
    return replace(specimen, height=np.where(specimen.height > 0, torn, 0), mask=specimen.mask | marked)


def _stain(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """A spot of another colour; the surface itself is unchanged, so that only the colour picture shows it."""
    radius = rng.uniform(0.005, 0.008)
    inside = _oval(rng, specimen, _place(rng, specimen, 0.8 * radius), radius)
    share = 0.9 * (1 - smooth_step(inside, 0.8, 1.0))[..., None]
    ink = np.array([(0.08, 0.10, 0.30), (0.35, 0.05, 0.06), (0.06, 0.25, 0.10), (0.10, 0.07, 0.05)])[rng.integers(4)]
    marked = (inside < 0.93) & (specimen.height > TABLE_LIMIT)
    on_object = (specimen.height > 0)[..., None]
    albedo = np.where(on_object, specimen.albedo * (1 - share) + ink * share, specimen.albedo)
    return replace(specimen, albedo=albedo, mask=specimen.mask | marked)


_DEFECTS: dict[str, Defect] = {
    "chip": _chip,
    "groove": _groove,
    "lump": _lump,
    "pit": _pit,
    "rough": _rough,
    "stain": _stain,
}

DEFECT_KINDS: tuple[str, ...] = tuple(_DEFECTS)

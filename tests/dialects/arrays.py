"""NumPy arrays with their axes in another order, and archives with other names."""

import io

import numpy as np

from dialects.base import COLORS, GRID, GRID_COLORS, NORMALS, POINTS, Dialect, with_holes


def npy(values: np.ndarray) -> bytes:
    """The content of an `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    """The content of an `.npz` file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _records() -> np.ndarray:
    records = np.zeros(len(POINTS), dtype=[("intensity", "f4"), ("x", "f8"), ("y", "f8"), ("z", "f8")])
    for axis, name in enumerate("xyz"):
        records[name] = POINTS[:, axis]
    return records


def _profile_points() -> np.ndarray:
    return np.column_stack([np.arange(len(POINTS)), POINTS[:, 1:]])


def _profile() -> np.ndarray:
    """Records whose x counts the points, like numbers of rows."""
    fields = [*((name, "f8") for name in "xyz"), *((name, "u1") for name in "rgb")]
    records = np.zeros(len(POINTS), dtype=fields)
    for name, column in zip("xyzrgb", [*_profile_points().T, *COLORS.T], strict=True):
        records[name] = column
    return records


def _no_data(number: float, dtype: str) -> np.ndarray:
    points = POINTS.astype(dtype)
    points[[3, 77]] = number
    points[200, 2] = number
    return points


_READ_AS = "is read as"
_FLAT = GRID.reshape(-1, 3)
ARRAYS = {
    "planes": Dialect(".npy", npy(np.moveaxis(GRID, -1, 0)), GRID, log=_READ_AS),
    "planes with colours": Dialect(
        ".npy", npy(np.moveaxis(np.concatenate([GRID, GRID_COLORS], axis=-1), -1, 0)), GRID, GRID_COLORS, _READ_AS
    ),
    "columns as rows": Dialect(".npy", npy(POINTS.T), log=_READ_AS),
    "batch of one cloud": Dialect(".npy", npy(POINTS[None]), log=_READ_AS),
    "points of OpenCV": Dialect(".npy", npy(POINTS[:, None]), log=_READ_AS),
    "an axis behind": Dialect(".npy", npy(POINTS[..., None]), log=_READ_AS),
    "batch of one scan": Dialect(".npy", npy(GRID[None]), GRID, log=_READ_AS),
    "batch of planes": Dialect(".npy", npy(np.moveaxis(GRID, -1, 0)[None]), GRID, log=_READ_AS),
    "records": Dialect(".npy", npy(_records())),
    "records of a profile": Dialect(".npy", npy(_profile()), _profile_points(), colors=COLORS),
    "vertices of RealSense": Dialect(
        ".npy", npy(POINTS.astype("f4").view([("f0", "f4"), ("f1", "f4"), ("f2", "f4")]).squeeze())
    ),
    "shuffled index": Dialect(
        ".npy",
        npy(np.column_stack([np.arange(len(POINTS)), POINTS])[::-1]),
        POINTS[::-1],
        log="first column numbers the rows",
    ),
    "-32768": Dialect(".npy", npy(_no_data(-32768, "f8")), with_holes([3, 77, 200]), log="no-data value"),
    "the largest float": Dialect(
        ".npy", npy(_no_data(np.finfo(np.float32).max, "f4")), with_holes([3, 77, 200]), log="no-data value"
    ),
    "65.535 metres": Dialect(
        ".npy",
        npy(np.where(np.arange(len(POINTS))[:, None] % 100 == 3, 65.535, POINTS * 0.001)),
        with_holes([3, 103, 203, 303], POINTS * 0.001),
        log="no-data value",
    ),
    "normals before colours": Dialect(".npy", npy(np.hstack([POINTS, NORMALS, COLORS])), colors=COLORS),
    "intensity before colours": Dialect(".npy", npy(np.hstack([POINTS, NORMALS[:, :1], COLORS])), colors=COLORS),
    "other names": Dialect(".npz", npz(vertices=POINTS, normals=POINTS, colour=COLORS), colors=COLORS),
    "a name of its own": Dialect(".npz", npz(part=POINTS, weights=np.zeros(7)), log="'part' is read as the points"),
    "x, y and z": Dialect(".npz", npz(x=POINTS[:, 0], y=POINTS[:, 1], z=POINTS[:, 2])),
    "x, y and z of a grid": Dialect(".npz", npz(X=GRID[..., 0], Y=GRID[..., 1], Z=GRID[..., 2]), GRID),
    "RGBA": Dialect(".npz", npz(points=POINTS, colors=np.hstack([COLORS, COLORS[:, :1]])), colors=COLORS),
    "16-bit colours": Dialect(".npz", npz(points=POINTS, colors=COLORS.astype(np.uint16) * 257), colors=COLORS),
    "floats to 255": Dialect(".npz", npz(xyz=POINTS, rgb=COLORS.astype(np.float32)), colors=COLORS),
    "floats to 1": Dialect(".npz", npz(xyz=POINTS, rgb=COLORS / 255), colors=COLORS),
    "colours in a row": Dialect(".npz", npz(xyz=GRID, rgb=GRID_COLORS.reshape(-1, 3)), GRID, GRID_COLORS),
    "colours as planes": Dialect(".npz", npz(xyz=GRID, rgb=np.moveaxis(GRID_COLORS, -1, 0)), GRID, GRID_COLORS),
}

REFUSED_ARRAYS = {
    "labels in front": (".npy", npy(np.column_stack([np.arange(len(POINTS)) % 2, POINTS])), "a label or an intensity"),
    "depth map": (".npy", npy(np.full((48, 64), 800, np.uint16)), "depth map"),
    "picture": (".npy", npy(np.full((48, 64, 3), 80, np.uint8)), "8-bit image"),
    "several clouds": (".npy", npy(np.zeros((2, 40, 50, 3))), "has shape (2, 40, 50, 3)"),
    "planes or rows": (".npy", npy(np.zeros((3, 500, 6))), "ambiguous: planes or rows"),
    "depth and picture": (".npz", npz(depth=np.ones((48, 64)), color=GRID_COLORS), "color (20, 24, 3)"),
    "depth alone": (".npz", npz(depth=np.ones((48, 64)), fov=np.ones(1)), "Height maps"),
    "several arrays": (".npz", npz(first=POINTS, second=POINTS), "first (400, 3), second (400, 3)"),
    "colours of others": (".npz", npz(points=POINTS, colors=COLORS[:-1]), "colours of shape (399, 3)"),
    "complex": (".npy", npy(POINTS.astype(complex)), "complex128"),
}

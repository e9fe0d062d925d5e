"""Whether the arrays of a scan are what they should be: points, and the RGB picture of those with a pixel grid."""

from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.coarseness import warn_of_coarse_coordinates

MOST_WHOLE = 2**53  # whole numbers beyond it are not all float64


def checked_arrays(
    points: np.ndarray, colors: np.ndarray | None, rgb: np.ndarray | None, *, remove_table: bool, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """The points in single or double precision, and the picture of an organized scan; see `PointAD.predict`.

    Raises:
        InputError: they are no such arrays, or a cloud without a grid has a picture or a table to remove.
    """
    if not _is_array(points):
        remedy = "give a NumPy array, such as numpy.asarray(points)"
        if isinstance(points, np.ma.MaskedArray):
            remedy = "give points.filled(numpy.nan)"
        if isinstance(points, str | Path):
            remedy = "give a NumPy array; pointad.scans.files.read_scan(path).points is that of a file"
        raise InputError("points", f"are a {type(points).__name__}", remedy)
    is_empty = points.ndim == 3 and not points.size  # no pixels at all: not even holes
    if points.ndim not in (2, 3) or points.shape[-1] != 3 or points.dtype.kind not in "fiu" or is_empty:
        problem = f"are {points.dtype} of shape {points.shape}"
        raise InputError("points", problem, "give numbers of shape (N, 3), or (H, W, 3) for an organized scan")
    organized = points.ndim == 3
    picture = _picture(rgb if rgb is not None else colors if organized else None)
    if not organized and rgb is not None:
        problem = "cannot be mapped to a cloud without a grid"
        raise InputError("RGB picture", problem, "give the organized scan, (H, W, 3), or omit the picture")
    if not organized and remove_table:
        problem = "has no pixel grid, without which no table can be removed"
        raise InputError("scan", problem, "give the organized scan, or remove the table beforehand")
    points = np.asarray(points)  # of matrices and the like
    if points.dtype.kind == "f" and points.itemsize < 8:  # those of files, in double precision, were looked at
        warn_of_coarse_coordinates(points.astype(np.float64), name)
    if points.dtype.kind in "iu" and points.size and not -MOST_WHOLE <= points.min() <= points.max() <= MOST_WHOLE:
        raise InputError(
            "points", "hold whole numbers beyond 2**53, which would be rounded", "subtract an offset first"
        )
    if points.dtype not in (np.float32, np.float64):  # sums of coordinates pass the end of half precision
        points = points.astype(np.float64)
    return points, picture


def _is_array(given: object) -> bool:
    return isinstance(given, np.ndarray) and not isinstance(given, np.ma.MaskedArray)


def _picture(rgb: np.ndarray | None) -> np.ndarray | None:
    if rgb is not None and not _is_array(rgb):
        raise InputError("RGB picture", f"is a {type(rgb).__name__}", "give a NumPy array, (H, W, 3) of uint8")
    if rgb is not None and (rgb.ndim != 3 or rgb.shape[-1] != 3 or rgb.dtype != np.uint8 or not rgb.size):
        raise InputError("RGB picture", f"is {rgb.dtype} of shape {rgb.shape}", "give (H, W, 3) of uint8")
    return rgb

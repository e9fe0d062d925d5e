"""Recognizes columns without names whose first three are certainly not x, y, z, and tells which are ignored."""

import logging
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.colors import is_normals
from pointad.scans.scan_file import FEWEST_POINTS
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)

_EARLIEST_TIME = 1e8  # seconds, of clocks that count from 1970 or 1980; coordinates of countries stay below
_SAMPLE = 20_000  # rows
_FEWEST_VALUES = 16  # that differ in a coordinate; labels and numbers of returns have fewer
_ROUNDED = 0.15  # of 255 times a colour with three decimals
_ALONG_PIXELS = 0.9  # correlation of a coordinate with the columns or rows of its grid
_IF_TIMES = "; if the first holds times, name the columns"
_REMEDY = "name the columns x, y, z, or move x, y and z to the front"


def check_order(values: np.ndarray, path: Path, problem: str = "has no names of columns") -> None:
    """Refuse a table or array that begins with colours, normals, labels, intensities or times.

    Args:
        values: (N, C) or (H, W, C) numbers without names, without row numbers.
        path: the file, for errors.
        problem: why the order is in doubt.

    Raises:
        InputError: the first columns do not look like coordinates, but those behind them do.
    """
    if values.ndim not in (2, 3) or values.shape[-1] < 4 or values.dtype.kind not in "iuf":
        return
    flat = values.reshape(-1, values.shape[-1])
    found = flat[np.isfinite(flat).all(axis=1)]
    if values.ndim == 3:
        if _follows_pixels(values[..., 0]):
            return
        found = found[found[:, :3].any(axis=1) & found[:, -3:].any(axis=1)]  # without holes
    kind = (
        _first_columns(found, steady=_rises_steadily(flat[:, 0])) if len(found) and len(flat) >= FEWEST_POINTS else None
    )
    if kind is not None:
        raise InputError(path, f"{problem}, and begins with what looks like {kind}", _REMEDY)


def tell_reading(values: np.ndarray, colors_at: int | None, path: Path) -> None:
    """Log which columns are read as what, where there may be doubt.

    There is none of normals or an intensity behind coordinates, nor of normals, alpha or a few labels behind colours.

    Args:
        values: (..., C) numbers without names, x, y and z in the first three.
        colors_at: the first column of the colours behind these; None: there are none.
        path: the file, for the log.
    """
    if values.shape[-1] == 3 or values.dtype.kind not in "iuf":
        return
    flat = values.reshape(-1, values.shape[-1])
    found = flat[np.isfinite(flat).all(axis=1)]
    if not len(found):
        return
    others, rises = found[:, 3:], values.ndim == 2 and bool((np.diff(flat[:, 0]) > 0).all())
    if colors_at is not None:
        _tell_colours(found[:, :3], others, colors_at, path, _IF_TIMES if rises else "")
    elif others.shape[1] > 1 and (_are_bytes(found[:, :3]) or not is_normals(others[:, :3])):
        message = "%s: columns 1 to 3 are read as x, y, z; the last %d columns have no names and are ignored"
        logger.warning(message + (_IF_TIMES if rises else ""), path, others.shape[1])
    elif others.shape[1] == 1:
        usual = np.ptp(others) and (are_whole(others) or (_is_attribute(others) and not _is_attribute(found)))
        if rises or _differs_in_kind(found) or not (usual or (others == 1).all()):
            message = "%s: the first three columns are read as x, y, z, and the fourth, which has no name, is ignored"
            logger.warning(message + (_IF_TIMES if rises else ""), path)


def _differs_in_kind(values: np.ndarray) -> bool:
    """Whether the first of (N, C) columns is constant, or whole and the next two are not, or the other way round."""
    whole = [are_whole(column) for column in values[:, :3].T]
    return not np.ptp(values[:, 0]) or (whole[1] == whole[2] != whole[0])


def _tell_colours(points: np.ndarray, others: np.ndarray, colors_at: int, path: Path, addition: str) -> None:
    """The same where colours follow, which may be coordinates if both lie between 0 and 1, or both may be colours."""
    colors = others[:, colors_at : colors_at + 3]
    fractions = _is_attribute(points) and _is_attribute(colors) and not _are_bytes_to_one(colors)
    if fractions or _are_bytes(points):
        addition = "; if it is the other way round, name the columns"
    further = np.delete(others, np.s_[colors_at : colors_at + 3], axis=1)
    is_label = further.shape[1] == 1 and len(np.unique(further)) <= _FEWEST_VALUES
    if further.shape[1] and not is_label and not is_normals(further[:, :3]) and np.ptp(further, axis=0).any():
        message = "%s: columns 1 to 3 are read as x, y, z and %d to %d as colours; the others have no names"
    elif addition:
        message = "%s: columns 1 to 3 are read as x, y, z and %d to %d as colours"
    else:
        return
    logger.warning(message + addition, path, colors_at + 4, colors_at + 6)


def _first_columns(values: np.ndarray, *, steady: bool) -> str | None:
    """What the first columns of (N, C) finite numbers hold; None if it may be coordinates.

    Args:
        values: without rows that have numbers missing.
        steady: whether the first column of all rows rises steadily.
    """
    fourth, behind = values[:, 3], values[:, 3:6]
    if values.shape[1] >= 6 and not is_normals(behind):
        colours_follow = any(_are_colours(values[:, place : place + 3]) for place in range(3, values.shape[1] - 2))
        if is_normals(values[:, :3]) and not colours_follow and _may_be_coordinates(behind):
            return "normals"
        has_alpha = values.shape[1] >= 7 and np.ptp(fourth) == 0
        if _are_colours(values[:, :3]) and _may_be_coordinates(values[:, 4:7] if has_alpha else behind):
            return "colours"
    normals_between = values.shape[1] >= 9 and is_normals(behind) and _are_colours(values[:, :3])
    if normals_between and _may_be_coordinates(values[:, 6:9]):
        return "colours and normals"
    stepped = [_are_bytes_to_one(values[:, place]) for place in (0, 1, 3)]  # more than one: a grid, scaled to 1
    if stepped == [True, False, False] and not (_are_bytes(fourth) or is_normals(behind)):
        return "an intensity"
    places_first = values.shape[1] >= 5 and _are_places(values[:, :2]) and not is_normals(behind)
    if places_first and not any(are_whole(column) or _is_attribute(column) for column in values[:, 2:5].T):
        return "numbers of rows and columns"
    if _are_flags(values[:, 0]) and not any(are_whole(column) and not _varies(column) for column in values[:, 1:3].T):
        return "a label or an intensity"
    fractions_follow = not any(are_whole(column) for column in values[:, 1:4].T)
    if fractions_follow and not _is_attribute(fourth) and not is_normals(behind):
        if are_whole(values[:, 0]):
            return "a label or an intensity"
        if steady and (np.ptp(values[:, 1:3], axis=0) > 0).all():
            return "times"
    if values[:, 0].min() > _EARLIEST_TIME and np.abs(values[:, 1:4]).max() < _EARLIEST_TIME / 10:
        return "times"
    for place in (1, 2):
        before, following = values[:, :place], values[:, place + 1 : place + 4]
        largest = max(np.abs(before).max(), np.abs(following).max()) if following.shape[1] == 3 else np.inf
        has_times = values[:, place].min() > _EARLIEST_TIME and largest < _EARLIEST_TIME / 10
        if has_times and _may_be_coordinates(following) and not is_normals(following):
            return "times"
    return None


def _are_colours(values: np.ndarray) -> bool:
    """Whether (N, 3) numbers are colours in front of something else: 0 to 255, or these divided by 255."""
    return _are_bytes_to_one(values) or (_are_bytes(values) and values.max() > 1)


def _are_bytes_to_one(values: np.ndarray) -> bool:
    """Whether numbers between 0 and 1 are multiples of 1/255, as those of coordinates hardly ever are."""
    if not _is_attribute(values):
        return False
    scaled = 255 * values[:: max(1, len(values) // _SAMPLE)].astype(np.float64)
    levels = np.rint(scaled)
    return len(np.unique(levels)) > _FEWEST_VALUES and float(np.abs(scaled - levels).max()) <= _ROUNDED


def _may_be_coordinates(values: np.ndarray) -> bool:
    """Whether (N, 3) numbers behind colours or normals vary enough, but for one axis, and are no colours themselves."""
    if _are_bytes_to_one(values):
        return False
    if not any(are_whole(column) for column in values.T):
        return True
    if _are_bytes(values):
        return False
    varying = values[:, np.ptp(values, axis=0) > 0]
    return varying.shape[1] >= 2 and all(map(_varies, varying.T))


def _varies(column: np.ndarray) -> bool:
    """Whether numbers (N,) take more values than labels and numbers of returns do."""
    return len(np.unique(column[:: max(1, len(column) // _SAMPLE)])) > _FEWEST_VALUES


def _rises_steadily(column: np.ndarray) -> bool:
    """Whether numbers grow from row to row by equal steps, perhaps rounded, as times do."""
    steps = np.diff(column.astype(np.float64))
    if not len(steps) or not (steps > 0).all():
        return False
    usual = np.median(steps)
    return bool((np.abs(steps - usual) <= usual / 2 * (1 + 1e-6)).all())


def _follows_pixels(channel: np.ndarray) -> bool:
    """Whether a channel (H, W) grows or shrinks along the columns or rows, as a coordinate does."""
    measured = np.isfinite(channel) & (channel != 0)
    rows, columns = np.nonzero(measured)
    numbers = channel[measured].astype(np.float64)
    if not len(numbers) or not np.ptp(numbers):
        return False
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        along = [np.corrcoef(numbers, places)[0, 1] for places in (rows, columns) if np.ptp(places)]
    return any(abs(correlation) > _ALONG_PIXELS for correlation in along)


def _are_bytes(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and values.max() <= 255) and are_whole(values)


def _are_places(values: np.ndarray) -> bool:
    """Whether (N, 2) numbers are those of rows and columns of a grid: whole, from 0 or more on, without large gaps."""
    if values.min() < 0 or not are_whole(values):
        return False
    numbers = [np.unique(column) for column in values.T]
    return all(len(found) > 1 and found[-1] - found[0] < 2 * len(found) for found in numbers)


def _are_flags(column: np.ndarray) -> bool:
    """Whether numbers are 0 or 1, and both occur."""
    return bool(np.isin(column, (0, 1)).all() and np.ptp(column))


def _is_attribute(column: np.ndarray) -> bool:
    """Whether numbers are between 0 and 1, as intensities are."""
    return bool(column.min() >= 0 and column.max() <= 1)

"""Writes and reads the renderings of a sample and their correspondences; where they lie, `pointad.data.layout` says."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pointad.data.foreign_files import refuse_foreign_files
from pointad.data.layout import NONZERO_INDICES, SampleFiles, correspondence_name, view_gt_name, view_name
from pointad.data.view_sizes import check_view_sizes
from pointad.errors import InputError, failures_of
from pointad.files.existing import is_beside, is_folder_beside
from pointad.files.masks import read_mask as read_mask_picture
from pointad.files.npy_files import read_npy
from pointad.files.pictures import read_picture, write_png
from pointad.files.standing_folders import refuse_replaced
from pointad.rendering.rendered_sample import RenderedSample
from pointad.scans.pcd import read_pcd

_RENDER_AGAIN = "render the sample again"
_BROKEN = f"replace the file, or {_RENDER_AGAIN}"


def write_rendered_sample(files: SampleFiles, sample: RenderedSample) -> None:
    """Write the three folders of a rendered sample, replacing any earlier content.

    Each folder is filled under a temporary name and then renamed, `2d_rendering` last, so that a run killed at any
    moment never leaves an incomplete sample that looks finished. Write the sample's other files first.

    Raises:
        InputError: a folder cannot be written.
    """
    remove_views(files)
    with failures_of(files.folder, "written", "choose a writable folder with free space"):
        _replace_folder(files.correspondences, lambda folder: _fill_correspondences(folder, sample))
        _replace_folder(files.views_gt, lambda folder: _fill_pictures(folder, sample.views_gt, view_gt_name))
        _replace_folder(files.views, lambda folder: _fill_pictures(folder, sample.views, view_name))


def remove_views(files: SampleFiles) -> None:
    """Mark a sample as unfinished before any of its files is replaced.

    Raises:
        InputError: the renderings cannot be removed, files of others lie among them, or their folder is another one
            than this run began to work in.
    """
    refuse_replaced(files.views)
    with failures_of(files.views, "removed", "choose a writable folder"):
        refuse_foreign_files((files.views, files.views_gt, files.correspondences))
        if files.views.exists():
            shutil.rmtree(files.views)


def read_views(folder: str | Path, indices: Sequence[int], size: int | None = None) -> np.ndarray:
    """Read renderings of a sample.

    Args:
        folder: `2d_rendering/<id>`.
        indices: which views, in the order wanted.
        size: side that they must have, in pixels; None: any.

    Returns:
        (V, H, W, 3) uint8.

    Raises:
        InputError: an image is missing, broken, or differs in size from the first or the given one.
    """
    return _read_pictures([Path(folder) / view_name(index) for index in indices], "RGB", size)


def read_views_gt(folder: str | Path, indices: Sequence[int], size: int | None = None) -> np.ndarray:
    """Read the greyscale ground-truth images of a sample.

    Args:
        folder: `2d_gt/<id>`.
        indices, size: as in `read_views`.

    Returns:
        (V, H, W) uint8.

    Raises:
        InputError: as in `read_views`.
    """
    return _read_pictures([Path(folder) / view_gt_name(index) for index in indices], "grey", size)


def read_correspondences(folder: str | Path, indices: Sequence[int]) -> np.ndarray:
    """Read the point-to-pixel correspondences of each view.

    Args:
        folder: `2d_3d_cor/<id>`.
        indices: which views, in the order wanted.

    Returns:
        (V, M, 3) int16: column, row, visible (0 or 1).

    Raises:
        InputError: a file is missing, broken, differs in shape from the first, or holds values outside any image.
    """
    paths = [Path(folder) / correspondence_name(index) for index in indices]
    views = []
    for path in paths:
        view = read_npy(path, kinds="iu", remedy=_BROKEN)
        if view.ndim != 2 or view.shape[1] != 3:
            raise InputError(path, f"has shape {view.shape}, expected (points, 3)", _RENDER_AGAIN)
        if view.size and (view.min() < 0 or view.max() > np.iinfo(np.int16).max):
            raise InputError(path, "holds pixels outside any image", _RENDER_AGAIN)
        if view.size and view[:, 2].max() > 1:
            raise InputError(path, "holds a visibility that is neither 0 nor 1", _RENDER_AGAIN)
        views.append(view.astype(np.int16, copy=False))
    return _stack(paths, views)


def read_nonzero_indices(folder: str | Path) -> np.ndarray | None:
    """Read the grid positions of a sample's points.

    Args:
        folder: `2d_3d_cor/<id>`.

    Returns:
        (M,) int32; None if there is no such file, because every grid position holds a point.

    Raises:
        InputError: the file is broken or holds something else.
    """
    path = Path(folder) / NONZERO_INDICES
    if not is_beside(path):
        return None
    indices = read_npy(path, kinds="iu", remedy=_BROKEN)
    if indices.ndim != 1:
        raise InputError(path, f"has shape {indices.shape}, expected (points,)", _RENDER_AGAIN)
    if indices.size and (indices.min() < 0 or indices.max() > np.iinfo(np.int32).max):
        raise InputError(path, "holds indices outside any grid", _RENDER_AGAIN)
    return indices.astype(np.int32, copy=False)


def read_mask(path: str | Path) -> np.ndarray:
    """Read a sample's ground truth from either form that data sets use.

    Args:
        path: an image, or a point cloud (`.pcd`) whose points are anomalous where their colour is above half.

    Returns:
        (H, W) uint8, 0 or 255; or (M,) bool for a point cloud.

    Raises:
        InputError: the file is missing or broken, or the point cloud has no colours.
    """
    if Path(path).suffix.lower() != ".pcd":
        return read_mask_picture(path)
    colors = read_pcd(path).colors
    if colors is None:
        raise InputError(path, "has no colours, which should hold the labels", _RENDER_AGAIN)
    return colors[:, 0] > 127


def _replace_folder(target: Path, fill: Callable[[Path], None]) -> None:
    # The temporary name is always the same, so the next run cleans up after one that was killed.
    temporary = target.with_name(f".{target.name}.partial")
    refuse_replaced(temporary)
    if is_folder_beside(temporary):
        shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    fill(temporary)
    refuse_replaced(target)
    if target.exists():
        shutil.rmtree(target)
    temporary.replace(target)


def _fill_pictures(folder: Path, pictures: np.ndarray, name: Callable[[int], str]) -> None:
    for index, picture in enumerate(pictures):
        write_png(folder / name(index), picture)


def _fill_correspondences(folder: Path, sample: RenderedSample) -> None:
    for index, view in enumerate(sample.correspondences):
        np.save(folder / correspondence_name(index), view.astype(np.int16, copy=False))
    if sample.nonzero_indices is not None:
        np.save(folder / NONZERO_INDICES, sample.nonzero_indices.astype(np.int32, copy=False))


def _read_pictures(paths: Sequence[Path], mode: str, size: int | None) -> np.ndarray:
    if size is not None:
        check_view_sizes(paths, size)
    return _stack(paths, [read_picture(path, mode) for path in paths])


def _stack(paths: Sequence[Path], arrays: Sequence[np.ndarray]) -> np.ndarray:
    for path, array in zip(paths, arrays, strict=True):
        if array.shape != arrays[0].shape:
            raise InputError(path, f"has shape {array.shape} but {paths[0].name} has {arrays[0].shape}", _RENDER_AGAIN)
    return np.stack(arrays)

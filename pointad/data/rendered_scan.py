"""One scan of a data set with its views: read from its rendered folder, or just rendered from the raw scan."""

import itertools
from pathlib import Path

import numpy as np

from pointad.data import rendered_files
from pointad.data.dataset import LoadedScan, SampleOptions
from pointad.data.good_masks import without_view_marks
from pointad.data.metadata import SampleRecord
from pointad.data.points import read_points
from pointad.errors import InputError
from pointad.files.pictures import picture_size, read_picture
from pointad.rendering.rendered_sample import RenderedSample
from pointad.scans.pcd import read_pcd

SAME_PROPORTIONS = 0.01  # tolerance between the proportions of a mask and of its picture


def load_rendered(record: SampleRecord, options: SampleOptions) -> LoadedScan:
    """Read one scan from a rendered data set.

    Args:
        record: the paths of its files.
        options: which of them are needed.

    Raises:
        InputError: a file is missing, unreadable, or differs in size from the rest, or an anomalous sample
            has an empty mask.
    """
    views = options.view_indices
    pictures = options.with_pictures
    color_path = record.rgb_path if pictures and options.with_color else None
    mask = rendered_files.read_mask(record.mask_path) if record.label and record.mask_path is not None else None
    if record.label and not options.allow_empty_masks and (mask is None or not mask.any()):
        raise InputError(
            record.mask_path or record.views_folder,
            f"no point is marked, yet the sample counts as anomalous ({record.species})",
            "list good samples as such in the JSON files, or allow such samples (--allow_empty_masks)",
        )
    nonzero_indices = rendered_files.read_nonzero_indices(record.correspondence_folder)
    points = _labelled_points(record) if options.region_neighbours is not None else None
    if points is None and options.with_points:
        points = read_points(record.point_cloud_path, nonzero_indices, record.views_folder, options.point_size)
    side = options.point_size
    views_gt = rendered_files.read_views_gt(record.views_gt_folder, views, side) if options.with_views_gt else None
    scan = LoadedScan(
        views=rendered_files.read_views(record.views_folder, views, side) if pictures else None,
        views_gt=views_gt if record.label else without_view_marks(record, views_gt),
        correspondences=rendered_files.read_correspondences(record.correspondence_folder, views),
        nonzero_indices=nonzero_indices,
        color=None if color_path is None else read_picture(color_path, "RGB"),
        mask=mask,
        points=points,
    )
    if scan.mask is not None or scan.color is not None:
        _check_proportions(record, scan.mask, scan.color)
    return scan


def _check_proportions(record: SampleRecord, mask: np.ndarray | None, color: np.ndarray | None) -> None:
    """Refuse the mask or the picture of another recording: resized to the grid, it would silently be of other points.

    Args:
        record: where they lie, if there are any.
        mask, color: (H, W) and (H, W, 3), or (P,) of a cloud; None: not read, so that the header has to tell.
    """
    sizes = _sizes(record.mask_path, mask), _sizes(record.rgb_path, color)
    if all(sizes) and not any(
        abs(width * other_height - other_width * height) <= SAME_PROPORTIONS * width * other_height
        for (width, height), (other_width, other_height) in itertools.product(*sizes)
    ):
        (of_mask, *_), (of_picture, *_) = sizes
        problem = f"is {of_mask[0]} x {of_mask[1]} pixels, but the picture is {of_picture[0]} x {of_picture[1]}"
        raise InputError(record.mask_path or record.views_folder, problem, "give files of the same recording")


def _sizes(path: Path | None, pixels: np.ndarray | None) -> list[tuple[int, int]]:
    """Width and height; both ways round from a header, as a note beside it may turn the picture; none if unknown."""
    if pixels is not None and pixels.ndim > 1:
        return [(pixels.shape[1], pixels.shape[0])]
    if pixels is not None or path is None or not path.is_file():
        return []
    found = picture_size(path)
    return [] if found is None else [found, found[::-1]]


def _check_grid(name: str | Path, scan: LoadedScan, size: int) -> None:
    """Refuse another grid than the rendered one: in a larger one, points would silently move to other rows."""
    for pictures in (scan.views, scan.views_gt):
        if pictures is not None and pictures.shape[1:3] != (size, size):
            problem = f"holds pictures of {pictures.shape[2]} x {pictures.shape[1]} pixels, expected {size} x {size}"
            raise InputError(name, problem, "give the --grid_size that it was rendered with, or render it again")


def _labelled_points(record: SampleRecord) -> np.ndarray | None:
    """The points of an anomalous point cloud; None if the mask is an image or the sample is good."""
    if not record.label or record.mask_path is None or record.mask_path.suffix.lower() != ".pcd":
        return None
    return read_pcd(record.mask_path).points


def from_rendered_sample(
    rendered: RenderedSample,
    color: np.ndarray | None,
    mask: np.ndarray | None,
    options: SampleOptions,
    points: np.ndarray | None = None,
) -> LoadedScan:
    """The same as :func:`load_rendered`, for a scan that has just been rendered."""
    chosen = list(options.view_indices)
    scan = LoadedScan(
        views=rendered.views[chosen] if options.with_pictures else None,
        views_gt=rendered.views_gt[chosen] if options.with_views_gt else None,
        correspondences=rendered.correspondences[chosen],
        nonzero_indices=rendered.nonzero_indices,
        color=color if options.with_pictures and options.with_color else None,
        mask=mask,
        # In the precision of stored files, so that ties between neighbours are resolved in the same way.
        points=None if points is None else points.astype(np.float32).astype(np.float64),
    )
    _check_grid("rendering", scan, options.point_size)
    return scan

"""Overview sheets of one sample with the inputs, the anomaly maps and the nine views, and scores projected to views.

Every sheet has a colour bar with the values at its ends. All maps of a sheet share it, so that colours can be compared
within a sheet.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.spatial import cKDTree

from pointad.errors import InputError, shown
from pointad.visualization.arrays import as_picture, require_shape
from pointad.visualization.heat import heat_colors, outline, overlay, to_unit_range

GAP = 8  # pixels between the pictures of a sheet
LABEL_HEIGHT = 20  # pixels of text above a picture
TITLE_HEIGHT = 32
VIEW_SIZE = 150  # side of a view in a sheet, in pixels
MAP_SIZE = 256  # side of the RGB picture, the ground truth and the maps in a sheet
BAR_WIDTH = 18
BAR_ROOM = 86  # least width kept for the colour bar and its numbers
SPACING_SAMPLE = 500  # points of a view whose neighbours determine the point spacing
THREADS = 2  # that fill views; SciPy and OpenCV let them work at once
LONGEST_TITLE = 300  # letters; the sheet is at least as wide as its title
TEXT_COLOR = (32, 36, 44)


def scores_in_views(correspondences: np.ndarray, point_scores: np.ndarray, image_size: int) -> np.ndarray:
    """Paint the score of every point on its pixel in each view that sees it: the point map seen from all views.

    Args:
        correspondences: (V, N, 3) integers: column x, row y (0 .. S - 1), visible (0 or 1).
        point_scores: (N,) float.
        image_size: S, the side of the views in pixels.

    Returns:
        (V, S, S) float32, NaN where no point is seen. Pixels between points take the score of the nearest point, up to
        twice the typical point spacing of that view.

    Raises:
        InputError: there are not as many scores as points, or a point lies outside of the views.
    """
    require_shape(np.asarray(point_scores), correspondences.shape[1:2], "scores of points")
    pixels = correspondences[..., :2]
    if pixels.size and (pixels.min() < 0 or pixels.max() >= image_size):
        raise InputError("correspondences", f"lie outside of views of {image_size} pixels", "render the scan again")
    pictures = np.full((len(correspondences), image_size, image_size), -np.inf, dtype=np.float32)
    view, point = np.nonzero(correspondences[..., 2])
    columns, rows = correspondences[view, point, 0], correspondences[view, point, 1]
    np.maximum.at(pictures, (view, rows, columns), point_scores[point].astype(np.float32))
    with ThreadPoolExecutor(THREADS) as pool:
        for number, filled in enumerate(pool.map(_filled_between_points, pictures)):
            pictures[number] = filled
    return pictures


def _filled_between_points(picture: np.ndarray) -> np.ndarray:
    """Fill gaps in an image (S, S) whose pixels without a point are -inf; remaining gaps become NaN."""
    empty = np.isneginf(picture)
    places = np.argwhere(~empty)
    if len(places) < 2:
        return np.where(empty, np.nan, picture)
    tree = cKDTree(places, balanced_tree=False, compact_nodes=False)
    distances, _ = tree.query(places[:: max(1, len(places) // SPACING_SAMPLE)], k=2)
    reach = 2 * np.median(distances[:, 1])
    away, label = cv2.distanceTransformWithLabels(
        empty.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value_of_label = np.full(int(np.max(label)) + 1, np.nan, dtype=np.float32)
    value_of_label[label[~empty]] = picture[~empty]
    return np.where(away <= reach, value_of_label[label], np.nan)


def sample_sheet(
    title: str,
    *,
    rgb: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    maps: Mapping[str, np.ndarray] | None = None,
    views: np.ndarray | None = None,
    view_rows: Mapping[str, np.ndarray] | None = None,
    view_labels: Sequence[str] | None = None,
    heat_range: tuple[float, float] | None = None,
) -> np.ndarray:
    """Draw everything known about a sample in one picture; anything not given is omitted.

    The first row shows the RGB picture, the ground truth and each map overlaid on the RGB picture. Below are the views,
    each with its own maps underneath.

    Args:
        title: the first line, such as class, defect, file and scores.
        rgb: (H, W, 3) uint8.
        mask: (H, W), above 0 is anomalous; outlined in the maps of the same size.
        maps: label -> (H, W) float, such as {"point 0.71": ..., "colour 0.40": ..., "fused 0.66": ...}.
        views: (V, S, S) uint8 grey renderings.
        view_rows: label -> (V, S, S) float; each becomes a row of heat maps over the views. NaN shows the bare view.
        view_labels: V texts, such as "x -45°".
        heat_range: values at the two ends of the colour scale; None uses the lowest and highest value in the sheet.

    Returns:
        (height, width, 3) uint8.

    Raises:
        InputError: a picture is not uint8.
    """
    for name, picture in (("RGB picture", rgb), ("views", views)):
        if picture is not None:
            as_picture(picture, name)
    maps, view_rows = dict(maps or {}), dict(view_rows or {})
    if heat_range is None:
        heat_range = _common_range([*maps.values(), *view_rows.values()])
    rows = []
    first_row = _first_row(rgb, mask, maps, heat_range)
    if first_row:
        rows.append((MAP_SIZE, first_row))
    if views is not None:
        rows.extend(_view_rows(views, view_rows, view_labels, heat_range))
    return _compose(title, rows, heat_range if maps or view_rows else None)


def _common_range(maps: Sequence[np.ndarray]) -> tuple[float, float]:
    finite = [one[np.isfinite(one)] for one in map(np.asarray, maps)]
    finite = [one for one in finite if one.size]
    if not finite:
        return 0.0, 1.0
    return min(float(one.min()) for one in finite), max(float(one.max()) for one in finite)


def _first_row(
    rgb: np.ndarray | None,
    mask: np.ndarray | None,
    maps: Mapping[str, np.ndarray],
    heat_range: tuple[float, float],
) -> list[tuple[str, np.ndarray]]:
    """Labelled pictures of MAP_SIZE: RGB, ground truth, maps."""
    row = []
    small_mask = None if mask is None else _resize((np.asarray(mask) > 0).astype(np.uint8) * 255, MAP_SIZE) >= 128
    small_rgb = None if rgb is None else _resize(rgb, MAP_SIZE)
    if small_rgb is not None:
        row.append(("RGB", small_rgb))
    if small_mask is not None:
        row.append(("ground truth", np.repeat(np.where(small_mask, 255, 0).astype(np.uint8)[..., None], 3, axis=-1)))
    for label, values in maps.items():
        heat = to_unit_range(_resize(np.asarray(values, dtype=np.float32), MAP_SIZE), heat_range)
        picture = heat_colors(heat) if small_rgb is None else overlay(small_rgb, heat, 0.6)
        row.append((label, picture if small_mask is None else outline(picture, small_mask)))
    return row


def _view_rows(
    views: np.ndarray,
    view_rows: Mapping[str, np.ndarray],
    view_labels: Sequence[str] | None,
    heat_range: tuple[float, float],
) -> list[tuple[int, list[tuple[str, np.ndarray]]]]:
    """Rows of labelled pictures of VIEW_SIZE: the views, then their maps."""
    pictures = [np.repeat(_resize(view, VIEW_SIZE)[..., None], 3, axis=-1) for view in views]
    labels = list(view_labels) if view_labels is not None else [f"view {number}" for number in range(len(views))]
    rows = [(VIEW_SIZE, list(zip(labels, pictures, strict=True)))]
    for row_label, values in view_rows.items():
        heats = [to_unit_range(_resize(np.asarray(one, dtype=np.float32), VIEW_SIZE), heat_range) for one in values]
        overlays = [overlay(picture, heat, 0.6) for picture, heat in zip(pictures, heats, strict=True)]
        texts = [row_label, *[""] * (len(overlays) - 1)]
        rows.append((VIEW_SIZE, list(zip(texts, overlays, strict=True))))
    return rows


def _resize(picture: np.ndarray, side: int) -> np.ndarray:
    """Longer side scaled to `side`, centred on white (pictures) or NaN (maps); area averaging when shrinking."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    holds_gaps = picture.dtype.kind == "f" and bool(np.isnan(picture).any())
    if holds_gaps:
        method = cv2.INTER_NEAREST  # averaging would enlarge the gaps
    else:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(picture), size, interpolation=method)
    if size == (side, side):
        return resized
    blank = np.nan if picture.dtype.kind == "f" else (255 if picture.ndim == 3 else 0)
    canvas = np.full((side, side, *picture.shape[2:]), blank, dtype=picture.dtype)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = resized
    return canvas


def _bar_labels(heat_range: tuple[float, float]) -> list[str]:
    """The values at the upper end, the middle and the lower end of the colour bar."""
    low, high = heat_range
    return [f"{value:.3g}" for value in (high, (low + high) / 2, low)]


def _compose(
    title: str,
    rows: Sequence[tuple[int, Sequence[tuple[str, np.ndarray]]]],
    heat_range: tuple[float, float] | None,
) -> np.ndarray:
    """Place rows of labelled square pictures under a title, with the colour bar on the right."""
    font, title_font = ImageFont.load_default(13), ImageFont.load_default(17)
    bar_labels = [] if heat_range is None else _bar_labels(heat_range)
    label_width = max((math.ceil(font.getlength(label)) for label in bar_labels), default=0)
    bar_room = max(BAR_ROOM, GAP + BAR_WIDTH + 5 + label_width + GAP) if bar_labels else 0
    row_width = max((len(row) * (side + GAP) for side, row in rows), default=0)
    title = shown(title)[:LONGEST_TITLE]
    width = max(row_width + GAP + bar_room, GAP * 2 + round(title_font.getlength(title)))
    height = TITLE_HEIGHT + sum(side + LABEL_HEIGHT + GAP for side, _ in rows) + GAP
    if heat_range is not None:
        height = max(height, TITLE_HEIGHT + LABEL_HEIGHT * 2 + VIEW_SIZE)
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    texts: list[tuple[int, int, str]] = []
    top = TITLE_HEIGHT
    for side, row in rows:
        for column, (label, picture) in enumerate(row):
            left = GAP + column * (side + GAP)
            texts.append((left, top + 3, label))
            canvas[top + LABEL_HEIGHT : top + LABEL_HEIGHT + side, left : left + side] = picture
        top += side + LABEL_HEIGHT + GAP
    if heat_range is not None:
        left, bar_top, bar_height = width - bar_room + GAP, TITLE_HEIGHT + LABEL_HEIGHT, min(MAP_SIZE, height - 80)
        ramp = heat_colors(np.linspace(1.0, 0.0, bar_height))
        canvas[bar_top : bar_top + bar_height, left : left + BAR_WIDTH] = ramp[:, None]
        for number, label in enumerate(bar_labels):
            part = number / (len(bar_labels) - 1)
            texts.append((left + BAR_WIDTH + 5, bar_top + round(part * (bar_height - 13)), label))
        texts.append((left, TITLE_HEIGHT + 3, "anomaly"))
    sheet = Image.fromarray(canvas)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, 7), title, fill=TEXT_COLOR, font=title_font)
    for left, text_top, text in texts:
        draw.text((left, text_top), text, fill=TEXT_COLOR, font=font)
    return np.asarray(sheet)

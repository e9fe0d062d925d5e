"""Heat colours, overlays and the sample sheet: the colours stand where the values are."""

import numpy as np
import pytest

from pointad.visualization.sheets import (
    MAP_SIZE,
    heat_colors,
    outline,
    overlay,
    sample_sheet,
    scores_in_views,
    to_unit_range,
)


def test_heat_colors_run_from_blue_through_green_to_red() -> None:
    low, middle, high = heat_colors(np.array([0.1, 0.5, 0.95])).astype(int)
    assert low[2] == low.max()
    assert middle[1] == middle.max()
    assert high[0] == high.max()


def test_heat_colors_clip_and_show_missing_values_in_grey() -> None:
    colors = heat_colors(np.array([[-3.0, 0.0], [1.0, 7.0], [np.nan, np.nan]]))
    assert colors.shape == (3, 2, 3) and colors.dtype == np.uint8
    assert (colors[0, 0] == colors[0, 1]).all() and (colors[1, 0] == colors[1, 1]).all()
    assert (colors[2] == 128).all()


def test_heat_colors_do_not_share_memory() -> None:
    first = heat_colors(np.array([0.25]))
    first[:] = 0
    assert heat_colors(np.array([0.25])).any()


def test_unit_range_of_a_constant_map_is_zero() -> None:
    assert (to_unit_range(np.full(4, 0.3), (0.3, 0.3)) == 0).all()
    np.testing.assert_allclose(to_unit_range(np.array([0.2, 0.3, 0.4]), (0.2, 0.4)), [0, 0.5, 1], atol=1e-6)


def test_overlay_mixes_by_opacity_and_leaves_missing_values_bare() -> None:
    grey = np.full((2, 5, 4), 200, dtype=np.uint8)
    heat = np.full((2, 5, 4), 0.9, dtype=np.float32)
    heat[:, 0] = np.nan
    mixed = overlay(grey, heat, 0.5)
    assert mixed.shape == (2, 5, 4, 3)
    assert (mixed[:, 0] == 200).all()
    expected = (heat_colors(np.array(0.9)).astype(float) + 200) / 2
    np.testing.assert_allclose(mixed[:, 1:], np.broadcast_to(expected, (2, 4, 4, 3)), atol=0.51)
    color = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_array_equal(overlay(color, heat, 0.5), mixed)
    np.testing.assert_array_equal(overlay(color, heat, 0.0), color)


def test_outline_draws_only_around_the_border_of_the_mask() -> None:
    picture = np.full((60, 60, 3), 90, dtype=np.uint8)
    mask = np.zeros((60, 60))
    mask[20:41, 20:41] = 1
    drawn = outline(picture, mask)
    changed = (drawn != 90).any(axis=-1)
    assert changed[20, 20:41].all() and changed[20:41, 40].all()
    assert not changed[24:37, 24:37].any() and not changed[:18].any()
    assert (picture == 90).all(), "the picture that was given stays as it was"


def test_scores_in_views_keep_the_highest_visible_point_of_a_pixel() -> None:
    correspondences = np.zeros((2, 5, 3), dtype=np.int16)
    correspondences[0] = [[10, 5, 1], [10, 5, 1], [20, 5, 0], [30, 9, 1], [11, 5, 1]]
    correspondences[1, 2] = [31, 31, 1]
    pictures = scores_in_views(correspondences, np.array([0.2, 0.6, 0.9, 0.4, 0.1]), 32)
    assert pictures[0, 5, 10] == np.float32(0.6), "column 10, row 5"
    assert np.isnan(pictures[0, 5, 20]), "a hidden point is not painted"
    assert pictures[0, 9, 30] == np.float32(0.4)
    assert pictures[1, 31, 31] == np.float32(0.9) and np.isnan(pictures[1, 0, 0])


def test_scores_in_views_fill_the_gaps_of_a_sparse_cloud_and_nothing_beyond() -> None:
    columns, rows = np.meshgrid(np.arange(20, 61, 4), np.arange(20, 61, 4))
    points = np.stack([columns.ravel(), rows.ravel(), np.ones(columns.size)], axis=-1).astype(np.int16)
    scores = (points[:, 0] > 40).astype(np.float32)
    picture = scores_in_views(points[None], scores, 100)[0]
    assert not np.isnan(picture[20:61, 20:61]).any()
    assert (picture[20:61, 20:39] == 0).all() and (picture[20:61, 44:61] == 1).all()
    assert np.isnan(picture[:11]).all() and np.isnan(picture[:, 70:]).all()


def test_sheet_shows_the_heat_where_the_map_is_high() -> None:
    heat = np.zeros((336, 336), dtype=np.float32)
    heat[300:, 300:] = 1
    sheet = sample_sheet("one map", maps={"point": heat})
    red = (sheet[..., 0] > 120) & (sheet[..., 1] < 40) & (sheet[..., 2] < 40)
    red = red[:, : MAP_SIZE + 16]  # without the colour bar
    rows, columns = np.nonzero(red)
    assert rows.size > 500
    assert rows.min() > MAP_SIZE * 0.85 and columns.min() > MAP_SIZE * 0.85


def test_sheet_is_made_from_whatever_is_there() -> None:
    random = np.random.default_rng(0)
    views = random.integers(0, 255, (9, 336, 336), dtype=np.uint8)
    views_gt = np.zeros_like(views)
    views_gt[4, 100:200, 100:200] = 255
    everything = sample_sheet(
        "class · defect · 000",
        rgb=random.integers(0, 255, (336, 336, 3), dtype=np.uint8),
        mask=views_gt[4],
        maps={"point": random.random((336, 336)), "fused": random.random((336, 336))},
        views=views,
        views_gt=views_gt,
        view_rows={"own map": random.random((9, 336, 336))},
        view_labels=[f"x {degrees}" for degrees in range(9)],
        heat_range=(0.0, 1.0),
    )
    without_color = sample_sheet("real", views=views, view_rows={"own map": random.random((9, 336, 336))})
    assert everything.dtype == np.uint8 and everything.ndim == 3 and everything.shape[2] == 3
    assert without_color.shape[0] < everything.shape[0]
    assert sample_sheet("nothing").shape[0] > 0


def test_sheet_keeps_the_proportions_of_a_wide_picture() -> None:
    wide = np.zeros((100, 400, 3), dtype=np.uint8)
    sheet = sample_sheet("wide", rgb=wide)
    black = (sheet[40:, : MAP_SIZE + 16] == 0).all(axis=-1)
    rows, columns = np.nonzero(black)
    assert np.ptp(columns) + 1 == MAP_SIZE
    assert np.ptp(rows) + 1 == pytest.approx(MAP_SIZE / 4, abs=1)

"""The sample sheet and scores seen from the views: the colours stand where the values are."""

import numpy as np
import pytest

from pointad.visualization.sheets import MAP_SIZE, sample_sheet, scores_in_views


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
    mask = np.zeros(views.shape[1:], np.uint8)
    mask[100:200, 100:200] = 255
    everything = sample_sheet(
        "class · defect · 000",
        rgb=random.integers(0, 255, (336, 336, 3), dtype=np.uint8),
        mask=mask,
        maps={"point": random.random((336, 336)), "fused": random.random((336, 336))},
        views=views,
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


@pytest.mark.parametrize("low", [0.0123, 8.85e-05, -1.23e-05])
def test_numbers_of_the_colour_bar_fit(low: float) -> None:
    """A column of white is left at the right of the sheet, however long the numbers are."""
    values = np.linspace(low, 0.98, 64 * 64, dtype=np.float32).reshape(64, 64)
    for arguments in (
        {"maps": {"point": values}},
        {"views": np.zeros((2, 64, 64), np.uint8), "view_rows": {"m": [values] * 2}},
    ):
        sheet = sample_sheet("", **arguments, heat_range=(low, 0.98))  # type: ignore[arg-type]
        assert (sheet[:, -4:] == 255).all()

"""Heat colours, overlays and outlines: the colours stand where the values are."""

import numpy as np

from pointad.visualization.heat import heat_colors, outline, overlay, to_unit_range


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

"""Pixels and visibility beside plain loops and beside the stored goldens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointad.rendering.correspondence import nearest_visible, picture_pixels, surface_visible
from pointad.rendering.splatting import DrawnPoints, splat


def visible_by_loop(pixels: np.ndarray, nearness: np.ndarray) -> np.ndarray:
    winners: dict[tuple[int, int], int] = {}
    for index, (pixel, near) in enumerate(zip(pixels.T, nearness, strict=True)):
        key = (int(pixel[0]), int(pixel[1]))
        if key not in winners or near > nearness[winners[key]]:
            winners[key] = index
    visible = np.zeros(len(nearness), bool)
    visible[list(winners.values())] = True
    return visible


@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_nearest_point_of_a_pixel_is_visible(seed: int, count: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, size, (2, count)).astype(np.int16)
    nearness = generator.integers(-3, 3, count) / 4  # with ties
    np.testing.assert_array_equal(nearest_visible(pixels, nearness, size), visible_by_loop(pixels, nearness))


def test_nearest_visible_equals_the_goldens(golden_units: dict[str, np.ndarray]) -> None:
    cases = [name.split("/")[1] for name in golden_units if name.startswith("vis/") and name.endswith("/points")]
    assert cases
    for case in cases:
        pixels = golden_units[f"vis/{case}/pixels"].T
        visible = nearest_visible(
            pixels, golden_units[f"vis/{case}/points"][:, 2], int(golden_units[f"vis/{case}/size"])
        )
        np.testing.assert_array_equal(visible, golden_units[f"vis/{case}/visible"])


def test_truncated_pixels_follow_the_published_formula() -> None:
    columns, rows = np.array([-50.0, -0.4, 0.0, 511.5, 1023.4, 2000.0]), np.array([3.05, 3.04, 6.1, 1.0, 0.2, -9.0])
    pixels = picture_pixels(columns, rows, 1024, 336)
    np.testing.assert_array_equal(pixels, [[0, 0, 0, 167, 335, 335], [1, 0, 2, 0, 0, 0]])


def test_centred_pixels_contain_their_points() -> None:
    columns = np.array([0.0, 2.5, 2.6, 1023.4, -0.4])
    # A picture pixel spans 1024 / 336 = 3.05 window pixels, and window pixel k reaches from k - 0.5 to k + 0.5.
    expected = np.floor((columns + 0.5) / (1024 / 336))
    pixels = picture_pixels(columns, columns, 1024, 336, centred=True)
    np.testing.assert_array_equal(pixels, [expected, expected])


@pytest.mark.parametrize(("tolerance", "hidden_seen"), [(0.1, False), (2.0, True)])
def test_surface_hides_what_lies_behind_its_splats(tolerance: float, hidden_seen: bool) -> None:
    # Front points 4 pixels apart, drawn 5 pixels wide; the back point lies in a gap between their centres.
    nearness = np.array([1.0, 1.0, 0.95, 0.0, 1.0])
    columns, rows = np.array([10.0, 14.0, 14.0, 12.0, 50.0]), np.array([10.0, 10.0, 10.0, 10.0, 10.0])
    order = np.array([0, 1, 2, 3])  # the last point is outside of the window and not drawn
    x, y = (columns[order] + 0.5) / 16 - 1, 1 - (rows[order] + 0.5) / 16
    drawn = DrawnPoints(order, x.astype(np.float32), y.astype(np.float32))
    layer = splat(drawn, np.zeros(4, np.uint8), 255, 32, 5)
    visible = surface_visible(columns, rows, nearness, drawn, layer, tolerance)
    np.testing.assert_array_equal(visible, [True, True, True, hidden_seen, False])

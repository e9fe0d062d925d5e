"""Drawing beside a naive twin that fills every square and keeps the nearest."""

import numpy as np
import pytest

from pointad.rendering.camera import Camera, look_at
from pointad.rendering.splatting import DrawnPoints, Layer, draw_order, splat


def in_window(layer: Layer, background: int, window: int) -> np.ndarray:
    picture = np.full((window, window), background, np.uint8)
    height, width = layer.cells.shape
    picture[layer.top : layer.top + height, layer.left : layer.left + width] = layer.values
    return picture


def drawn_naively(drawn: DrawnPoints, values: np.ndarray, background: int, window: int, size: int) -> np.ndarray:
    """Back to front, each point paints the pixels whose centres lie in its square."""
    picture = np.full((window, window), background, np.uint8)
    centers = np.arange(window) + 0.5
    for x, y, value in zip(drawn.x[::-1], drawn.y[::-1], values[::-1], strict=True):
        column, row = (np.float64(position) * window / 2 + window / 2 for position in (x, -y))
        # Positions are snapped to 1/256 pixel; a pixel centre on the left or lower border belongs to the square.
        column = np.floor((column - 0.5) * 256 + 0.5) / 256 + 0.5
        row = window - (np.floor((window - row - 0.5) * 256 + 0.5) / 256 + 0.5)
        columns = (centers >= column - size / 2) & (centers < column + size / 2)
        rows = (centers > row - size / 2) & (centers <= row + size / 2)
        picture[np.ix_(rows, columns)] = value
    return picture


@pytest.mark.parametrize("size", [1, 2, 5, 6, 13])
@pytest.mark.parametrize("focused", [False, True])
def test_splats_equal_naive_squares(size: int, focused: bool) -> None:
    generator = np.random.default_rng(size)
    count, window, background = 400, 64, 17
    x, y = generator.uniform(-1, 1, (2, count)).astype(np.float32)
    drawn = DrawnPoints(np.arange(count), x, y)
    values = generator.integers(0, 256, count).astype(np.uint8)
    expected = drawn_naively(drawn, values, background, window, size)
    if not focused:
        np.testing.assert_array_equal(
            in_window(splat(drawn, values, background, window, size), background, window), expected
        )
        return
    focus = (x > 0.3) & (y > 0.2) & (y < 0.6)
    layer = splat(drawn, values, background, window, size, focus)
    reached = (drawn_naively(drawn, focus * np.uint8(255), 0, window, size) > 0).nonzero()
    actual = in_window(layer, background, window)
    np.testing.assert_array_equal(actual[reached], expected[reached])
    assert layer.cells.size < window * window


def test_ranks_name_the_winner() -> None:
    drawn = DrawnPoints(np.array([5, 2]), np.float32([0, 0.1]), np.float32([0, 0.1]))
    layer = splat(drawn, np.uint8([10, 20]), 255, 20, 3)
    assert set(layer.ranks.ravel()) == {-1, 0, 1}
    np.testing.assert_array_equal(layer.values, np.choose(layer.ranks + 1, [255, 10, 20]))


def test_nothing_to_draw() -> None:
    nothing = DrawnPoints(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))
    assert splat(nothing, np.zeros(0, np.uint8), 255, 64, 3).cells.size == 0


def test_nearer_points_come_first_and_ties_go_to_the_earlier() -> None:
    points = np.array([[0.0, 0.5, -0.5, 0.1], [0.0, 0.5, -0.5, 0.2], [0.0, 0.5, 0.5, 0.0]])
    np.testing.assert_array_equal(draw_order(points, look_at(points)).order, [1, 2, 0, 3])


def test_points_outside_of_the_window_or_behind_the_eye_are_not_drawn() -> None:
    camera = Camera(np.zeros(3), 1.0, 1.2)
    points = np.array([[0.0, 0.9, 0.0, 0.0], [0.0, 0.0, -0.9, 0.0], [0.0, 0.0, 0.0, 1.5]])
    np.testing.assert_array_equal(draw_order(points, camera).order, [0])

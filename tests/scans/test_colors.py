"""Columns of numbers as colours."""

import numpy as np
import pytest

from pointad.scans.colors import colors_from_named

COLORS = np.random.default_rng(0).integers(0, 256, (50, 3)).astype(np.uint8)
COLORS[0] = 255


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("above", [0, 1e-6, 0.004])
def test_floats_slightly_above_their_range_are_as_bright_as_others(largest: float, kind: type, above: float) -> None:
    values = (COLORS / 255 * largest).astype(kind)
    values[0] *= 1 + above
    np.testing.assert_array_equal(colors_from_named(values), COLORS)


def test_whole_numbers_above_255_have_16_bits() -> None:
    np.testing.assert_array_equal(colors_from_named(COLORS.astype(np.uint16) * 257), COLORS)
    assert colors_from_named(np.full((4, 3), 256, np.uint16)).max() == 1  # type: ignore[union-attr]

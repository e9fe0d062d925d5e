"""Resizing of the touched part beside resizing of the whole window."""

import numpy as np
import pytest

from pointad.files.pictures import resize_picture
from pointad.rendering.resizing import resize_layer
from pointad.rendering.splatting import Layer


@pytest.mark.parametrize(("window", "size"), [(1024, 336), (1036, 336), (1024, 300), (1000, 224), (500, 333)])
@pytest.mark.parametrize("background", [0, 255])
def test_only_the_touched_part_is_resized(window: int, size: int, background: int) -> None:
    generator = np.random.default_rng(window + size)
    for _ in range(12):
        top, left = generator.integers(0, window - 1, 2)
        height, width = generator.integers(1, window - top + 1), generator.integers(1, window - left + 1)
        values = generator.choice([0, 255, 90], (height, width))
        whole = np.full((window, window), background, np.uint8)
        whole[top : top + height, left : left + width] = values
        layer = Layer(values.astype(np.int32) + 0x10000000, int(top), int(left))
        np.testing.assert_array_equal(resize_layer(layer, background, window, size), resize_picture(whole, size))


def test_empty_layer_is_background() -> None:
    assert (resize_layer(Layer(np.zeros((0, 0), np.int32), 0, 0), 255, 1024, 336) == 255).all()

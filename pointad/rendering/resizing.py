"""From the window's picture to the size that the image encoder takes."""

import numpy as np
from PIL import Image


def resize(picture: np.ndarray, size: int) -> np.ndarray:
    """A grey picture (W, W) uint8 brought to (size, size) by Pillow's antialiased bicubic filter."""
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))

"""Reads, resizes and writes pictures; every failure names the file."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from pointad.errors import InputError
from pointad.files.atomic import atomic_path

LARGEST_SIDE = 16_384
"""Pixels; a picture with a longer side is refused before it is decoded."""

_MODES = {"RGB": "RGB", "grey": "L"}


def read_picture(path: str | Path, mode: str) -> np.ndarray:
    """Read a picture file as 8-bit values.

    Args:
        path: a PNG or any other format that Pillow reads.
        mode: "RGB" for three channels, "grey" for one. A grey file asked for as "RGB" has three equal channels.

    Returns:
        (H, W, 3) or (H, W) uint8.

    Raises:
        InputError: the file is missing, truncated, too large or no picture.
    """
    return _decode(Path(path), _MODES[mode])


def read_mask(path: str | Path) -> np.ndarray:
    """Read a ground-truth mask of any bit depth: whatever is above 0 is anomalous.

    Returns:
        (H, W) uint8, 0 or 255.

    Raises:
        InputError: as in `read_picture`.
    """
    values = _decode(Path(path), None)
    if values.ndim == 3:
        # An opaque alpha channel, the last of two or four, would mark every pixel.
        values = values[..., : 3 if values.shape[-1] > 2 else 1].max(axis=-1)
    return np.where(values > 0, 255, 0).astype(np.uint8)


def read_depth_picture(path: str | Path) -> np.ndarray:
    """Read a one-channel picture of up to 16 bits at full precision.

    Returns:
        (H, W) integers as stored.

    Raises:
        InputError: as in `read_picture`, or the picture has several channels.
    """
    values = _decode(Path(path), None)
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise InputError(path, f"is not a one-channel integer picture (shape {values.shape})", "give the depth picture")
    return values


def resize_picture(picture: np.ndarray, size: int, method: str) -> np.ndarray:
    """Resize 8-bit values to a square, antialiased and rounded as Pillow does.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        size: side of the result in pixels.
        method: "bicubic" or "bilinear".

    Returns:
        (size, size) or (size, size, 3) uint8.
    """
    resampling = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}[method]
    return np.asarray(Image.fromarray(picture).resize((size, size), resampling))


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write (H, W) or (H, W, 3) uint8 as PNG, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        # Level 1 is five times as fast as the default and costs a tenth more space.
        Image.fromarray(picture).save(temporary, format="PNG", compress_level=1)


def _decode(path: Path, mode: str | None) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if max(picture.size) > LARGEST_SIDE:
                    raise InputError(
                        path,
                        f"is {picture.size[0]} x {picture.size[1]} pixels",
                        f"give a picture with sides of at most {LARGEST_SIDE} pixels",
                    )
                if mode is None and picture.mode in ("P", "1"):
                    mode = "L"
                return np.array(picture if mode is None else picture.convert(mode))
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "check the path, or render the data set again") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(path, f"is not a readable picture ({error})", "replace the file") from error

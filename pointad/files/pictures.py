"""Reads, resizes and writes pictures; every failure names the file."""

import logging
from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

from pointad.compute.silence import without_warnings
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.picture_decoding import FORMATS, decode_picture, tiff_tag

logger = logging.getLogger(__name__)

_ABOVE = 1.01  # times 1 or 255, to which interpolation takes floats
_MODES = {"RGB": "RGB", "grey": "L"}
_DEEP_MODES = ("I", "F")  # and I;16 in its byte orders
_DEEP_BYTES, _DEEPEST = 2, 65535
_SIGNED, _LARGEST_SIGNED = 2, 127  # a kind of values in a TIFF, and the largest one of a byte


def read_picture(path: str | Path, mode: str) -> np.ndarray:
    """Read a picture file as 8-bit values.

    Args:
        path: a PNG, JPEG, BMP, TIFF or WebP file; 16-bit grey is scaled to 8 bits, transparency is dropped, and the
            EXIF orientation is applied.
        mode: "RGB" for three channels, "grey" for one. A grey file read as "RGB" has three equal channels.

    Returns:
        (H, W, 3) or (H, W) uint8.

    Raises:
        InputError: the file is missing, truncated, too large or not a picture, or holds values below 0.
    """
    path = Path(path)
    picture = decode_picture(path)
    if picture.mode in _DEEP_MODES or picture.mode.startswith("I;16"):
        grey = _eight_bits(np.array(picture), path)
        return np.repeat(grey[..., None], 3, axis=-1) if mode == "RGB" else grey
    _refuse_signed(picture, path)
    picture.info.pop("transparency", None)  # of a palette, which Pillow would warn of
    wanted = _MODES[mode]
    return np.array(picture if picture.mode == wanted else picture.convert(wanted))  # which would copy it otherwise


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture from its file's header, without decoding it; None if it is not readable."""
    try:
        with without_warnings(), Image.open(path, formats=FORMATS) as picture:  # warnings about damaged tags
            return picture.size
    except Exception:  # on damaged tags Pillow fails in many ways, not only with its own errors
        return None


def read_depth_picture(path: str | Path) -> np.ndarray:
    """Read a one-channel 16-bit picture at full precision.

    Returns:
        (H, W) integers as stored.

    Raises:
        InputError: as in `read_picture`, or the picture has several channels or 8 bits.
    """
    values = np.array(decode_picture(Path(path), upright=False))
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise InputError(path, f"is not a one-channel integer picture (shape {values.shape})", "give the depth picture")
    if values.dtype.itemsize == 1:
        raise InputError(path, "is an 8-bit picture, expected 16 bits", "give the depth picture as recorded")
    if values.dtype.itemsize > _DEEP_BYTES and not 0 <= values.min(initial=0) <= values.max(initial=0) <= _DEEPEST:
        problem = f"has values below 0 or above {_DEEPEST}, expected 16 bits"  # in part as Pillow wraps them around
        raise InputError(path, problem, "give the depth picture as recorded")
    return values


def resize_picture(picture: np.ndarray, size: int) -> np.ndarray:
    """Resize 8-bit values to a square, bicubic with Pillow's antialiasing and rounding.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        size: side of the result in pixels.

    Returns:
        (size, size) or (size, size, 3) uint8.
    """
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write (H, W) or (H, W, 3) uint8 as PNG, atomically.

    Raises:
        InputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        # Level 1 is five times as fast as the default and takes a tenth more space.
        Image.fromarray(picture).save(temporary, format="PNG", compress_level=1)


def _refuse_signed(picture: Image.Image, path: Path) -> None:
    """Refuse values of a byte below 0, which Pillow takes for bright ones."""
    is_signed = _SIGNED in np.atleast_1d(tiff_tag(picture, TiffImagePlugin.SAMPLEFORMAT, 1))
    if is_signed and np.asarray(picture).max(initial=0) > _LARGEST_SIGNED:
        raise InputError(path, "has values below 0", "give an 8-bit or 16-bit picture")


def _eight_bits(values: np.ndarray, path: Path) -> np.ndarray:
    """Grey values of more than 8 bits, rescaled to 0 … 255."""
    largest = float(values.max(initial=0))
    if not np.isfinite(values).all() or values.min(initial=0) < 0 or largest > 65535:
        raise InputError(path, "has grey values below 0 or above 65535", "give an 8-bit or 16-bit picture")
    if values.dtype.kind == "f" and largest <= _ABOVE:
        scale = 255.0
    elif values.dtype.kind == "f" and largest <= 255 * _ABOVE:
        scale = 1.0
    else:
        scale = 255 / 65535
        if largest < 4096:
            logger.warning("%s: 16-bit values of at most %d, which gives a dark picture", path, largest)
    scaled = values * scale
    np.minimum(scaled, 255, out=scaled)
    return np.rint(scaled, out=scaled).astype(np.uint8)

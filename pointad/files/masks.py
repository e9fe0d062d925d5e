"""Reads ground-truth masks stored as grey values, colours, palettes or transparency."""

import logging
from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

from pointad.errors import InputError
from pointad.files.picture_decoding import LOSSY_FORMATS, TRANSPARENT, decode_picture, tiff_tag

logger = logging.getLogger(__name__)

_HALF = 127  # of 255
_SUSPICIOUS_SHARE = 0.5  # of the pixels
_OTHER_COLORS = ("CMYK", "YCbCr", "LAB", "HSV")  # in which black is not 0
_LOSSY_COMPRESSIONS = ("jpeg", "tiff_jpeg", "webp")  # of a TIFF
_ONE_BIT, _FOUR_BYTES = "1", "I"  # modes
_WHITE_IS_ZERO, _SIGNED = 0, 2
_EXTRA_SAMPLES, _UNSPECIFIED = 338, 0  # a tag, and its value for channels beside colours that are no transparency


def read_mask(path: str | Path) -> np.ndarray:
    """Read a ground-truth mask, grey of up to 32 bits or colours of up to 16: every pixel above 0 is anomalous.

    The indices of a palette are labels, of which 0 is normal, unless the palette maps 0 to a colour other than black
    and another index to black. Transparency is the mask if the colours hold none; otherwise transparent pixels are
    normal. In lossy formats, which leave small values around the marked region, pixels above half are anomalous.
    Arrays of bool that tifffile wrote are read as they were, though other programs show what is True as black.

    Returns:
        (H, W) uint8, 0 or 255.

    Raises:
        InputError: the file is not a picture, holds several, values below 0 or channels of unknown meaning, or marks
            every pixel.
    """
    path = Path(path)
    picture = decode_picture(path, is_mask=True)
    if _UNSPECIFIED in np.atleast_1d(tiff_tag(picture, _EXTRA_SAMPLES, ())):  # which Pillow drops or calls alpha
        problem = "has a channel that is neither colour nor transparency"
        raise InputError(path, problem, "give a mask of one channel")
    if picture.mode in _OTHER_COLORS:
        picture = _in_rgb(picture)
    if picture.mode == "P":
        marked = _visible(_palette_mask(picture, path), _opaque_indices(picture))
    else:
        marked = _value_mask(_values(picture, path), path, picture)
    if _holds_flags(picture):
        marked = ~marked
    if marked.all():
        raise InputError(path, "marks every pixel as anomalous", "give a mask that is 0 where the object is normal")
    if marked.mean() > _SUSPICIOUS_SHARE:
        message = "%s: marks %.0f %% of the picture as anomalous; it may be inverted (values above 0 are anomalous)"
        logger.warning(message, path, 100 * marked.mean())
    return np.where(marked, 255, 0).astype(np.uint8)


def _holds_flags(picture: Image.Image) -> bool:
    """Whether tifffile wrote an array of bool, which it does so that True is shown as black, and read as False."""
    shown = tiff_tag(picture, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, None)
    is_inverted = picture.mode == _ONE_BIT and shown == _WHITE_IS_ZERO
    return is_inverted and str(tiff_tag(picture, TiffImagePlugin.SOFTWARE, "")).startswith("tifffile")


def _values(picture: Image.Image, path: Path) -> np.ndarray:
    """The values of all pixels; Pillow takes four bytes as signed and single bytes as not."""
    values = np.array(picture)
    kinds = np.atleast_1d(tiff_tag(picture, TiffImagePlugin.SAMPLEFORMAT, 1))
    if picture.mode == _FOUR_BYTES and _SIGNED not in kinds:
        values = values.view(np.uint32)
    if values.dtype == np.uint8 and _SIGNED in kinds:
        values = values.view(np.int8)
    wrong = int(np.count_nonzero(~(values >= 0)))
    if wrong:
        problem = f"has values below 0 or NaN ({wrong})"
        raise InputError(path, problem, "give a mask that is 0 where the object is normal, and above 0 elsewhere")
    return values


def _value_mask(values: np.ndarray, path: Path, picture: Image.Image) -> np.ndarray:
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[-1] in (2, 4):
        colors, opaque = values[..., :-1], values[..., -1] > 0
    else:
        colors = values[..., :3]
        opaque = _opaque_colors(colors, path, picture)
    return _visible(_above(colors.max(axis=-1), path, picture), opaque)


def _visible(shown: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """What is marked of what colours show, where some of it is transparent."""
    if opaque.all() or not opaque.any():
        return shown
    return opaque if not shown.any() else shown & opaque


def _opaque_colors(colors: np.ndarray, path: Path, picture: Image.Image) -> np.ndarray:
    """Where pixels (H, W, C) are not of the one colour that a PNG without an alpha channel may call transparent."""
    transparent = picture.info.get(TRANSPARENT)
    if transparent is None:
        return np.ones(colors.shape[:2], bool)
    if colors.dtype == np.bool_:
        colors = np.where(colors, 255, 0)
    if np.size(transparent) != colors.shape[-1] or (colors.dtype == np.uint8 and np.max(transparent) > 255):
        problem = "has a transparent colour of more than 8 bits"
        raise InputError(path, problem, "give a mask without transparency")
    return (colors != np.asarray(transparent)).any(axis=-1)


def _opaque_indices(picture: Image.Image) -> np.ndarray:
    """Where the indices of a picture with a palette are not transparent, (H, W) bool."""
    labels = np.array(picture)
    transparent = picture.info.get(TRANSPARENT)
    if isinstance(transparent, bytes):
        alpha = np.full(256, 255, np.uint8)
        alpha[: len(transparent)] = np.frombuffer(transparent[:256], np.uint8)
        return alpha[labels] > 0
    return labels != transparent if isinstance(transparent, int) else np.ones(labels.shape, bool)


def _in_rgb(picture: Image.Image) -> Image.Image:
    converted = picture.convert("RGB")
    converted.format = picture.format
    return converted


def _above(values: np.ndarray, path: Path, picture: Image.Image) -> np.ndarray:
    is_lossy = picture.format in LOSSY_FORMATS or picture.info.get("compression") in _LOSSY_COMPRESSIONS
    if not is_lossy:
        return values > 0
    if 0 < values.max() <= _HALF:
        problem = f"has values of at most {values.max()}, which a lossy format cannot distinguish from 0"
        raise InputError(path, problem, "give the mask as PNG")
    return values > _HALF


def _palette_mask(picture: Image.Image, path: Path) -> np.ndarray:
    labels = np.array(picture)
    colors = np.array(picture.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    used = np.unique(labels)
    black = [label for label in used.tolist() if label < len(colors) and not colors[label].any()]
    if len(colors) and colors[0].any() and black:
        logger.warning("%s: label %d of its palette is black and is taken as normal instead of label 0", path, black[0])
        return ~np.isin(labels, black)
    return labels > 0

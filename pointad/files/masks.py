"""Reads ground-truth masks however they are stored: grey, colours, palettes, transparency."""

import logging
from pathlib import Path

import numpy as np
from PIL import Image

from pointad.errors import InputError
from pointad.files.picture_decoding import LOSSY_FORMATS, decode_picture

logger = logging.getLogger(__name__)

_HALF = 127  # of 255


def read_mask(path: str | Path) -> np.ndarray:
    """Read a ground-truth mask of any bit depth: whatever is above 0 is anomalous.

    A palette's numbers are labels, of which 0 is normal, unless the palette shows 0 in another colour than black and
    another number in black. Transparency tells the mask where the colours do not; otherwise what is transparent is
    normal. In lossy formats, which write small values around what was marked, anomalous is what is above half.

    Returns:
        (H, W) uint8, 0 or 255.

    Raises:
        InputError: the file is no picture, or marks every pixel.
    """
    path = Path(path)
    picture = decode_picture(path)
    marked = _palette_mask(picture, path) if picture.mode == "P" else _value_mask(np.array(picture), path, picture)
    if marked.all():
        raise InputError(path, "marks every pixel as anomalous", "give a mask that is 0 where the object is normal")
    return np.where(marked, 255, 0).astype(np.uint8)


def _value_mask(values: np.ndarray, path: Path, picture: Image.Image) -> np.ndarray:
    if values.ndim == 2:
        return _above(values, path, picture)
    has_alpha = values.shape[-1] in (2, 4) and picture.mode != "CMYK"
    if not has_alpha:
        return _above(values[..., :3].max(axis=-1), path, picture)
    shown, opaque = _above(values[..., :-1].max(axis=-1), path, picture), values[..., -1] > 0
    if opaque.all() or not opaque.any():
        return shown
    return opaque if not shown.any() else shown & opaque


def _above(values: np.ndarray, path: Path, picture: Image.Image) -> np.ndarray:
    if picture.format not in LOSSY_FORMATS:
        return values > 0
    if 0 < values.max() <= _HALF:
        problem = f"has values up to {values.max()} only, which a lossy format cannot keep apart from 0"
        raise InputError(path, problem, "give the mask as PNG")
    return values > _HALF


def _palette_mask(picture: Image.Image, path: Path) -> np.ndarray:
    labels = np.array(picture)
    colors = np.array(picture.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    used = np.unique(labels)
    black = [label for label in used.tolist() if label < len(colors) and not colors[label].any()]
    if len(colors) and colors[0].any() and black:
        logger.warning("%s: label %d of its palette is black and taken for normal, not label 0", path, black[0])
        return ~np.isin(labels, black)
    return labels > 0

"""Decodes picture files with Pillow, within bounds: five formats only, and no memory for what a file merely claims."""

import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from pointad.compute.silence import without_warnings
from pointad.errors import InputError, PointADError, reason
from pointad.files.bounds import check_claim
from pointad.files.deep_colors import correct_packing, has_deep_colors, is_dark, larger_bytes
from pointad.files.laborious_pictures import MOST_IMAGES, laborious_beginning, laborious_content, largest_tile
from pointad.files.regular import read_bytes

logger = logging.getLogger(__name__)

LARGEST_SIDE = 16_384
"""Pixels; a picture with a longer side is refused before it is decoded."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
"""The formats that are decoded, whatever the file is called: for some others Pillow starts external programs."""

LOSSY_FORMATS = ("JPEG", "MPO", "WEBP")
TRANSPARENT = "transparency"  # in the information of a picture: what is transparent, without an alpha channel
_TIFF_SIGNS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two of BigTIFF
_PLACES = (273, 279, 324, 325)  # tags of strips and tiles: where each begins, and its length
_SPREAD = {"L;2": 0x55, "L;4": 0x11}  # what Pillow multiplies grey values of so many bits by
_WRITE_ANEW = "write it anew with an ordinary program"
_DEEPEST = 8  # bytes of a pixel with four channels of 16 bits
_USUAL = 4  # bytes of a pixel once it is converted to RGB, as Pillow keeps it, whatever it takes in the file
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # that undo the orientations of EXIF


def decode_picture(path: Path, *, upright: bool = True, is_mask: bool = False) -> Image.Image:
    """Decode a picture in its stored mode.

    Args:
        path: a PNG, JPEG, BMP, TIFF or WebP file.
        upright: rotate it as its EXIF orientation tag says, which is logged; invert 16-bit grey in which 0 is white.
        is_mask: of several pictures in a file, none can be chosen; no value but 0 becomes 0, as small 16-bit ones do.

    Returns:
        The decoded picture; its `format` is the file's.

    Raises:
        InputError: the file is missing, truncated, too large, of an unsupported format or not a picture; or a mask of
            several pictures.
    """
    content = read_bytes(path)  # Pillow allocates what a file claims; from memory, no more than there is
    problem = laborious_beginning(content)
    if problem is not None:
        raise InputError(path, problem, _WRITE_ANEW)
    try:
        # Warnings are about decompression bombs, which are checked here, and damaged tags.
        with without_warnings(), Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _check_size(picture, path, len(content))
            if picture.format == "TIFF":
                check_claim(path, largest_tile(content) * _DEEPEST, len(content), "a tile")
                if any(0 in np.atleast_1d(tiff_tag(picture, tag, 1)) for tag in _PLACES):  # others would be read for it
                    raise InputError(path, "lacks some of its strips or tiles", "write it with all of its pixels")
            problem = laborious_content(picture, content)
            if problem is not None:
                raise InputError(path, problem, _WRITE_ANEW)
            if _has_others(picture, content):
                if is_mask:
                    raise InputError(path, "holds several pictures", "give one mask, with all defects")
                logger.warning("%s: holds several pictures, of which the first is read", path)
            turned = tiff_tag(picture, ExifTags.Base.Orientation, 1) in _TURNS  # TIFFs, as they are decoded
            transparent = _transparent(picture) if is_mask else None
            decoded = _decoded(picture, content, path, is_mask)
            if upright and _is_white_zero(picture):
                decoded = Image.fromarray(0xFFFF - np.array(decoded, dtype=np.uint16))
            turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
            if upright and turn is not None:
                decoded, turned = decoded.transpose(turn), True
            elif turn is not None and not turned:
                logger.warning("%s: its orientation tag is not followed", path)
            decoded.format = picture.format
            if transparent is not None:
                decoded.info[TRANSPARENT] = transparent
    except (PointADError, MemoryError):
        raise
    except Exception as error:  # on damaged tags Pillow fails in many ways, not only with its own errors
        problem = "not an image" if isinstance(error, UnidentifiedImageError) else reason(error)
        remedy = f"give a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
        if isinstance(error, UnidentifiedImageError) and content.startswith(_TIFF_SIGNS):
            problem = "a damaged TIFF, or one with values of another kind, such as 64 bits"
            remedy = "write it with values of 8 or 16 bits"
        raise InputError(path, f"is not a readable picture ({problem})", remedy) from error
    if turned:
        logger.warning("%s: rotated as its orientation tag says", path)
    return decoded


def tiff_tag(picture: Image.Image, number: int, default: Any) -> Any:
    """A tag of an opened TIFF; the default if it is missing or damaged, and for other formats."""
    with without_warnings():  # about damaged tags
        try:
            return getattr(picture, "tag_v2", {}).get(number, default)
        except Exception:  # tags are decoded when they are asked for, and fail in many ways
            return default


def _transparent(picture: ImageFile.ImageFile) -> Any:
    """What of a PNG without an alpha channel is transparent: a value, a colour, an index, or the alpha of each index.

    Of pictures of less than a byte, Pillow spreads the values over the byte, but not this one.
    """
    stated = picture.info.get(TRANSPARENT)
    packing = picture.tile[0][3] if picture.tile else ""
    return stated * _SPREAD.get(packing, 1) if isinstance(stated, int) and isinstance(packing, str) else stated


def _decoded(picture: ImageFile.ImageFile, content: bytes, path: Path, is_mask: bool) -> Image.Image:
    """The picture itself, decoded, or for masks of 16-bit colours another that keeps small values."""
    correct_packing(picture)
    is_deep = has_deep_colors(picture)  # which is no longer known once it is decoded
    picture.load()
    if is_deep and is_mask:
        return larger_bytes(content, str(picture.format))
    if is_deep and is_dark(picture):
        logger.warning("%s: 16-bit colours with values below 4096 only, which give a dark picture", path)
    return picture


def _is_white_zero(picture: ImageFile.ImageFile) -> bool:
    """Whether a picture is 16-bit grey in which 0 is white, which Pillow leaves as it is."""
    return picture.mode.startswith("I;16") and tiff_tag(picture, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 1) == 0


def _has_others(picture: Image.Image, content: bytes) -> bool:
    """Whether an opened PNG, WebP or TIFF goes on with a picture that is not smaller; smaller ones are previews."""
    if picture.format in ("PNG", "WEBP"):
        return bool(getattr(picture, "is_animated", False))
    if picture.format != "TIFF":
        return False
    with Image.open(io.BytesIO(content), formats=["TIFF"]) as other:
        for number in range(1, MOST_IMAGES):
            try:
                other.seek(number)
            except Exception:  # damaged tags fail in many ways
                return False  # there is none, or none that could be read
            if other.width >= picture.width or other.height >= picture.height:
                return True
    return True


def _check_size(picture: Image.Image, path: Path, held: int) -> None:
    width, height = picture.size
    if max(width, height) > LARGEST_SIDE:
        remedy = f"give a picture with sides of at most {LARGEST_SIDE} pixels"
        raise InputError(path, f"is {width} x {height} pixels", remedy)
    check_claim(path, width * height * _USUAL, held, "pixels")

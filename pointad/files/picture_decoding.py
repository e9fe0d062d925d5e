"""Decodes picture files with Pillow, within bounds: five formats only, and no memory for what a file merely claims."""

import io
import logging
import warnings
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from pointad.errors import InputError
from pointad.files.bounds import check_claim
from pointad.files.deep_colors import has_deep_colors, larger_bytes
from pointad.files.regular import read_bytes
from pointad.files.tiff_tiles import largest_tile

logger = logging.getLogger(__name__)

LARGEST_SIDE = 16_384
"""Pixels; a picture with a longer side is refused before it is decoded."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
"""The formats that are decoded, whatever the file is called: for some others Pillow starts external programs."""

LOSSY_FORMATS = ("JPEG", "MPO", "WEBP")
_DEEPEST = 8  # bytes of a pixel with four channels of 16 bits
_USUAL = 4  # bytes of a pixel once it is converted to RGB, as Pillow keeps it, whatever it takes in the file


def decode_picture(path: Path, *, upright: bool = True, is_mask: bool = False) -> Image.Image:
    """Decode a picture in its stored mode.

    Args:
        path: a PNG, JPEG, BMP, TIFF or WebP file.
        upright: rotate it as its EXIF orientation tag says; this is logged.
        is_mask: of several pictures in a file, none can be chosen; no value but 0 becomes 0, as small 16-bit ones do.

    Returns:
        The decoded picture; its `format` is the file's.

    Raises:
        InputError: the file is missing, truncated, too large, of an unsupported format or not a picture; or a mask of
            several pictures.
    """
    content = read_bytes(path)  # Pillow allocates what a file claims; from memory, no more than there is
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about decompression bombs, which are checked here, and damaged tags
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                _check_size(picture, path, len(content))
                if picture.format == "TIFF":
                    check_claim(path, largest_tile(content) * _DEEPEST, len(content), "a tile")
                if _has_others(picture, content):
                    if is_mask:
                        raise InputError(path, "holds several pictures of one size", "give one mask, with all defects")
                    logger.warning("%s: holds several pictures, of which the first is read", path)
                if is_mask and has_deep_colors(picture):
                    picture = larger_bytes(content)
                picture.load()
                if not upright or picture.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9):
                    return picture
                turned = ImageOps.exif_transpose(picture)
                turned.format = picture.format
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        problem = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
        if isinstance(error, UnidentifiedImageError) and path.suffix.lower() in (".tif", ".tiff"):
            problem = "not a TIFF, or of an unsupported kind, such as 16-bit colour"
        remedy = f"give a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
        raise InputError(path, f"is not a readable picture ({problem})", remedy) from error
    logger.warning("%s: rotated as its orientation tag says", path)
    return turned


def _has_others(picture: Image.Image, content: bytes) -> bool:
    """Whether an opened PNG, WebP or TIFF goes on with a picture of the same size; smaller ones are previews."""
    if picture.format in ("PNG", "WEBP"):
        return bool(getattr(picture, "is_animated", False))
    if picture.format != "TIFF":
        return False
    with Image.open(io.BytesIO(content), formats=["TIFF"]) as other:
        try:
            other.seek(1)
        except (EOFError, OSError, SyntaxError, ValueError, KeyError, TypeError):
            return False  # there is none, or none that could be read
        return other.size == picture.size


def _check_size(picture: Image.Image, path: Path, held: int) -> None:
    width, height = picture.size
    if max(width, height) > LARGEST_SIDE:
        remedy = f"give a picture with sides of at most {LARGEST_SIDE} pixels"
        raise InputError(path, f"is {width} x {height} pixels", remedy)
    check_claim(path, width * height * _USUAL, held, "pixels")

"""Decodes picture files with Pillow, within bounds: five formats by name, and nothing that a file only claims."""

import io
import logging
import warnings
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from pointad.errors import InputError
from pointad.files.bounds import check_claim
from pointad.files.regular import read_bytes

logger = logging.getLogger(__name__)

LARGEST_SIDE = 16_384
"""Pixels; a picture with a longer side is refused before it is decoded."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
"""What is decoded, whatever a file is called: Pillow starts other programs for some other formats."""

LOSSY_FORMATS = ("JPEG", "MPO", "WEBP")
_BYTES = {"1": 1, "L": 1, "P": 1, "LA": 2, "I": 4, "F": 4}


def decode_picture(path: Path, *, upright: bool = True) -> Image.Image:
    """Decode a picture in the mode that it is stored in.

    Args:
        path: a PNG, JPEG, BMP, TIFF or WebP file.
        upright: turn it as the camera's orientation tag says, which is logged.

    Returns:
        The decoded picture; its `format` is that of the file.

    Raises:
        InputError: the file is missing, truncated, too large, of another format or no picture.
    """
    content = read_bytes(path)  # Pillow allocates what a part of a file claims: from memory, no more than is there
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on bombs, which is checked here, and on damaged tags
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                _check_size(picture, path, len(content))
                picture.load()
                if not upright or picture.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9):
                    return picture
                turned = ImageOps.exif_transpose(picture)
                turned.format = picture.format
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        problem = "its content is none" if isinstance(error, UnidentifiedImageError) else str(error)
        if isinstance(error, UnidentifiedImageError) and path.suffix.lower() in (".tif", ".tiff"):
            problem = "no TIFF, or one of a kind that is not supported, such as 16-bit colour"
        remedy = f"give a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
        raise InputError(path, f"is not a readable picture ({problem})", remedy) from error
    logger.warning("%s: turned as its orientation tag says", path)
    return turned


def _check_size(picture: Image.Image, path: Path, held: int) -> None:
    width, height = picture.size
    if max(width, height) > LARGEST_SIDE:
        remedy = f"give a picture with sides of at most {LARGEST_SIDE} pixels"
        raise InputError(path, f"is {width} x {height} pixels", remedy)
    check_claim(path, width * height * _BYTES.get(picture.mode, 4), held, "pixels")

"""Reads 16-bit colours of PNGs and TIFFs: Pillow keeps the upper byte of each value, so that small values become 0."""

import io
import sys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageFile, TiffImagePlugin

_DEEP = ";16"  # in Pillow's name for how the values of a tile are packed; the byte order follows it
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_BIG_ENDIAN, _NATIVE = ";32B", ";32N"
_GREY = "LA;16B"  # unpacked as four channels, both bytes of each value
_PLANES = 2  # the TIFF stores one plane after another, not pixel by pixel
_BITS = 16
_DARK = 16  # of 256: twelve bits of sixteen


def has_deep_colors(picture: ImageFile.ImageFile) -> bool:
    """Whether an opened picture, not decoded yet, is a PNG or TIFF with several channels of 16 bits."""
    is_known = picture.format in ("PNG", "TIFF") and len(picture.getbands()) > 1 and bool(picture.tile)
    return is_known and _DEEP in _packing(picture.tile[0])


def correct_packing(picture: ImageFile.ImageFile) -> None:
    """Have the values of an opened TIFF decoded as they are: Pillow would take planes of 16 bits for planes of 8 bits.

    Compressed values of 32 bits have the byte order of this machine once libtiff has unpacked them, not the file's.
    """
    if picture.format == "TIFF" and picture.tile and picture.tile[0].codec_name == "libtiff":
        _repack(picture, lambda packing: packing.replace(_BIG_ENDIAN, _NATIVE))
    if not _has_planes(picture):
        return
    tags = picture.tag_v2  # type: ignore[attr-defined]
    if set(tags.get(TiffImagePlugin.BITSPERSAMPLE, ())) == {_BITS}:
        order = "B" if tags.prefix == b"MM" else "L"
        _repack(picture, lambda packing: f"{packing}{_DEEP}{order}" if len(packing) == 1 else packing)


def is_dark(picture: Image.Image) -> bool:
    """Whether all colours of a decoded picture of 16 bits are in the lowest sixteenth, as those of 12-bit cameras."""
    return int(np.asarray(picture.convert("RGB")).max(initial=0)) < _DARK


def larger_bytes(content: bytes, picture_format: str) -> Image.Image:
    """Decode such a picture to the larger of both bytes of each value: 0 only where the value is 0.

    Args:
        content: of the file.
        picture_format: "PNG" or "TIFF".

    Raises:
        ValueError: these are compressed planes, of which Pillow decodes the upper bytes only.
    """
    with Image.open(io.BytesIO(content), formats=[picture_format]) as lower:
        if _has_planes(lower) and lower.tile[0].codec_name == "libtiff":
            raise ValueError("compressed planes of 16 bits, which are read without small values")
        correct_packing(lower)
        is_grey = _packing(lower.tile[0]) == _GREY
        _repack(lower, _of_lower_bytes)
        lower.load()
    if is_grey:
        grey_upper, grey_lower, alpha_upper, alpha_lower = lower.split()
        grey, alpha = ImageChops.lighter(grey_upper, grey_lower), ImageChops.lighter(alpha_upper, alpha_lower)
        return Image.merge("LA", [grey, alpha])
    with Image.open(io.BytesIO(content), formats=[picture_format]) as upper:
        correct_packing(upper)
        upper.load()
    return ImageChops.lighter(lower, upper)


def _has_planes(picture: ImageFile.ImageFile) -> bool:
    return getattr(picture, "tag_v2", {}).get(TiffImagePlugin.PLANAR_CONFIGURATION) == _PLANES


def _of_lower_bytes(packing: str) -> str:
    return "RGBA" if packing == _GREY else packing[:-1] + _OTHER_ORDER[packing[-1]]


def _packing(tile: ImageFile._Tile) -> str:
    arguments = tile[3]
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _repack(picture: ImageFile.ImageFile, change: Callable[[str], str]) -> None:
    """Change how the values of each tile are taken to be packed."""
    tiles = []
    for tile in picture.tile:
        packing, arguments = change(_packing(tile)), tile[3]
        tiles.append(tile._replace(args=(packing, *arguments[1:]) if isinstance(arguments, tuple) else packing))
    picture.tile = tiles

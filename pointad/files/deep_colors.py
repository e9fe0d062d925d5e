"""Reads PNGs of 16-bit colours whole: Pillow keeps the upper byte of each value, so that small values become 0."""

import io

from PIL import Image, ImageChops, ImageFile

_LOWER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}  # how Pillow unpacks it: the lower bytes
_GREY = "LA;16B"  # read with four bytes a pixel, both of each value


def has_deep_colors(picture: ImageFile.ImageFile) -> bool:
    """Whether an opened picture, not decoded yet, is a PNG with several channels of 16 bits."""
    return picture.format == "PNG" and len(picture.tile) == 1 and picture.tile[0][3] in _LOWER


def larger_bytes(content: bytes) -> Image.Image:
    """Decode such a PNG to the larger of both bytes of each value: 0 only where the value is 0.

    Args:
        content: of the file.
    """
    with Image.open(io.BytesIO(content), formats=["PNG"]) as lower:
        *place, packing = lower.tile[0]
        lower.tile = [(*place, _LOWER[str(packing)])]
        lower.load()
    if packing == _GREY:
        grey_upper, grey_lower, alpha_upper, alpha_lower = lower.split()
        grey, alpha = ImageChops.lighter(grey_upper, grey_lower), ImageChops.lighter(alpha_upper, alpha_lower)
        return Image.merge("LA", [grey, alpha])
    with Image.open(io.BytesIO(content), formats=["PNG"]) as upper:
        upper.load()
    return ImageChops.lighter(lower, upper)

"""Organized scans as TIFF, in the arrangements that exporters choose."""

import io
import struct

import numpy as np
import tifffile

from dialects.base import GRID, GRID_COLORS, Dialect, with_holes

_XYZ = GRID.astype(np.float32)
_WHOLE = np.rint(GRID * 10 + [1000, 1000, 0]).astype(np.uint16)


def written(*images: tuple[np.ndarray, dict]) -> bytes:
    """What tifffile writes, one image after the other."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for values, options in images:
            file.write(values, **{"metadata": None, **options})
    return buffer.getvalue()


def _no_data(number: float) -> np.ndarray:
    xyz = _XYZ.copy()
    xyz.reshape(-1, 3)[[3, 77, 200]] = number
    return xyz


def _gdal(tag: int, text: str) -> tuple[int, str, int, str, bool]:
    return tag, "s", 0, text, True


_SCALE = '<GDALMetadata><Item name="SCALE" sample="2" role="scale">%s</Item></GDALMetadata>'
_SINGLE = {"photometric": "minisblack"}
_PREVIEW = (GRID_COLORS[::2, ::2], {"photometric": "rgb"})
_HOLES = with_holes([3, 77, 200], _XYZ.astype(float))
TIFF = {
    "interleaved": Dialect(".tiff", written((_XYZ, {"photometric": "rgb"})), _XYZ),
    "planes": Dialect(
        ".tif", written((np.moveaxis(_XYZ, -1, 0), {"photometric": "rgb", "planarconfig": "separate"})), _XYZ
    ),
    "pages": Dialect(".tiff", written(*((_XYZ[..., axis], _SINGLE) for axis in range(3))), _XYZ),
    "a preview first": Dialect(".tiff", written(_PREVIEW, (_XYZ, {"photometric": "rgb"})), _XYZ, log="image 2 of 2"),
    "a preview and pages": Dialect(
        ".tiff", written(_PREVIEW, *((_XYZ[..., axis], _SINGLE) for axis in range(3))), _XYZ
    ),
    "doubles": Dialect(".tiff", written((GRID, {"photometric": "rgb"})), _XYZ),
    "16-bit numbers": Dialect(
        ".tiff", written((_WHOLE, {"photometric": "rgb"})), _WHOLE.astype(float), log="not as colours"
    ),
    "-9999": Dialect(".tiff", written((_no_data(-9999), {"photometric": "rgb"})), _HOLES, log="no-data value"),
    "another scan": Dialect(
        ".tiff",
        written((_XYZ, {"photometric": "rgb"}), (_XYZ[:12], {"photometric": "rgb"})),
        _XYZ,
        log="holds 2 scans, of which the first",
    ),
    "GDAL's missing data": Dialect(
        ".tiff",
        written((_no_data(-7), {"photometric": "rgb", "extratags": [_gdal(42113, "-7")]})),
        _HOLES,
        log="3 of 480 points have the file's own no-data value -7 as z",
    ),
    "GDAL's neutral scales": Dialect(
        ".tiff", written((_XYZ, {"photometric": "rgb", "extratags": [_gdal(42112, _SCALE % "1")]})), _XYZ
    ),
    "1e10": Dialect(".tiff", written((_no_data(1e10), {"photometric": "rgb"})), _HOLES, log="no-data value"),
}

# Found by fuzzing: a small damaged file whose list of images leads back to itself after a while.
_ENDLESS = bytes.fromhex(
    "49492a00080000000e0000010400010000000600000001010400010000000a0000000201030003000000b60000000301"
    "030001000000010000000601030001000000020000001101040001000000e00000001501030001000000030000001601"
    "0400010000000a0000001701040001000000b40000001a01050001000000bc0000001b01050001000000c4000000"
) + 15 * bytes.fromhex("01000000bc0000001b01050001000000c4000000")


def _with_inner(count: int, tags: int = 0) -> bytes:
    """A scan that names its own directory, behind the first eight bytes, as so many images within it."""
    inner, stand_in = 330, 61_330  # tifffile does not write the former
    extra = [(60_000 + index, "H", 1, 7, True) for index in range(tags)]
    named = [(stand_in, "I", count, (8,) * count, True), *extra]
    content = written((_XYZ, {"photometric": "rgb", "extratags": named}))
    return content.replace(struct.pack("<HH", stand_in, 4), struct.pack("<HH", inner, 4))


REFUSED_TIFF = {
    "a list that leads back": (".tiff", _ENDLESS, "repeatedly"),
    "images within an image": (".tiff", _with_inner(1001), "has more than 1000 images"),
    "images within an image, of many tags": (".tiff", _with_inner(900, tags=30), "or 20000 tags in them"),
    "GDAL's scales": (
        ".tiff",
        written((_XYZ, {"photometric": "rgb", "extratags": [_gdal(42112, _SCALE % "0.01")]})),
        "a scale or an offset",
    ),
    "picture": (".tiff", written((GRID_COLORS, {"photometric": "rgb"})), "8-bit image"),
    "depth map": (".tiff", written((_XYZ[..., 2], _SINGLE)), "has shape (20, 24)"),
}

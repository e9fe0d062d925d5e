"""Reads and writes organized scans as TIFF files."""

import io
import logging
import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from pointad.errors import InputError, reason
from pointad.files.atomic import atomic_path
from pointad.files.bounds import check_claim
from pointad.files.regular import read_bytes
from pointad.scans.no_data import without_no_data
from pointad.scans.other_formats import HEIGHT_MAP_REMEDY
from pointad.scans.scan_file import MOST_POINTS

logger = logging.getLogger(__name__)

_MOST_IMAGES = 1000  # in one file; a scan has one, or three, and perhaps previews
_MOST_TAGS = 20_000  # in all of them, each of which tifffile compares with the others of its kind
_SCALING = re.compile(r"""(?:name|role)\s*=\s*["'](scale|offset)["']""", re.IGNORECASE)  # an attribute of GDAL's
_NEUTRAL = {"scale": ("1", "1.0"), "offset": ("0", "0.0")}
_LONGEST_METADATA = 100_000  # characters
_UPRIGHT = 1  # of the tag Orientation: the first row is at the top, the first column on the left
_REMEDY = "give a scan with x, y, z for every pixel"
_BOUNDED = ("NONE", "LZW", "DEFLATE", "ADOBE_DEFLATE", "PACKBITS", "LZMA", "ZSTD")
# The decoders of other compressions, such as JPEG 2000 or LERC, take what the compressed data claim, not the image.


def read_xyz_tiff(path: str | Path) -> np.ndarray:
    """The points of `read_tiff_scan`."""
    return read_tiff_scan(path)[0]


def read_tiff_scan(path: str | Path) -> tuple[np.ndarray, str]:
    """Read a scan with one point per pixel.

    Args:
        path: three samples per pixel, interleaved, as three planes or as three pages; images before it, such as a
            preview, are skipped.

    Returns:
        (H, W, 3) float32, or float64 where float32 could not hold the file's numbers; pixels with a non-finite or
        no-data value become holes (0, 0, 0). And in words, which numbers of the file they are.

    Raises:
        InputError: the file is missing, broken, of another shape, or an 8-bit image.
    """
    content = read_bytes(path)  # tifffile allocates what a tag claims; from memory, no more than exists
    try:
        # In files of these kinds one names others, which would be opened.
        with tifffile.TiffFile(io.BytesIO(content), is_ome=False, is_mmstack=False, is_ndtiff=False) as file:
            _check_directories(file, content, path)
            values, said = _scan_values(file, path, len(content))
    except (InputError, MemoryError):
        raise
    except Exception as error:  # broken bytes make tifffile's decoders raise arbitrary errors
        raise InputError(path, f"is not a readable TIFF file ({reason(error)})", "replace the file") from error
    with np.errstate(invalid="ignore", over="ignore"):  # signalling NaNs and numbers too large become holes
        precision = np.float32 if np.can_cast(values.dtype, np.float32) else np.float64
        xyz = np.ascontiguousarray(values, dtype=precision)
    xyz = without_no_data(xyz, path)
    if np.isfinite(xyz).all():
        return xyz, said
    return np.where(np.isfinite(xyz).all(axis=-1, keepdims=True), xyz, xyz.dtype.type(0)), said


def write_xyz_tiff(path: str | Path, xyz: np.ndarray) -> None:
    """Write (H, W, 3) float32, losslessly compressed, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary, xyz, photometric="rgb", compression="zlib", compressionargs={"level": 1}, rowsperstrip=64
        )


def _check_directories(file: tifffile.TiffFile, content: bytes, path: str | Path) -> None:
    """Refuse a list of images that leads back to itself, which tifffile would follow practically without end.

    The same holds for more images, those within images included, and for more tags than there can be.
    """
    form = file.tiff
    seen: set[int] = set()
    images = tags = 0

    def count(offset: int) -> int:
        """The tags of one more image."""
        nonlocal images, tags
        (own,) = struct.unpack_from(form.tagnoformat, content, offset)
        images, tags = images + 1, tags + own
        if images > _MOST_IMAGES or tags > _MOST_TAGS:
            problem = f"has more than {_MOST_IMAGES} images, or {_MOST_TAGS} tags in them"
            raise InputError(path, problem, _REMEDY)
        return int(own)

    place = form.offsetsize  # of the first image's offset: behind four bytes, or eight in BigTIFF
    while place + form.offsetsize <= len(content):
        (offset,) = struct.unpack_from(form.offsetformat, content, place)
        if not 0 < offset <= len(content) - form.tagnosize:
            break
        if offset in seen:
            raise InputError(path, f"lists one of its {images} images repeatedly", _REMEDY)
        seen.add(offset)
        place = offset + form.tagnosize + count(offset) * form.tagsize
    for page in file.pages:
        for offset in (isinstance(page, tifffile.TiffPage) and page.subifds) or ():
            if 0 < offset <= len(content) - form.tagnosize:
                count(offset)


def _scan_values(file: tifffile.TiffFile, path: str | Path, size: int) -> tuple[np.ndarray, str]:
    """The first image of three channels that is not 8-bit, or the only three pages of one channel; and in words."""
    images = list(file.series)
    shapes = [_shape_of_scan(image) for image in images]
    scans = [(number, shape) for number, shape in enumerate(shapes) if shape is not None]
    if scans:
        first, shape = scans[0]
        image = images[first]
        if first:
            message = "%s: image %d of %d is read, the first with three coordinates"
            logger.warning(message, path, first + 1, len(images))
        elif len(scans) > 1:
            logger.warning("%s: holds %d scans, of which the first is read", path, len(scans))
        if image.dtype == np.uint16:
            logger.warning("%s: numbers of 16 bits are read as coordinates, not as colours", path)
        said = f"the three {'channels' if shape[-1] == 3 else 'planes'}, in this order"
        if len(images) > 1:
            said += f", of image {first + 1} of {len(images)}; other images are not used"
        _tell_orientation([image], path)
        values = _channels_last(_read(image, shape, path, size), shape)
        return _without_stated_no_data(values, [image], path), f"x, y, z: {said}"
    planes = [image for image in images if len(image.shape) == 2 and not _is_picture(image)]
    if len(planes) == 3 and len({(image.shape, image.dtype) for image in planes}) == 1:
        said = "x, y, z: three pages, in this order"
        if len(images) > len(planes):
            said += f", of {len(images)}; the others are not used"
        _tell_orientation(planes, path)
        read = [_read(image, (*image.shape, 3), path, size).reshape(image.shape) for image in planes]
        return _without_stated_no_data(np.stack(read, axis=-1), planes, path), said
    if any(map(_is_picture, images)):
        raise InputError(path, f"is an 8-bit image of shape {images[0].shape}, not a scan", _REMEDY)
    held = ", ".join(str(image.shape) for image in images[:5]) or "nothing"
    raise InputError(path, f"has shape {held}, expected (height, width, 3)", HEIGHT_MAP_REMEDY)


def _is_picture(image: tifffile.TiffPageSeries) -> bool:
    """Whether an image has 8 bits."""
    return image.dtype is not None and image.dtype.kind in "iu" and image.dtype.itemsize == 1


def _pages(images: Sequence[tifffile.TiffPageSeries]) -> list[tifffile.TiffPage]:
    """All pages of some images with tags of their own: of three planes, each may be one."""
    return [page.aspage() for image in images for page in image.pages if page is not None]


def _tell_orientation(images: Sequence[tifffile.TiffPageSeries], path: str | Path) -> None:
    tags = [page.tags for page in _pages(images)]
    if any("Orientation" in one and one["Orientation"].value != _UPRIGHT for one in tags):
        message = (
            "%s: its orientation tag is not followed: rows and columns are read as they are stored, pictures are turned"
        )
        logger.warning(message, path)


def _shape_of_scan(image: tifffile.TiffPageSeries) -> tuple[int, ...] | None:
    """The shape of an image of three channels that is not 8-bit, without axes of length 1; None for others."""
    shape = tuple(length for length in image.shape if length != 1)
    return shape if len(shape) == 3 and 3 in (shape[0], shape[2]) and not _is_picture(image) else None


def _without_stated_no_data(
    values: np.ndarray, images: Sequence[tifffile.TiffPageSeries], path: str | Path
) -> np.ndarray:
    """Points (H, W, 3) with holes (0, 0, 0) where z is the number that GDAL's tag states for missing data; logged.

    Of several pages, each may state its own.

    Raises:
        InputError: GDAL's tags state a factor or an offset for the numbers of an axis.
    """
    pages = _pages(images)
    told = [str(page.tags["GDAL_METADATA"].value) for page in pages if "GDAL_METADATA" in page.tags]
    tags = [tag for text in dict.fromkeys(told) for tag in text[:_LONGEST_METADATA].split("<")[:-1]]
    parted = [tag.rpartition(">") for tag in tags]  # attributes in front, a number behind
    found = [(name, number) for attributes, _, number in parted for name in _SCALING.findall(attributes)]
    if any(number.strip() not in _NEUTRAL[name.lower()] for name, number in found):
        raise InputError(path, "states a scale or an offset of its numbers (GDAL)", "write the coordinates themselves")
    for no_data in dict.fromkeys(page.nodata for page in pages if "GDAL_NODATA" in page.tags):
        missing = values[..., 2] == no_data
        if missing.any():
            message = "%s: %d of %d points have the file's own no-data value %g as z; they are treated as holes"
            logger.warning(message, path, missing.sum(), missing.size, no_data)
            values = np.where(missing[..., None], values.dtype.type(0), values)
    return values


def _read(image: tifffile.TiffPageSeries, shape: tuple[int, ...], path: str | Path, size: int) -> np.ndarray:
    pixels = 1
    for length in shape:
        pixels *= length
    if pixels // 3 > MOST_POINTS:
        raise InputError(path, f"declares {shape} values", f"give a scan with at most {MOST_POINTS} pixels")
    dtype = image.dtype
    if dtype is None or dtype.kind not in "fiu":
        raise InputError(path, f"holds {dtype} values", _REMEDY)
    check_claim(path, max(pixels, _decoded_values(image)) * dtype.itemsize, size)
    if any(0 in (*page.dataoffsets, *page.databytecounts) for page in image.pages if page is not None):
        raise InputError(path, "lacks some of its strips or tiles", "write it with all of its pixels")
    compression = image.keyframe.compression
    if getattr(compression, "name", compression) not in _BOUNDED:
        problem = f"is compressed as {getattr(compression, 'name', compression)}"
        raise InputError(path, problem, f"write it with one of the compressions {', '.join(_BOUNDED)}")
    return image.asarray()


def _decoded_values(image: tifffile.TiffPageSeries) -> int:
    """How many values its pages are decoded to; tiles are decoded whole, however far they reach beyond the image."""
    page = image.keyframe
    tiles = (*page.chunks, *page.chunked) if page.is_tiled else ()
    return max(math.prod(page.shaped), math.prod(tiles)) * len(image.pages)


def _channels_last(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    values = values.reshape(shape)
    return values if shape[-1] == 3 else np.moveaxis(values, 0, -1)

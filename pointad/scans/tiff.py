"""Reads and writes organized scans as floating-point TIFF files."""

from pathlib import Path

import numpy as np
import tifffile

from pointad.errors import InputError
from pointad.files.atomic import atomic_path

LARGEST_SCAN = 2**28  # values; a file that promises more is refused before anything is allocated


def read_xyz_tiff(path: str | Path) -> np.ndarray:
    """Read a scan with one point a pixel.

    Args:
        path: three samples a pixel, interleaved or as three planes.

    Returns:
        (H, W, 3) float32; pixels with a value that is not finite become holes (0, 0, 0).

    Raises:
        InputError: the file is missing, broken or of another shape.
    """
    try:
        with tifffile.TiffFile(path) as file:
            shape = file.series[0].shape
            if len(shape) != 3 or 3 not in (shape[0], shape[2]):
                raise InputError(path, f"has shape {shape} instead of (height, width, 3)", "give an xyz scan")
            if int(np.prod(shape, dtype=object)) > LARGEST_SCAN:
                raise InputError(path, f"promises {shape} values", "give a smaller scan")
            values = file.asarray()
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "check the path") from error
    except InputError:
        raise
    except Exception as error:  # tifffile's decoders raise whatever broken bytes lead them to
        raise InputError(path, f"is not a readable TIFF file ({error})", "replace the file") from error
    if values.shape[-1] != 3:
        values = np.moveaxis(values, 0, -1)
    if values.dtype.kind not in "fiu":
        raise InputError(path, f"holds {values.dtype} values", "give an xyz scan")
    xyz = np.ascontiguousarray(values, dtype=np.float32)
    if np.isfinite(xyz).all():
        return xyz
    return np.where(np.isfinite(xyz).all(axis=-1, keepdims=True), xyz, np.float32(0))


def write_xyz_tiff(path: str | Path, xyz: np.ndarray) -> None:
    """Write (H, W, 3) float32, losslessly compressed, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary, xyz, photometric="rgb", compression="zlib", compressionargs={"level": 1}, rowsperstrip=64
        )

"""Masks with more channels than colours: one that is no transparency may mark something that would be dropped."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointad.errors import InputError
from pointad.files.masks import read_mask

MARKED = np.zeros((40, 60), np.uint8)
MARKED[5:12, 10:30] = 255
NOTHING = np.zeros_like(MARKED)


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("kind", ["unspecified", "unassalpha"])
def test_channels_beside_colours(tmp_path: Path, colors: int, kind: str) -> None:
    path = tmp_path / "mask.tif"
    photometric = "rgb" if colors == 3 else "minisblack"
    channels = np.stack([NOTHING] * colors + [MARKED], axis=-1)
    tifffile.imwrite(path, channels, photometric=photometric, planarconfig="contig", extrasamples=[kind])
    if kind == "unspecified":
        with pytest.raises(InputError, match=r"neither colour nor transparency|not a readable picture"):  # Pillow 12
            read_mask(path)
    else:
        np.testing.assert_array_equal(read_mask(path), MARKED)


def with_transparent_part(marked: int, transparent: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey values with a defect and a part that is transparent, and the mask of the defect."""
    values = np.zeros_like(MARKED)
    values[5:12, 10:30] = marked
    values[20:35, 30:50] = transparent
    return values, MARKED


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "I;16", "L;4", "RGBA"])
def test_a_transparent_colour_is_as_transparent_as_alpha(mode: str, tmp_path: Path) -> None:
    values, marked = with_transparent_part(1, 2) if mode == "P" else with_transparent_part(0x88, 0xEE)
    path = tmp_path / "mask.png"
    if mode == "P":
        picture = Image.fromarray(values)
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        picture.save(path, transparency=bytes([255, 255, 0]))
    elif mode == "I;16":
        Image.fromarray(values.astype(np.uint16)).save(path, transparency=0xEE)
    elif mode == "L;4":  # Pillow writes no grey of four bits
        path.write_bytes(png_of_four_bits(values // 0x11, transparent=0xE))
    elif mode == "RGBA":
        alpha = np.where(values == 0xEE, 0, 255).astype(np.uint8)
        Image.fromarray(np.dstack([values] * 3 + [alpha])).save(path)
    else:
        colour = (0xEE,) * 3 if mode == "RGB" else 0xEE
        Image.fromarray(values).convert(mode).save(path, transparency=colour)
    np.testing.assert_array_equal(read_mask(path), marked)


def test_transparency_alone_is_the_mask(tmp_path: Path) -> None:
    picture = Image.fromarray(np.where(MARKED, 1, 0).astype(np.uint8))
    picture.putpalette([0, 0, 0, 0, 0, 0])
    picture.save(tmp_path / "mask.png", transparency=0)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), MARKED)


def png_of_four_bits(values: np.ndarray, transparent: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    height, width = values.shape
    rows = b"".join(b"\0" + (row[::2] << 4 | row[1::2]).astype(np.uint8).tobytes() for row in values)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([4, 0, 0, 0, 0])
    parts = (chunk(b"IHDR", header), chunk(b"tRNS", bytes([0, transparent])), chunk(b"IDAT", zlib.compress(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")

"""Masks in PNGs of 16-bit colours, and files that hold several pictures."""

import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_picture

MARKED = np.zeros((12, 16), dtype=bool)
MARKED[3:6, 4:9] = True
COLOR_TYPES = {2: 4, 3: 2, 4: 6}  # of a PNG, by the number of channels


def write_deep_png(path: Path, values: np.ndarray) -> None:
    """Write (H, W, C) 16-bit values as PNG, in which every row is the difference from the pixel to the left."""
    height, width, channels = values.shape
    raw = values.astype(">u2").view(np.uint8).reshape(height, width, 2 * channels)
    filtered = np.diff(raw, axis=1, prepend=np.zeros((height, 1, 2 * channels), np.uint8)).reshape(height, -1)
    body = zlib.compress(np.insert(filtered, 0, 1, axis=1).tobytes())
    header = struct.pack(">IIBBBBB", width, height, 16, COLOR_TYPES[channels], 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, chunk in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b"")):
        content += struct.pack(">I", len(chunk)) + name + chunk + struct.pack(">I", zlib.crc32(name + chunk))
    path.write_bytes(content)


@pytest.mark.parametrize("label", [1, 255, 256, 65535])
@pytest.mark.parametrize("channels", COLOR_TYPES)
def test_small_16_bit_labels_are_not_lost(channels: int, label: int, tmp_path: Path) -> None:
    values = np.repeat(MARKED[..., None] * label, channels, axis=-1)
    if channels != 3:
        values[..., -1] = 65535  # opaque
    write_deep_png(tmp_path / "a.png", values)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, MARKED)


@pytest.mark.parametrize("alpha", [1, 65535])
def test_deep_transparency_is_the_mask_of_black_pictures(alpha: int, tmp_path: Path) -> None:
    write_deep_png(tmp_path / "a.png", np.stack([MARKED * 0, MARKED * alpha], axis=-1))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, MARKED)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".webp"])
def test_several_pictures(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / f"a{suffix}"
    halves = [np.where(np.arange(16) < 6, MARKED, 0), np.where(np.arange(16) < 6, 0, MARKED)]
    first, second = (Image.fromarray(half.astype(np.uint8) * 255).convert("RGB") for half in halves)
    first.save(path, save_all=True, append_images=[second], **({"lossless": True} if suffix == ".webp" else {}))
    with pytest.raises(InputError, match="holds several pictures of one size"):
        read_mask(path)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_picture(path, "RGB"), np.asarray(first))
    assert "the first is read" in caplog.text


def test_previews_are_no_other_pictures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture = Image.fromarray(MARKED.astype(np.uint8) * 255)
    picture.save(tmp_path / "a.tif", save_all=True, append_images=[picture.resize((8, 6))])
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, MARKED)
    assert not caplog.records

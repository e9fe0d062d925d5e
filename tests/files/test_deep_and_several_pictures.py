"""Pictures and masks of 16-bit colours, and files that hold several pictures."""

import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_depth_picture, read_picture

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


def write_deep_tiff(path: Path, values: np.ndarray, order: str, planes: str, compression: str | None) -> None:
    """Write (H, W, 3) 16-bit values, pixel by pixel ("contig") or as a plane for each channel ("separate")."""
    stored = values if planes == "contig" else np.moveaxis(values, -1, 0)
    tifffile.imwrite(
        path,
        np.ascontiguousarray(stored, dtype=np.uint16),
        photometric="rgb",
        planarconfig=planes,
        byteorder=order,
        compression=compression,
    )


@pytest.mark.parametrize("label", [1, 256, 65535])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("planes", "compression"), [("contig", None), ("contig", "zlib"), ("separate", None)])
def test_small_labels_in_tiffs_are_not_lost(
    planes: str, compression: str | None, order: str, label: int, tmp_path: Path
) -> None:
    values = MARKED[..., None] * np.array([0, label, 0])
    write_deep_tiff(tmp_path / "a.tif", values, order, planes, compression)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, MARKED)


def test_compressed_planes_of_a_mask_are_refused(tmp_path: Path) -> None:
    write_deep_tiff(tmp_path / "a.tif", MARKED[..., None] * np.array([0, 1, 0]), "<", "separate", "zlib")
    with pytest.raises(InputError, match=r"not a readable picture \(compressed planes of 16 bits.*; give a PNG"):
        read_mask(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", [np.float32, np.int32])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("order", "<>")
def test_values_of_32_bits_in_both_byte_orders(order: str, compression: str | None, kind: type, tmp_path: Path) -> None:
    """Taken in the wrong order, whole floats are nearly 0: a black picture, and no values below 0."""
    values = np.arange(192).reshape(12, 16)
    tifffile.imwrite(tmp_path / "a.tif", values.astype(kind), byteorder=order, compression=compression)
    if kind is np.float32:
        np.testing.assert_array_equal(read_picture(tmp_path / "a.tif", "grey"), values)
    else:
        np.testing.assert_array_equal(read_depth_picture(tmp_path / "a.tif"), values)
    tifffile.imwrite(tmp_path / "b.tif", -MARKED.astype(kind), byteorder=order, compression=compression)
    with pytest.raises(InputError, match=r"has values below 0 or NaN \(15\)"):
        read_mask(tmp_path / "b.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_signed_and_unsigned_masks(compression: str | None, tmp_path: Path) -> None:
    """Pillow reads those of four bytes as signed, those of one byte as unsigned."""
    for value in (1, 2**31, 2**32 - 1):
        tifffile.imwrite(tmp_path / "a.tif", (MARKED * value).astype(np.uint32), compression=compression)
        np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, MARKED)
    for value, kind in ((-1, np.int32), (-1, np.int16), (-1, np.int8), (-1, np.float32), (np.nan, np.float32)):
        tifffile.imwrite(tmp_path / "a.tif", np.where(MARKED, value, 0).astype(kind), compression=compression)
        with pytest.raises(InputError, match=r"has values below 0 or NaN \(15\)"):
            read_mask(tmp_path / "a.tif")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_deep_colors_are_scaled(planes: str, compression: str | None, order: str, tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    write_deep_tiff(tmp_path / "a.tif", colors.astype(np.uint16) * 257, order, planes, compression)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif", "RGB"), colors)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_dark_colors_of_12_bits_are_told(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / f"a{suffix}"
    for most, is_told in ((4095, True), (4096, False)):
        values = np.full((12, 16, 3), [0, 0, most])
        if suffix == ".png":
            write_deep_png(path, values)
        else:
            write_deep_tiff(path, values, "<", "contig", None)
        caplog.clear()
        read_picture(path, "RGB")
        assert ("dark picture" in caplog.text) == is_told


def test_deep_grey_in_which_0_is_white(tmp_path: Path) -> None:
    grey = np.where(MARKED, 0, 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="miniswhite")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, MARKED)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif", "grey"), np.where(MARKED, 255, 0))


def test_a_turned_mask_of_deep_colors(tmp_path: Path) -> None:
    write_deep_png(tmp_path / "a.png", np.repeat(MARKED[..., None] * 1, 3, axis=-1))
    content = (tmp_path / "a.png").read_bytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    chunk = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    end = len(content) - 12  # of the last chunk
    tagged = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(content[:end] + tagged + content[end:])
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, np.rot90(MARKED, -1))


@pytest.mark.parametrize("suffix", [".tif", ".png", ".webp"])
def test_several_pictures(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / f"a{suffix}"
    halves = [np.where(np.arange(16) < 6, MARKED, 0), np.where(np.arange(16) < 6, 0, MARKED)]
    first, second = (Image.fromarray(half.astype(np.uint8) * 255).convert("RGB") for half in halves)
    first.save(path, save_all=True, append_images=[second], **({"lossless": True} if suffix == ".webp" else {}))
    with pytest.raises(InputError, match="holds several pictures"):
        read_mask(path)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_picture(path, "RGB"), np.asarray(first))
    assert "the first is read" in caplog.text


def test_previews_are_no_other_pictures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture = Image.fromarray(MARKED.astype(np.uint8) * 255)
    picture.save(tmp_path / "a.tif", save_all=True, append_images=[picture.resize((8, 6))])
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, MARKED)
    assert not caplog.records


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_signed_and_unsigned_pictures(compression: str | None, tmp_path: Path) -> None:
    """What does not fit into 16 bits is no depth of a camera; of four bytes, Pillow takes the largest for negative."""
    path = tmp_path / "a.tif"
    for value, kind in ((2**31 + 5, np.uint32), (70_000, np.uint32), (-1, np.int32), (-1, np.int16)):
        tifffile.imwrite(path, np.where(MARKED, value, 0).astype(kind), compression=compression)
        for read in (read_depth_picture, lambda path: read_picture(path, "grey")):
            with pytest.raises(InputError, match="below 0 or above 65535"):
                read(path)
    tifffile.imwrite(path, np.where(MARKED, 60_000, 0).astype(np.uint32), compression=compression)
    np.testing.assert_array_equal(read_depth_picture(path), MARKED * 60_000)
    for shape in (MARKED, np.repeat(MARKED[..., None], 3, axis=-1)):
        photometric = "rgb" if shape.ndim == 3 else "minisblack"
        tifffile.imwrite(path, np.where(shape, -1, 0).astype(np.int8), compression=compression, photometric=photometric)
        with pytest.raises(InputError):
            read_picture(path, "RGB")
    tifffile.imwrite(path, np.where(MARKED, 127, 0).astype(np.int8), compression=compression)
    np.testing.assert_array_equal(read_picture(path, "grey"), MARKED * 127)


@pytest.mark.parametrize("sizes", [[1, 2, 1], [2, 1], [1, 4, 2, 1]])
def test_other_pictures_behind_or_before_previews(
    sizes: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Image.fromarray(MARKED.astype(np.uint8) * 255)
    pictures = [whole.resize((whole.width // size, whole.height // size)) for size in sizes]
    pictures[0].save(tmp_path / "a.tif", save_all=True, append_images=pictures[1:])
    with pytest.raises(InputError, match="holds several pictures"):
        read_mask(tmp_path / "a.tif")
    read_picture(tmp_path / "a.tif", "grey")
    assert "the first is read" in caplog.text


@pytest.mark.parametrize("largest", [1.0, 1.004, 255, 256.5])
def test_floats_that_interpolation_took_above_1_or_255(largest: float, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.where(MARKED, largest, 0).astype(np.float32))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif", "grey"), MARKED * 255)


def test_orientation_tags_of_depth_pictures_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    depth = MARKED.astype(np.uint16) * 700
    Image.fromarray(depth).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_depth_picture(tmp_path / "a.png"), depth)
    assert "its orientation tag is not followed" in caplog.text
    caplog.clear()
    tifffile.imwrite(tmp_path / "a.tif", depth, extratags=[(0x0112, 3, 1, 6, True)])
    np.testing.assert_array_equal(read_depth_picture(tmp_path / "a.tif"), np.rot90(depth, -1))
    assert "as its orientation tag says" in caplog.text and "not followed" not in caplog.text


@pytest.mark.parametrize("kind", ["f2", "f8", "i8", "u8"])
@pytest.mark.parametrize("reader", [read_mask, lambda path: read_picture(path, "RGB")])
def test_values_that_are_not_read_are_no_damage(kind: str, reader: Callable[[Path], object], tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.TIF", MARKED.astype(kind))
    with pytest.raises(InputError, match=r"values of another kind, such as 64 bits.*; write it with values of 8 "):
        reader(tmp_path / "a.TIF")

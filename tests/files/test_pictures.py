"""Pictures and masks in the ways that cameras and labelling tools store them."""

import logging
import resource
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_depth_picture, read_picture

RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 256, (12, 16, 3)).astype(np.uint8)
MARKED = np.zeros((12, 16), dtype=bool)
MARKED[3:6, 4:9] = True


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_formats(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / f"a{suffix}", **({"lossless": True} if suffix == ".webp" else {}))
    np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}", "RGB"), RGB)


@pytest.mark.parametrize("other", ["EPS", "GIF", "PPM", "TGA", "ICO", "PDF"])
def test_other_formats_are_not_decoded_whatever_they_are_called(other: str, tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", format=other)
    with pytest.raises(InputError, match="give a PNG, JPEG, BMP, TIFF or WEBP file"):
        read_picture(tmp_path / "a.png", "RGB")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey_is_scaled(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey = (RGB[..., 0].astype(np.uint16)) * 257
    Image.fromarray(grey).save(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}", "grey"), RGB[..., 0])
    np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}", "RGB"), np.repeat(RGB[..., :1], 3, axis=-1))
    assert not caplog.records
    Image.fromarray(grey // 64).save(tmp_path / f"a{suffix}")
    with caplog.at_level(logging.WARNING):
        read_picture(tmp_path / f"a{suffix}", "grey")
    assert "dark picture" in caplog.text


def test_float_grey(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0] / np.float32(255)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif", "grey"), RGB[..., 0])
    Image.fromarray(RGB[..., 0] - np.float32(300)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="below 0"):
        read_picture(tmp_path / "a.tif", "grey")


def test_a_camera_that_was_turned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_picture(tmp_path / "a.png", "RGB"), np.rot90(RGB, -1))
    assert "rotated as its orientation tag says" in caplog.text


def test_a_palette_with_transparency_is_read_without_a_word(tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) % 4, "P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    picture.save(tmp_path / "a.png", transparency=bytes([0, 100, 200, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "a.png", "RGB")[0, :2].tolist() == [[10, 20, 30], [40, 50, 60]]


@pytest.mark.parametrize("value", [1, 255, 65535])
def test_grey_masks_of_any_depth(value: int, tmp_path: Path) -> None:
    Image.fromarray((MARKED * value).astype(np.uint16 if value > 255 else np.uint8)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), MARKED * np.uint8(255))


def rgba(color: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([np.repeat(color[..., None], 3, axis=-1), alpha]).astype(np.uint8))


EVERYWHERE, NOWHERE = np.full(MARKED.shape, 255), np.zeros(MARKED.shape)
TRANSPARENT = {
    "black, the mask is opaque": (NOWHERE, MARKED * 255),
    "white, the mask is opaque": (EVERYWHERE, MARKED * 200),
    "white mask, opaque all over": (MARKED * 255, EVERYWHERE),
    "white mask, the rest transparent": (MARKED * 255, MARKED * 255),
    "white under transparency": (np.where(MARKED | (np.arange(16) > 12), 255, 0), np.where(np.arange(16) > 12, 0, 255)),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_masks_with_transparency(name: str, tmp_path: Path) -> None:
    picture = rgba(*(np.broadcast_to(part, MARKED.shape) for part in TRANSPARENT[name]))
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, MARKED)
    picture.convert("LA").save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "b.png") > 0, MARKED)


def palette_mask(colors: list[int], labels: np.ndarray = MARKED) -> Image.Image:
    picture = Image.fromarray(labels.astype(np.uint8))
    picture.putpalette(colors)
    assert picture.mode == "P"
    return picture


def test_labels_of_a_palette_count_not_its_colours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    palette_mask([0, 0, 0, 0, 0, 0]).save(tmp_path / "a.png")  # both black
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, MARKED)
    palette_mask([0, 0, 255, 255, 0, 0]).save(tmp_path / "a.png")  # blue and red
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, MARKED)
    with caplog.at_level(logging.WARNING):
        palette_mask([255, 255, 255, 0, 0, 0], ~MARKED).save(tmp_path / "a.png")  # white is 0, black 1
        np.testing.assert_array_equal(read_mask(tmp_path / "a.png") > 0, MARKED)
    assert "label 1 of its palette is black" in caplog.text


def test_lossy_masks(tmp_path: Path) -> None:
    large = MARKED.repeat(16, axis=0).repeat(16, axis=1)
    Image.fromarray(large * np.uint8(255)).save(tmp_path / "a.jpg", quality=70)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.jpg") > 0, large)
    Image.fromarray(large * np.uint8(1)).save(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="give the mask as PNG"):
        read_mask(tmp_path / "a.jpg")
    Image.fromarray(large * np.uint8(255)).save(tmp_path / "a.tif", compression="jpeg", quality=70)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, large)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_masks_in_other_colours(mode: str, tmp_path: Path) -> None:
    """Black is not 0 there."""
    picture = Image.fromarray(np.dstack([MARKED * np.uint8(255)] * 3)).convert(mode)
    picture.save(tmp_path / "a.tif", compression="tiff_lzw")  # Pillow 12.3 cannot read YCbCr that it saves without
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif") > 0, MARKED)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_one_bit_masks(compression: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """tifffile writes arrays of bool so that True is shown as black; others write what is shown."""
    tifffile.imwrite(tmp_path / "a.tif", MARKED, compression=compression)
    Image.fromarray(MARKED).save(tmp_path / "b.tif", compression="group4")
    tifffile.imwrite(tmp_path / "c.tif", ~MARKED, photometric="miniswhite", software="a scanner")
    for name in ("a.tif", "b.tif", "c.tif"):
        np.testing.assert_array_equal(read_mask(tmp_path / name) > 0, MARKED, err_msg=name)
    assert not caplog.records


def test_an_inverted_mask_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.fromarray(MARKED * np.uint8(255)).save(tmp_path / "a.png")
    read_mask(tmp_path / "a.png")
    assert not caplog.records
    Image.fromarray(~MARKED * np.uint8(255)).save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "b.png") > 0, ~MARKED)
    assert "it may be inverted" in caplog.text


def test_a_mask_that_marks_everything_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 1).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="marks every pixel"):
        read_mask(tmp_path / "a.png")


def test_depths_of_8_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0]).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="8-bit"):
        read_depth_picture(tmp_path / "a.png")
    Image.fromarray(RGB[..., 0].astype(np.uint16) * 200).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_depth_picture(tmp_path / "a.png"), RGB[..., 0].astype(int) * 200)


def test_a_part_that_claims_gigabytes_takes_none(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[:33] + struct.pack(">I", 2**31 - 1) + b"tEXt" + content[33:])
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**28, before[1]))
    try:
        with pytest.raises(InputError):
            read_picture(tmp_path / "a.png", "RGB")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_pixels_count_as_what_they_are_converted_to(mode: str, tmp_path: Path) -> None:
    Image.new(mode, (13_300, 13_300)).save(tmp_path / "a.png", compress_level=1)
    for read in (lambda path: read_picture(path, "RGB"), read_mask):
        with pytest.raises(InputError, match=r"claims 7\.08e\+08 bytes of pixels"):
            read(tmp_path / "a.png")


def test_a_small_file_that_claims_a_gigabyte_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16_000, 16_000, 8, 6, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"\0" * 100))
    with pytest.raises(InputError, match="claims"):
        read_picture(tmp_path / "a.png", "RGB")

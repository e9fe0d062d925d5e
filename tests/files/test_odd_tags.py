"""Pictures with damaged tags: pixels are read where they can be, and only errors of this library come out."""

import logging
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import picture_size, read_picture

RGB = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
ORIENTATION, FLOAT, SIGNED, BYTES = 0x112, 11, 9, 7
ODD = {  # tag, kind, count and value
    "a description that is a number": (0x10E, FLOAT, 1, struct.pack("<f", 1.5)),
    "an offset below zero": (0x8769, SIGNED, 1, struct.pack("<i", -1)),
    "a resolution of bytes": (0x11A, BYTES, 4, b"abcd"),
    "a width below zero": (0x100, 8, 1, struct.pack("<hh", -5, 0)),
}


def exif(orientation: int, *others: tuple[int, int, int, bytes]) -> bytes:
    entries = sorted([(ORIENTATION, 3, 1, struct.pack("<HH", orientation, 0)), *others])
    rows = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", 0)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("odd", ODD)
def test_a_turned_picture_with_an_odd_tag(odd: str, suffix: str, tmp_path: Path) -> None:
    plain, tagged = tmp_path / f"plain{suffix}", tmp_path / f"tagged{suffix}"
    Image.fromarray(RGB).save(plain)
    Image.fromarray(RGB).save(tagged, exif=exif(6, ODD[odd]))
    np.testing.assert_array_equal(read_picture(tagged, "RGB"), np.rot90(read_picture(plain, "RGB"), -1))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations(orientation: int, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    Image.fromarray(RGB).save(tmp_path / f"a{suffix}", exif=tags)
    turned = np.moveaxis(RGB, 1, 0) if orientation > 4 else RGB  # rows of the scene are columns of the file
    expected = {1: turned, 2: turned[:, ::-1], 3: turned[::-1, ::-1], 4: turned[::-1]}
    expected |= {5: turned, 6: turned[:, ::-1], 7: turned[::-1, ::-1], 8: turned[::-1]}
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_picture(tmp_path / f"a{suffix}", "RGB"), expected[orientation])
    assert ("rotated as its orientation tag says" in caplog.text) == (orientation > 1)


def changed(path: Path, generator: np.random.Generator) -> None:
    """Change one to three entries of a TIFF's directory."""
    content = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for _ in range(generator.integers(1, 4)):
        entry = start + 2 + 12 * int(generator.integers(count))
        place, value = generator.choice([0, 2, 4, 8]), int(generator.integers(1, 300))
        struct.pack_into("<H", content, entry + int(place), value % 14 if place == 2 else value)
    path.write_bytes(content)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("photometric", ["rgb", "minisblack", "miniswhite"])
def test_changed_directories_of_tiffs(photometric: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    path = tmp_path / "a.tif"
    read = 0
    for number in range(200):
        pixels = RGB if photometric == "rgb" else RGB[..., 0] > 200 if number % 2 else RGB[..., 0]
        tifffile.imwrite(path, pixels, photometric=photometric, software="tifffile")
        changed(path, generator)
        picture_size(path)
        for reader in (lambda path: read_picture(path, "RGB"), read_mask):
            try:
                reader(path)
                read += 1
            except InputError as error:
                assert str(path) in str(error) and "\n" not in str(error)
    assert 0 < read < 400


def test_offsets_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((40, 40, 3), np.uint8), photometric="rgb")
    content = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == 273:
            struct.pack_into("<H", content, entry + 2, BYTES)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.tif: is not a readable picture"):
        read_picture(path, "RGB")

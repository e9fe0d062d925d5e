"""Small pictures that would keep their decoder busy for hours are refused; those of usual programs are read."""

import io
import itertools
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_picture

WIDTH, LENGTH, BITS, PHOTOMETRIC, PLACES, ROWS, SIZES, OTHER = 256, 257, 258, 262, 273, 278, 279, 40_000
PIXELS = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def tag(number: int, value: int, count: int = 1) -> bytes:
    return struct.pack("<HHII", number, 4, count, value)


def tiff_of_strips(strips: int) -> bytes:
    """A picture of 16 x 16 grey pixels in two strips; further ones hold the same once more."""
    content = struct.pack("<2sHI", b"II", 42, 8 + 128 + 8 * strips) + bytes(128)
    content += struct.pack(f"<{strips}I", *[8] * strips) + struct.pack(f"<{strips}I", *[128] * strips)
    sizes = {WIDTH: 16, LENGTH: 16, BITS: 8, PHOTOMETRIC: 1, ROWS: 8}
    tags = [tag(number, value) for number, value in sizes.items()]
    tags += [tag(PLACES, 136, strips), tag(SIZES, 136 + 4 * strips, strips)]
    return content + struct.pack("<H", len(tags)) + b"".join(sorted(tags)) + bytes(4)


def tiff_of_tags(images: int) -> bytes:
    """A picture with previews, whose lists of 60,000 tags lie on one another, each a tag behind the one before."""
    tags = 60_000
    small = [tag(WIDTH, 1), tag(LENGTH, 1), tag(BITS, 8), tag(PHOTOMETRIC, 1), tag(PLACES, 8), tag(SIZES, 1)]
    shared = small + [tag(OTHER, 0)] * (tags - images - len(small))
    nexts = [struct.pack("<I8x", 8 + 12 * number) for number in [*range(1, images), 0]]
    lists = struct.pack("<H", tags) + tag(OTHER, tags << 16) * images + b"".join(shared + nexts)
    large = [tag(WIDTH, 8), tag(LENGTH, 8), tag(BITS, 8), tag(PHOTOMETRIC, 1), tag(PLACES, 8), tag(SIZES, 64)]
    first = struct.pack("<H", len(large)) + b"".join(large) + struct.pack("<I", 8)
    return struct.pack("<2sHI", b"II", 42, 8 + len(lists)) + lists + first


def progressive(scans: int) -> bytes:
    """A grey JPEG, whose last scan is there several times more."""
    written = io.BytesIO()
    Image.fromarray(PIXELS[..., 0]).save(written, "JPEG", progressive=True)
    content = written.getvalue()
    places = [found.start() for found in re.finditer(b"\xff\xda", content)]
    return content[:-2] + content[places[-1] : -2] * (scans - len(places)) + content[-2:]


def with_exif(parts: int) -> bytes:
    """A grey JPEG with empty EXIF data in parts."""
    content = progressive(2)
    return content[:2] + b"\xff\xe1\0\x08Exif\0\0" * parts + content[2:]


LABORIOUS = {
    "strips.tif": (tiff_of_strips(17), "has strips or tiles for more than 8 times its pixels"),
    "tags.tif": (tiff_of_tags(3), "has more than 100000 tags"),
    "scans.jpg": (progressive(101), "comes in more than 100 scans"),
    "exif.jpg": (with_exif(101), "has EXIF data in more than 100 parts"),
}


@pytest.mark.parametrize("name", LABORIOUS)
def test_laborious_pictures_are_refused(name: str, tmp_path: Path) -> None:
    content, problem = LABORIOUS[name]
    (tmp_path / name).write_bytes(content)
    for read in (lambda path: read_picture(path, "RGB"), read_mask):
        with pytest.raises(InputError, match=problem):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tif", tiff_of_strips(2)),
        ("b.tif", tiff_of_strips(16)),
        ("c.tif", tiff_of_tags(1)),
        ("d.jpg", progressive(100)),
        ("e.jpg", with_exif(100)),
    ],
)
def test_pictures_just_below_the_bounds_are_read(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_picture(tmp_path / name, "grey").ndim == 2


def test_filling_in_front_of_a_marker_is_passed_once(tmp_path: Path) -> None:
    content = progressive(2)
    (tmp_path / "a.jpg").write_bytes(content[:2] + b"\xff" * 2_000_000 + b"\0" + content[2:])
    assert read_picture(tmp_path / "a.jpg", "grey").shape == PIXELS.shape[:2]


def test_usual_pictures_are_read(tmp_path: Path) -> None:
    for number, (tile, planes) in enumerate(itertools.product([None, (16, 16)], ["contig", "separate"])):
        pixels = PIXELS if planes == "contig" else np.moveaxis(PIXELS, -1, 0)
        tifffile.imwrite(
            tmp_path / f"{number}.tif",
            pixels,
            photometric="rgb",
            planarconfig=planes,
            tile=tile,
            rowsperstrip=None if tile else 4,
        )
    Image.fromarray(PIXELS).save(
        tmp_path / "previews.tif", save_all=True, append_images=[Image.new("RGB", (8, 8))] * 20
    )
    for path in sorted(tmp_path.iterdir()):
        np.testing.assert_array_equal(read_picture(path, "RGB"), PIXELS, err_msg=path.name)
    photograph = progressive(10) + b"\xff\xda" * 1000  # such as a film behind it
    (tmp_path / "photograph.jpg").write_bytes(photograph)
    assert read_picture(tmp_path / "photograph.jpg", "grey").shape == PIXELS.shape[:2]

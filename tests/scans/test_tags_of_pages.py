"""TIFF scans of three pages, each with tags of its own, and images of signed bytes."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from dialects.base import GRID

from pointad.errors import InputError
from pointad.scans.files import read_scan

PLANES = np.ascontiguousarray(np.moveaxis(GRID, -1, 0).astype(np.float32))
SCALE = '<GDALMetadata><Item name="SCALE" sample="0" role="scale">0.1</Item></GDALMetadata>'


def write_pages(path: Path, planes: np.ndarray, page: int, tag: tuple) -> None:
    with tifffile.TiffWriter(path) as writer:
        for number, plane in enumerate(planes):
            tags = [tag] if number == page else []
            writer.write(plane, photometric="minisblack", metadata=None, extratags=tags)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_scales_are_refused(page: int, tmp_path: Path) -> None:
    write_pages(tmp_path / "a.tiff", PLANES, page, (42112, 2, len(SCALE) + 1, SCALE, True))
    with pytest.raises(InputError, match="states a scale or an offset"):
        read_scan(tmp_path / "a.tiff")


@pytest.mark.parametrize("item", ['sample="0" role="scale" name="x"', 'name = "Offset"', "role='offset'"])
def test_notations_of_scales(item: str, tmp_path: Path) -> None:
    text = f"<GDALMetadata><Item {item}>0.1</Item></GDALMetadata>"
    write_pages(tmp_path / "a.tiff", PLANES, 0, (42112, 2, len(text) + 1, text, True))
    with pytest.raises(InputError, match="states a scale or an offset"):
        read_scan(tmp_path / "a.tiff")


@pytest.mark.parametrize("page", [0, 2])
def test_missing_data(page: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    planes = PLANES.copy()
    planes[2, 3, 4] = 398.5 * 2
    write_pages(tmp_path / "a.tiff", planes, page, (42113, 2, 4, "797", True))
    assert not read_scan(tmp_path / "a.tiff").present[3, 4]
    assert "the file's own no-data value 797" in caplog.text


def test_orientation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_pages(tmp_path / "a.tiff", PLANES, 2, (274, 3, 1, 6, True))
    np.testing.assert_allclose(read_scan(tmp_path / "a.tiff").points, np.moveaxis(PLANES, 0, -1))
    assert caplog.text.count("orientation tag is not followed") == 1


def test_signed_bytes_are_a_picture(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(-100, 100, (40, 50, 3)).astype(np.int8)
    tifffile.imwrite(tmp_path / "a.tiff", picture, photometric="rgb")
    np.save(tmp_path / "a.npy", picture)
    for name in ("a.tiff", "a.npy"):
        with pytest.raises(InputError, match="is an 8-bit image"):
            read_scan(tmp_path / name)

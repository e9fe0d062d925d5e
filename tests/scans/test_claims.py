"""Files that claim more than they hold are refused before memory is taken; the number of points has two limits."""

import io
import resource
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from dialects.pcd import header

from pointad.errors import InputError
from pointad.files.pictures import read_picture
from pointad.scans.files import read_scan
from pointad.scans.scan_file import MOST_POINTS

MEMORY = 2**28  # bytes of address space beyond what is taken already


@pytest.fixture
def little_memory() -> Iterator[None]:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def npy_of(shape: tuple[int, ...], content: bytes = b"", descr: str = "<f4") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_2_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + content


def zip_of(path: Path, **members: tuple[tuple[int, ...], int]) -> None:
    """Members of zeros, which deflate packs a thousand times smaller."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (shape, size) in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                file.write(npy_of(shape))
                for _ in range(size // 2**20):
                    file.write(bytes(2**20))


def many_members(path: Path) -> None:
    zip_of(path, **{f"a{number}": ((2**18 * 80,), 80 * 2**20) for number in range(4)})


def sparse(path: Path, beginning: bytes, size: int) -> None:
    """A file of zeros after its beginning that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(len(beginning) + size)


def long_strip() -> bytes:
    """A TIFF whose only strip claims more bytes than the file has."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.ones((8, 9, 3), np.float32), photometric="rgb", compression="zlib", metadata=None)
    content = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as file:
        place = file.pages[0].tags["StripByteCounts"].offset  # type: ignore[union-attr]
    content[place + 2 : place + 4] = (4).to_bytes(2, "little")  # a LONG
    content[place + 8 : place + 12] = (2**32 - 10).to_bytes(4, "little")
    return bytes(content)


def long_header(size: int) -> bytes:
    """The beginning of an array whose header has so many bytes."""
    return b"\x93NUMPY\x02\x00" + size.to_bytes(4, "little")


def members_of_headers(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("a.npy", "b.npy"):
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(long_header(290 * 2**20))
                for _ in range(290 if name == "a.npy" else 1):
                    file.write(b" " * 2**20)


def large_tile(path: Path, *, dtype: type = np.float32, side: int = 16_384) -> None:
    """A TIFF of 64 x 64 pixels in one tile that is much larger."""
    buffer = io.BytesIO()
    picture = np.ones((64, 64, 3), dtype)
    tifffile.imwrite(buffer, picture, photometric="rgb", compression="zlib", tile=(64, 64), metadata=None)
    content = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as file:
        places = [file.pages[0].tags[name].offset for name in ("TileWidth", "TileLength")]  # type: ignore[union-attr]
    for place in places:
        content[place + 2 : place + 4] = (4).to_bytes(2, "little")  # a LONG
        content[place + 8 : place + 12] = side.to_bytes(4, "little")
    path.write_bytes(content)


CLAIMS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "empty of absurd length": (".npy", lambda path: path.write_bytes(npy_of((0, 10**23, 3)))),
    "empty of great length": (".npy", lambda path: path.write_bytes(npy_of((0, 2**61, 3)))),
    "seventy axes": (".npy", lambda path: path.write_bytes(npy_of((1,) * 69 + (3,), bytes(12)))),
    "zero-sized values": (".npy", lambda path: path.write_bytes(npy_of((10**9, 3), descr="|S0"))),
    "too many points": (".npy", lambda path: sparse(path, npy_of((MOST_POINTS + 1, 3)), 12 * (MOST_POINTS + 1))),
    "too many pixels": (".npy", lambda path: sparse(path, npy_of((4000, 4000, 3)), 12 * 4000**2)),
    "members that nobody asked for": (".npz", many_members),
    "points of zeros": (".npz", lambda path: zip_of(path, points=((97, 2**18, 3), 291 * 2**20))),
    "a header of a gigabyte": (".npy", lambda path: sparse(path, long_header(2**30), 2**30)),
    "members that are headers": (".npz", members_of_headers),
    "a tile larger than the image": (".tiff", large_tile),
    "COUNT 1000": (
        ".pcd",
        lambda path: path.write_bytes(
            header("x y z f", "4 4 4 8", "F F F F", "1 1 1 1000", 5_000_000, data="ascii") + b"0 0 0 0\n" * 10_000
        ),
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.usefixtures("little_memory")
def test_claims_are_refused_without_taking_memory(name: str, tmp_path: Path) -> None:
    suffix, write = CLAIMS[name]
    write(tmp_path / f"claim{suffix}")
    with pytest.raises(InputError) as caught:
        read_scan(tmp_path / f"claim{suffix}")
    assert not isinstance(caught.value.__cause__, MemoryError)


@pytest.mark.usefixtures("little_memory")
def test_pictures_in_one_large_tile_are_refused(tmp_path: Path) -> None:
    large_tile(tmp_path / "claim.tiff", dtype=np.uint8)
    with pytest.raises(InputError, match=r"claims 2\.15e\+09 bytes of a tile"):
        read_picture(tmp_path / "claim.tiff", "RGB")
    large_tile(tmp_path / "usual.tiff", dtype=np.uint8, side=64)
    assert read_picture(tmp_path / "usual.tiff", "RGB").min() == 1


def test_compressions_that_are_not_bounded_by_the_claim_are_refused(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(64, 64, 3)).astype(np.float32)
    tifffile.imwrite(tmp_path / "scan.tiff", points, photometric="rgb", compression="lerc")
    with pytest.raises(InputError, match="is compressed as LERC; write it with one of"):
        read_scan(tmp_path / "scan.tiff")
    for compression in ("lzw", "zlib", "deflate", "packbits", "lzma", "zstd"):
        tifffile.imwrite(tmp_path / "scan.tiff", points, photometric="rgb", compression=compression)
        np.testing.assert_array_equal(read_scan(tmp_path / "scan.tiff").points, points)
    with zipfile.ZipFile(tmp_path / "scan.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("points.npy", npy_of((4096, 3), points.tobytes()))
    with pytest.raises(InputError, match=r"points\.npy is compressed by method 12, not by deflate"):
        read_scan(tmp_path / "scan.npz")


def test_a_scan_that_names_another_file_is_read_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tifffile.imwrite(tmp_path / "other.tiff", np.full((8, 9, 3), 2, np.float32), photometric="rgb")
    description = (
        '<OME UUID="urn:uuid:1"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="CXYZT" Type="float" '
        'SizeX="9" SizeY="8" SizeC="3" SizeZ="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="3"/>'
        f'<TiffData IFD="0"><UUID FileName="{tmp_path}/other.tiff">urn:uuid:2</UUID></TiffData></Pixels></Image></OME>'
    )
    own = np.ones((8, 9, 3), np.float32)
    tifffile.imwrite(tmp_path / "scan.tiff", own, photometric="rgb", description=description, metadata=None)
    np.testing.assert_array_equal(read_scan(tmp_path / "scan.tiff").points, own)
    assert "other.tiff" not in caplog.text, "opened, and refused only for want of what it needs"


@pytest.mark.usefixtures("little_memory")
def test_a_strip_of_four_gigabytes_is_read_as_far_as_there_is_any(tmp_path: Path) -> None:
    (tmp_path / "claim.tiff").write_bytes(long_strip())
    np.testing.assert_array_equal(read_scan(tmp_path / "claim.tiff").points, np.ones((8, 9, 3)))


def test_the_largest_number_of_points_is_taken(tmp_path: Path) -> None:
    values = np.ones((MOST_POINTS, 3), dtype=np.int8)
    values[:, 0] = np.arange(MOST_POINTS) % 100
    np.save(tmp_path / "largest.npy", values)
    assert read_scan(tmp_path / "largest.npy").points.shape == (MOST_POINTS, 3)
    del values
    np.save(tmp_path / "larger.npy", np.ones((MOST_POINTS + 1, 3), dtype=np.int8))
    with pytest.raises(InputError, match=f"holds {MOST_POINTS + 1} points; give a scan with at most {MOST_POINTS}"):
        read_scan(tmp_path / "larger.npy")


def obj_with_a_face_of(path: Path, lines: int) -> Path:
    vertices = np.random.default_rng(0).normal(size=(90, 3))
    text = "".join(f"v {x} {y} {z}\n" for x, y, z in vertices.tolist())
    path.write_text(text + "f " + "\\\n" * (lines - 1) + "1 2 3\n")
    return path


def test_faces_over_many_lines(tmp_path: Path) -> None:
    assert read_scan(obj_with_a_face_of(tmp_path / "a.obj", 10_000)).is_mesh


@pytest.mark.usefixtures("little_memory")
def test_faces_over_endless_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has a vertex or face of more than 10001 lines"):
        read_scan(obj_with_a_face_of(tmp_path / "a.obj", 10_000_000))


@pytest.mark.parametrize("suffix", [".tiff", ".npy", ".pcd"])
def test_a_lack_of_memory_is_no_fault_of_the_file(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object, **__: object) -> None:
        raise MemoryError

    path = tmp_path / f"scan{suffix}"
    if suffix == ".tiff":
        tifffile.imwrite(path, np.ones((8, 9, 3), np.float32), photometric="rgb")
        monkeypatch.setattr(tifffile, "TiffFile", lacking)
    elif suffix == ".npy":
        np.save(path, np.ones((8, 3)))
        monkeypatch.setattr(np.lib.format, "read_array_header_1_0", lacking)
    else:
        fields = header("x y z", "4 4 4", "F F F", "1 1 1", 1, data="binary_compressed")
        path.write_bytes(fields + struct.pack("<II", 12, 12) + bytes(12))
        monkeypatch.setattr(imagecodecs, "lzf_decode", lacking)
    with pytest.raises(MemoryError):
        read_scan(path)

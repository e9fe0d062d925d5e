"""The reader of all formats, with files that other libraries wrote and with files that are broken."""

import io
import logging
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import open3d
import plyfile
import pytest
import tifffile
import trimesh

from pointad.errors import InputError
from pointad.scans.files import SUFFIXES, read_scan

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(500, 3))
COLORS = RNG.integers(0, 256, (500, 3)).astype(np.uint8)
COLORS[0] = 255  # so that nobody takes them for 0 to 1


def open3d_cloud() -> open3d.geometry.PointCloud:
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(POINTS))
    cloud.colors = open3d.utility.Vector3dVector(COLORS / 255)
    return cloud


@pytest.mark.parametrize("suffix", [".pcd", ".ply"])
@pytest.mark.parametrize("options", [{}, {"write_ascii": True}, {"compressed": True}], ids=["binary", "ascii", "lzf"])
def test_clouds_written_by_open3d(tmp_path: Path, suffix: str, options: dict[str, bool]) -> None:
    path = tmp_path / f"cloud{suffix}"
    assert open3d.io.write_point_cloud(str(path), open3d_cloud(), **options)
    scan = read_scan(path)
    np.testing.assert_allclose(scan.points, POINTS, atol=1e-5)  # Open3D writes six digits
    assert scan.colors is not None and not scan.is_mesh
    np.testing.assert_allclose(scan.colors.astype(int), COLORS, atol=1)


@pytest.mark.parametrize("suffix", [".xyz", ".pts"])
def test_text_written_by_open3d(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cloud{suffix}"
    assert open3d.io.write_point_cloud(str(path), open3d_cloud())
    scan = read_scan(path)
    np.testing.assert_allclose(scan.points, POINTS, atol=1e-6)
    if suffix == ".pts":
        np.testing.assert_allclose(scan.colors.astype(int), COLORS, atol=1)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_ply_written_by_plyfile(tmp_path: Path, text: bool, kind: str) -> None:
    vertices = np.zeros(500, [("nx", "f4"), ("x", kind), ("y", kind), ("z", kind), ("quality", "i4")])
    for axis, name in enumerate("xyz"):
        vertices[name] = POINTS[:, axis]
    plyfile.PlyData([plyfile.PlyElement.describe(vertices, "vertex")], text=text).write(str(tmp_path / "a.ply"))
    np.testing.assert_allclose(read_scan(tmp_path / "a.ply").points, POINTS, atol=1e-6)


@pytest.mark.parametrize("delimiter", [" ", ",", ", ", "\t", ";"])
@pytest.mark.parametrize("header", ["", "x,y,z,r,g,b", "500", "a scan\nof 500 points"])
def test_text_with_any_separator(tmp_path: Path, delimiter: str, header: str) -> None:
    path = tmp_path / "cloud.txt"
    np.savetxt(path, np.hstack([POINTS, COLORS]), delimiter=delimiter, header=header, comments="", fmt="%.9f")
    scan = read_scan(path)
    np.testing.assert_allclose(scan.points, POINTS, atol=1e-8)
    np.testing.assert_array_equal(scan.colors, COLORS)


def test_normals_are_no_colors(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "cloud.txt", np.hstack([POINTS, POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)]))
    assert read_scan(tmp_path / "cloud.txt").colors is None


def test_windows_line_ends_and_comments(tmp_path: Path) -> None:
    (tmp_path / "cloud.xyz").write_bytes(b"# scanner 5\r\n0 1 2\r\n\r\n// pause\r\n3 4 nan\r\n5 6 7")
    scan = read_scan(tmp_path / "cloud.xyz")
    np.testing.assert_array_equal(scan.points, [[0, 1, 2], [3, 4, np.nan], [5, 6, 7]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path: Path, dtype: str, order: str) -> None:
    values = np.array(POINTS * 100, dtype=dtype, order=order)
    np.save(tmp_path / "cloud.npy", values)
    np.testing.assert_array_equal(read_scan(tmp_path / "cloud.npy").points, values)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, save) -> None:  # type: ignore[no-untyped-def]
    save(tmp_path / "cloud.npz", points=POINTS, colors=COLORS, other=np.zeros(3))
    scan = read_scan(tmp_path / "cloud.npz")
    np.testing.assert_array_equal(scan.points, POINTS)
    np.testing.assert_array_equal(scan.colors, COLORS)
    save(tmp_path / "single.npz", POINTS)
    np.testing.assert_array_equal(read_scan(tmp_path / "single.npz").points, POINTS)


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_organized_tiff(tmp_path: Path, planes: bool, compression: str | None) -> None:
    xyz = RNG.random((40, 30, 3)).astype(np.float32) + 1
    xyz[3, 4] = 0
    xyz[5, 6, 1] = np.nan
    tifffile.imwrite(
        tmp_path / "scan.tiff",
        np.moveaxis(xyz, -1, 0) if planes else xyz,
        photometric="minisblack" if planes else "rgb",
        planarconfig="separate" if planes else "contig",
        compression=compression,
    )
    scan = read_scan(tmp_path / "scan.tiff")
    assert scan.is_organized and not scan.present[3, 4] and not scan.present[5, 6]
    np.testing.assert_array_equal(scan.points[scan.present], xyz[scan.present])


def test_points_that_are_not_finite_keep_their_places(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    points = POINTS.copy()
    points[[3, 77]] = np.nan
    points[200, 1] = np.inf
    np.save(tmp_path / "cloud.npy", points)
    with caplog.at_level(logging.WARNING):
        scan = read_scan(tmp_path / "cloud.npy")
    assert "3 of 500 points are not finite" in caplog.text
    assert scan.points.shape == (500, 3) and np.flatnonzero(~scan.present).tolist() == [3, 77, 200]
    assert not scan.is_organized
    np.testing.assert_array_equal(scan.points[scan.present], np.delete(POINTS, [3, 77, 200], axis=0))


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl"])
def test_meshes_are_sampled_uniformly(tmp_path: Path, suffix: str) -> None:
    # A box of 1 x 2 x 3: its faces have areas 2, 3, 6 (twice each).
    trimesh.creation.box(extents=(1, 2, 3)).export(tmp_path / f"box{suffix}")
    scan = read_scan(tmp_path / f"box{suffix}", mesh_points=22_000)
    assert scan.is_mesh and scan.points.shape == (22_000, 3)
    half = np.array([0.5, 1, 1.5])
    on_face = np.isclose(np.abs(scan.points), half, atol=1e-6)
    assert on_face.any(axis=1).all() and (np.abs(scan.points) <= half + 1e-6).all()
    np.testing.assert_allclose(on_face.sum(axis=0), [12_000, 6_000, 4_000], rtol=0.05)
    np.testing.assert_allclose(scan.points.mean(axis=0), 0, atol=0.03)
    np.testing.assert_array_equal(read_scan(tmp_path / f"box{suffix}", mesh_points=22_000).points, scan.points)
    assert not np.array_equal(read_scan(tmp_path / f"box{suffix}", mesh_points=22_000, seed=1).points, scan.points)


def test_colors_of_a_mesh_are_interpolated(tmp_path: Path) -> None:
    mesh = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], process=False)
    mesh.visual.vertex_colors = [[0, 0, 0, 255], [200, 0, 0, 255], [0, 100, 0, 255]]
    mesh.export(tmp_path / "triangle.ply")
    scan = read_scan(tmp_path / "triangle.ply", mesh_points=1000)
    assert scan.colors is not None
    np.testing.assert_allclose(scan.colors[:, 0], 200 * scan.points[:, 0], atol=0.51)
    np.testing.assert_allclose(scan.colors[:, 1], 100 * scan.points[:, 1], atol=0.51)


def test_obj_of_points_alone(tmp_path: Path) -> None:
    (tmp_path / "cloud.obj").write_text("mtllib /etc/passwd\n" + "".join(f"v {x} {y} {z}\n" for x, y, z in POINTS))
    scan = read_scan(tmp_path / "cloud.obj")
    assert not scan.is_mesh
    np.testing.assert_allclose(scan.points, POINTS, atol=1e-8)


def npy_header(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def pcd_header(count: int, data: str) -> bytes:
    text = f"VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {count}\nHEIGHT 1\nPOINTS {count}\n"
    return f"{text}DATA {data}\n".encode()


def ply_header(count: int, form: str) -> bytes:
    text = f"ply\nformat {form} 1.0\nelement vertex {count}\nproperty float x\nproperty float y\nproperty float z\n"
    return f"{text}end_header\n".encode()


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


HUGE = 10**12
BROKEN = {
    "huge.npy": npy_header((HUGE, 3)) + b"0" * 100,
    "huge2.npy": npy_header((2**40, 2**40, 3)) + b"0" * 100,
    "negative.npy": npy_header((-1, 3)) + b"0" * 100,
    "object.npy": npy_header((1, 3), "|O") + b"0" * 24,
    "long.npy": npy_header((1, 3)) + b"0" * 24,
    "flat.npy": npy_header((6,)) + b"0" * 24,
    "huge.npz": zipped("points.npy", npy_header((HUGE, 3)) + b"0" * 100),
    "bad.npz": zipped("points.npy", b"no array"),
    "other.npz": zipped("a.npy", npy_header((0, 3))) + zipped("b.npy", npy_header((0, 3))),
    "cut.npz": zipped("points.npy", npy_header((100, 3)) + b"0" * 1200)[:150],
    "huge.pcd": pcd_header(HUGE, "binary") + b"0" * 100,
    "huge_text.pcd": pcd_header(HUGE, "ascii") + b"0 0 0\n" * 20,
    "huge_lzf.pcd": pcd_header(HUGE, "binary_compressed") + struct.pack("<II", 60, 12) + b"0" * 60,
    "cut_lzf.pcd": pcd_header(10, "binary_compressed") + struct.pack("<II", 60, 120) + b"0" * 9,
    "negative.pcd": pcd_header(-5, "binary"),
    "short.pcd": pcd_header(5, "ascii") + b"0 0 1\n" * 4,
    "empty.pcd": pcd_header(0, "binary"),
    "fieldless.pcd": b"FIELDS a b\nSIZE 4 4\nTYPE F F\nPOINTS 1\nDATA ascii\n1 2\n",
    "huge.ply": ply_header(HUGE, "binary_little_endian") + b"0" * 100,
    "huge_text.ply": ply_header(HUGE, "ascii") + b"0 0 0\n" * 20,
    "cut.ply": ply_header(10, "binary_little_endian") + b"0" * 100,
    "empty.ply": ply_header(0, "ascii"),
    "headless.ply": b"ply\nformat ascii 1.0\n",
    "huge.stl": b" " * 80 + struct.pack("<I", 2**32 - 1) + b"0" * 100,
    "no.stl": b"solid nothing\nendsolid nothing\n",
    "no.obj": b"# nothing\n",
    "wild.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n",
    "flat.obj": b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n",
    "words.txt": b"there are no numbers here\n" * 5,
    "two.txt": b"1 2\n3 4\n",
    "ragged.txt": b"1 2 3\n4 5\n",
    "nothing.xyz": b"",
    "nan.xyz": b"nan nan nan\n" * 4,
    "zeros.tiff": b"II*\0" + b"\0" * 20,
    "nothing.tiff": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(InputError) as caught:
        read_scan(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_garbage_is_refused_whatever_it_is_called(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(InputError):
        read_scan(path)


@pytest.mark.parametrize("suffix", [".pcd", ".ply", ".npy", ".npz", ".stl", ".tiff"])
def test_truncated_files_never_end_in_a_traceback(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix in (".pcd", ".ply"):
        open3d.io.write_point_cloud(str(whole), open3d_cloud())
    elif suffix == ".stl":
        trimesh.creation.icosphere(2).export(whole)
    elif suffix == ".tiff":
        tifffile.imwrite(whole, RNG.random((30, 30, 3)).astype(np.float32), photometric="rgb", compression="zlib")
    else:
        (np.save if suffix == ".npy" else np.savez)(whole, POINTS)
    content = whole.read_bytes()
    for length in np.linspace(0, len(content) - 1, 25).astype(int):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(content[:length])
        with pytest.raises(InputError):
            read_scan(cut)


def test_unknown_ending_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unsupported extension '\.doc'"):
        (tmp_path / "scan.doc").touch()
        read_scan(tmp_path / "scan.doc")
    for missing in ("scan.ply", "a folder that was misspelt", "scan.las"):
        with pytest.raises(InputError, match="does not exist; check the path"):
            read_scan(tmp_path / missing)
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read_scan(tmp_path / "folder.ply")


@pytest.mark.parametrize("name", ["a.pcd", "z.pcd", "a.ply", "m.obj", "m.stl", "a.npy", "a.npz", "a.tiff", "a.xyz"])
def test_damaged_files_are_read_or_refused_but_never_crash(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in ("a.pcd", "z.pcd", "a.ply", "a.xyz"):
        open3d.io.write_point_cloud(str(path), open3d_cloud(), compressed=name == "z.pcd")
    elif name.startswith("m"):
        trimesh.creation.icosphere(1).export(path)
    elif name == "a.tiff":
        tifffile.imwrite(path, RNG.random((9, 8, 3)).astype(np.float32), photometric="rgb", compression="zlib")
    else:
        (np.save if name == "a.npy" else np.savez_compressed)(path, POINTS)
    content = path.read_bytes()
    rng = np.random.default_rng(2)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(rng.integers(1, 5)):
            place = int(rng.integers(min(len(damaged), 400)))
            inserted = rng.choice([b"", b"9" * 12, b"-1", b"nan", b"1e308", b" ", b"\n", b"(", bytes(rng.bytes(3))])
            damaged[place : place + int(rng.integers(0, 4))] = inserted
        path.write_bytes(damaged)
        try:
            scan = read_scan(path, mesh_points=50)
            assert scan.present.any()
            outcomes["read"] += 1
        except InputError as error:
            assert name in str(error)
            outcomes["refused"] += 1
    assert outcomes["refused"]


@pytest.mark.parametrize("element", ["face", "tristrips"])
def test_a_number_called_like_the_list_of_faces(element: str, tmp_path: Path) -> None:
    """Of equal names the first counts, so that there are no faces."""
    points = np.random.default_rng(0).random((200, 3)).round(4)
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    faces = f"element {element} 0\nproperty int vertex_indices\nproperty list uchar int vertex_indices\n"
    header = f"ply\nformat ascii 1.0\nelement vertex 200\n{properties}{faces}end_header\n"
    (tmp_path / "a.ply").write_text(header + "".join(f"{x} {y} {z}\n" for x, y, z in points))
    np.testing.assert_allclose(read_scan(tmp_path / "a.ply").points, points, atol=1e-6)


def test_a_signalling_nan_in_a_grid_is_a_hole_without_a_word(tmp_path: Path) -> None:
    grid = np.random.default_rng(0).random((20, 20, 3)) + 1
    grid.view(np.uint64)[3, 4] = 0x7FF4000000000000
    np.save(tmp_path / "a.npy", grid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_scan(tmp_path / "a.npy").present.sum() == 399

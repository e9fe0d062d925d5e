"""Files that are no scans, are called by another format's name, or are in a format that is not read."""

import gzip
import io
import zipfile

from dialects.arrays import npy
from dialects.base import POINTS, lines, rows
from dialects.ply import vertices, written

_ROWS = rows(POINTS)
_PLY = written(vertices(), text=True)
_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def _spreadsheet() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return buffer.getvalue()


REFUSED_OTHERS = {
    "PLY": (".xyz", _PLY, "holds PLY data; rename it so that it ends in .ply"),
    "array": (".npz", npy(POINTS), "holds NPY data; rename it so that it ends in .npy"),
    "OBJ": (".txt", lines([f"v {row}" for row in _ROWS], "# Blender"), "holds OBJ data; rename it"),
    "OFF": (".txt", lines(_ROWS, f"OFF\n{len(_ROWS)} 0 0"), "holds OFF data; save it as .ply or .stl"),
    "LAS": (".ply", b"LASF" + b"\0" * 400, "holds LAS data; save it as .ply, with CloudCompare"),
    "spreadsheet": (".csv", _spreadsheet(), "holds ZIP data; unpack it first; if it is a spreadsheet, save it as .csv"),
    "pointer": (".tiff", _POINTER, "it is a Git LFS pointer"),
    "web page": (".pcd", b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page"),
    "compressed": (".ply", gzip.compress(_PLY), "it is compressed with gzip"),
    "nothing": (".stl", b"", "it is empty"),
    "laser scan": (".laz", b"LASF", "save it as .ply, with CloudCompare, PDAL or laspy"),
    "mesh": (".glb", b"glTF", "save it as .ply or .stl, with MeshLab, Blender or trimesh"),
    "CAD": (".step", b"ISO-10303-21;", "save its surface as .stl in the CAD program"),
    "sensor": (".zdf", b"\x89HDF", "save its point cloud as .ply, .pcd or .pts in the program of the sensor"),
    "MATLAB": (".mat", b"MATLAB 5.0", "numpy.save"),
    "picture of heights": (".png", b"\x89PNG\r\n", "docs/formats.md, Height maps"),
}

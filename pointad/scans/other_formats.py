"""Files that are not read: what they hold, by their extension or their first bytes, and how to make a scan of them."""

import re
from collections.abc import Collection
from pathlib import Path

from pointad.errors import InputError, short
from pointad.files.unlikely_content import unlikely_content

_LOOKED_AT = 512  # bytes
_DOCS = "docs/formats.md, Other formats"
HEIGHT_MAP_REMEDY = "write x, y and z of every pixel into an .npy or .tiff file (docs/formats.md, Height maps)"
_MESH = f"save it as .ply or .stl, with MeshLab, Blender or trimesh ({_DOCS})"
_OTHER_MESH = "save it as .ply or .stl, with MeshLab or Blender"
_CLOUD = "save it as .ply, with CloudCompare"
_POINTS = f"{_CLOUD}, PDAL or laspy ({_DOCS})"
_CAD = "save its surface as .stl in the CAD program, with fine triangles"
_SENSOR = "save its point cloud as .ply, .pcd or .pts in the program of the sensor"
_SURFACE = "save it as text with columns x, y, z in the program of the microscope"
_VTK = "save it as .ply or .stl, with ParaView"
_ARRAYS = f"write the points into an .npy file, with numpy.save ({_DOCS})"
_ARCHIVE = "unpack it first"

_CONVERSIONS = {
    **dict.fromkeys((".las", ".laz"), _POINTS),
    **dict.fromkeys((".e57", ".ptx", ".fls", ".bin", ".sbf"), _CLOUD),
    **dict.fromkeys((".off", ".glb", ".gltf", ".3mf", ".dae"), _MESH),
    **dict.fromkeys((".fbx", ".wrl", ".vrml", ".x3d", ".3ds", ".blend", ".usd", ".usdz", ".gts", ".dxf"), _OTHER_MESH),
    **dict.fromkeys((".step", ".stp", ".iges", ".igs", ".brep", ".sldprt", ".catpart", ".prt", ".x_t", ".ipt"), _CAD),
    **dict.fromkeys((".zdf", ".praw", ".bag", ".rcp", ".rcs", ".zfs"), _SENSOR),
    **dict.fromkeys(
        (".sur", ".plu", ".plux", ".al3d", ".x3p", ".vk4", ".vk6", ".zon", ".zag", ".opd", ".nms"), _SURFACE
    ),
    **dict.fromkeys((".sdf", ".gwy", ".mnt", ".datx", ".tmd"), _SURFACE),
    ".om3": "save it as .ply, with HALCON's write_object_model_3d",
    **dict.fromkeys((".vtk", ".vtp", ".vtu", ".vti", ".vts", ".xdmf"), _VTK),
    **dict.fromkeys(
        (".mat", ".h5", ".hdf5", ".pkl", ".pickle", ".pt", ".pth", ".json", ".feather", ".parquet"), _ARRAYS
    ),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "save it as .csv, with columns called x, y, z"),
    ".zip": f"{_ARCHIVE}; if it is a spreadsheet, save it as .csv, with columns called x, y, z",
    **dict.fromkeys((".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"), _ARCHIVE),
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".bmp", ".exr", ".hdr", ".pgm", ".pfm", ".webp", ".raw"), HEIGHT_MAP_REMEDY
    ),
    **dict.fromkeys((".dat", ".neu", ".pol", ".3d"), "if it is text with x, y, z in every row, rename it to .txt"),
}

_BEGINNINGS: tuple[tuple[re.Pattern[bytes], str, tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), name, suffixes)
    for pattern, name, suffixes in (
        (rb"ply\s", "PLY", (".ply",)),
        (rb"# \.PCD", "PCD", (".pcd",)),
        (rb"\x93NUMPY", "NPY", (".npy",)),
        (rb"(?s)PK\x03\x04.{26}[^\0]*?\.npy", "NPZ", (".npz",)),
        (rb"PK\x03\x04", "ZIP", (".zip", ".npz")),
        (rb"II[*+]\0|MM\0[*+]", "TIFF", (".tiff", ".tif")),
        (rb"(?i)solid\b[^\0]*\bfacet\b", "STL", (".stl",)),
        (rb"(?:#[^\n]*\n\s*|(?:mtllib|o|g) [^\n]*\n\s*)*v +[-+.\d]+ +[-+.\d]+ +[-+.\d]", "OBJ", (".obj",)),
        (rb"(?:ST)?C?N?4?OFF\b", "OFF", (".off",)),
        (rb"LASF", "LAS", (".las",)),
        (rb"ASTM-E57", "E57", (".e57",)),
        (rb"glTF", "GLB", (".glb",)),
        (rb"CCB2", "CloudCompare's BIN", (".bin",)),
        (rb"ISO-10303-21", "STEP", (".step",)),
        (rb"#VRML", "VRML", (".wrl",)),
        (rb"# vtk DataFile", "VTK", (".vtk",)),
        (rb"MATLAB 5\.0|\x89HDF\r\n", "MATLAB's or HDF5", (".mat",)),
        (rb"\x89PNG\r\n", "PNG", (".png",)),
        (rb"\xff\xd8\xff", "JPEG", (".jpg",)),
    )
)
"""Beginnings of files, what they show, and the extensions that such files have."""


def unsupported_extension(path: str | Path, supported: Collection[str]) -> InputError:
    """The error for a file whose extension is not read, with the conversion if one is known."""
    suffix = Path(path).suffix.lower()
    remedy = conversion(suffix) or (f"use one of {', '.join(supported)}")
    problem = (
        f"has the unsupported extension {short(repr(suffix))}" if suffix else "has no extension, which tells the format"
    )
    return InputError(path, problem, remedy)


def conversion(suffix: str) -> str | None:
    """What to do with files of this extension, in lower case, which are not read; None if it is unknown."""
    return _CONVERSIONS.get(suffix)


def is_certain(suffix: str) -> bool:
    """Whether files with this extension, which are not read, can hold hardly anything but points or a surface."""
    return _CONVERSIONS.get(suffix) in (_CLOUD, _POINTS, _MESH, _OTHER_MESH, _CAD, _SENSOR, _SURFACE)


def check_beginning(path: Path, supported: Collection[str], what: str = "a scan", otherwise: str | None = None) -> None:
    """Refuse a file whose first bytes show that its extension is wrong, or that it is no data at all.

    Args:
        path: a regular file.
        supported: the extensions of what is recognized by its first bytes and read.
        what: it should be.
        otherwise: what to do with other formats; None: how to make a scan of them.

    Raises:
        InputError: it is empty, a Git LFS pointer, a web page, compressed, or in another format than it is called.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError:  # the reader will say why
        return
    suffix = path.suffix.lower()
    for pattern, name, suffixes in _BEGINNINGS:
        if pattern.match(start) and not (suffix in suffixes and suffix in supported):
            rename = f"rename it so that it ends in {suffixes[0]}"
            remedy = rename if suffixes[0] in supported else otherwise or _CONVERSIONS[suffixes[0]]
            raise InputError(path, f"holds {name} data", remedy)
    reason = unlikely_content(path)
    if reason is not None:
        raise InputError(path, f"is not {what}: {reason}", "replace the file")

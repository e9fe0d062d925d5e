"""Makes scans of shapes that this project did not model: meshes laid on a table, seen from above, some with defects.

    python tools/make_mesh_scans.py bunny.stl chair.obj --output RAW
    python scripts/render_dataset.py --dataset mvtec_pc_3d_rgb --data_path RAW --save_path RENDERED

One class a mesh, called like its file, in MVTec 3D-AD's raw format. Every specimen lies on the table as the mesh does
when its shortest axis stands up; it is turned in its plane, shifted, tilted a little, scaled by up to 2 % and uneven by
up to a tenth of a millimetre. Defects are dents, bumps, scratches and missing pieces; the scanner is the demo's.
"""

import argparse
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import tifffile
import trimesh
from PIL import Image

from pointad.commands.argument_types import positive_integer
from pointad.commands.program import HelpFormatter, run
from pointad.demo.defects import TABLE_LIMIT, Specimen
from pointad.demo.noise import smooth_noise, smooth_step
from pointad.demo.scanner import Scanner, scan
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.inspection.preparation import principal_axes

SIDE, FIELD_OF_VIEW = 400, 0.15  # pixels and metres of a scan's side
LONGEST = 0.095  # metres, the longest side of an object
TALLEST = 0.045
LIFT = 0.004  # metres above the table: what lies lower goes when the table is removed
SCANNER = Scanner(tilt=0.04)
LOWEST = TABLE_LIMIT + 0.002  # metres above the table that an object must rise, so that defects have room on it
VISIBLE = 0.0002  # metres; smaller changes are no defect


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("meshes", type=Path, nargs="+", metavar="MESH", help="files that trimesh reads")
    parser.add_argument("--output", type=Path, required=True, help="folder of the raw data set")
    parser.add_argument("--good", type=positive_integer, default=10, help="good scans per shape")
    parser.add_argument("--bad", type=positive_integer, default=2, help="defective scans per shape and kind of defect")
    parser.add_argument("--seed", type=int, default=7, help="random seed")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Make all scans of all meshes."""
    for path in arguments.meshes:
        mesh = load_mesh(path)
        counts = {"good": arguments.good, **dict.fromkeys(DEFECTS, arguments.bad)}
        for species, count in counts.items():
            for number in range(count):
                text = f"{path.stem}/{species}/{number}"
                rng = np.random.default_rng([arguments.seed, zlib.crc32(text.encode())])
                write(make_scan(mesh, species, rng), arguments.output / path.stem / "test" / species, number)


def load_mesh(path: Path) -> trimesh.Trimesh:
    """A mesh in metres on the table, its shortest principal axis standing up.

    Raises:
        InputError: the file cannot be read as a mesh, or is of a shape too flat to be told from the table.
    """
    try:
        mesh = trimesh.load(path, force="mesh", skip_materials=True)
        if not isinstance(mesh, trimesh.Trimesh):
            raise TypeError(f"it holds a {type(mesh).__name__}")
    except Exception as error:
        raise InputError(path, f"is not readable as a mesh ({error})", "name another file") from error
    points, _ = trimesh.sample.sample_surface(mesh, 20_000, seed=1)
    mesh.vertices = (mesh.vertices - points.mean(axis=0)) @ principal_axes(points).T
    extents = mesh.bounds[1] - mesh.bounds[0]
    mesh.vertices *= min(LONGEST / max(extents[:2]), TALLEST / extents[2])
    mesh.vertices -= [*(mesh.bounds.mean(axis=0)[:2]), mesh.bounds[0, 2] - LIFT]
    if mesh.bounds[1, 2] < LOWEST:
        high = 1000 * (mesh.bounds[1, 2] - LIFT)
        raise InputError(
            path, f"is too flat: {high:.1f} mm high and {1000 * LONGEST:g} mm long", "name a thicker shape"
        )
    return mesh


def make_scan(mesh: trimesh.Trimesh, species: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One scan of one specimen: xyz, rgb and mask as `pointad.demo.scanner.scan` gives them."""
    position = (np.arange(SIDE) + 0.5 - SIDE / 2) * (FIELD_OF_VIEW / SIDE)
    height = heights(turned(mesh, rng), position)
    uneven = rng.uniform(0.00003, 0.0001) * smooth_noise(rng, position, position, 0.006, 0.05, waves=24)
    height = np.where(height > 0, height + uneven, 0)
    albedo = np.where((height > 0)[..., None], rng.uniform(0.45, 0.6), 0.2) * np.ones(3)
    specimen = Specimen(position, position, height, albedo, np.zeros(height.shape, bool))
    if species != "good":
        changed = DEFECTS[species](rng, specimen)
        mask = (np.abs(changed - height) > VISIBLE) & ((changed > TABLE_LIMIT) | (height > TABLE_LIMIT))
        specimen = replace(specimen, height=changed, mask=mask & (changed > 0))
    made = scan(rng, specimen, SCANNER)
    assert made.rgb is not None and made.mask is not None
    return {"xyz": made.xyz, "rgb": made.rgb, "gt": made.mask}


def turned(mesh: trimesh.Trimesh, rng: np.random.Generator) -> trimesh.Trimesh:
    """A copy as the next specimen lies on the table."""
    copy = mesh.copy()
    copy.vertices *= rng.uniform(0.98, 1.02)
    about = trimesh.transformations.rotation_matrix
    copy.apply_transform(about(rng.uniform(-0.02, 0.02), [1, 0, 0]) @ about(rng.uniform(-0.02, 0.02), [0, 1, 0]))
    copy.apply_transform(about(rng.uniform(0, 2 * np.pi), [0, 0, 1]))
    copy.vertices += [*rng.uniform(-0.006, 0.006, 2), 0]
    return copy


def heights(mesh: trimesh.Trimesh, position: np.ndarray) -> np.ndarray:
    """(H, W) metres of the mesh above the table, 0 beside it, seen straight from above."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    tensor = o3d.core.Tensor.from_numpy
    scene.add_triangles(tensor(mesh.vertices.astype(np.float32)), tensor(mesh.faces.astype(np.uint32)))
    x, y = np.meshgrid(position, position)
    rays = np.stack([x, y, np.ones_like(x), *np.broadcast_to([[[0]], [[0]], [[-1]]], (3, *x.shape))], axis=-1)
    distance = scene.cast_rays(tensor(rays.astype(np.float32)))["t_hit"].numpy()
    return np.where(np.isfinite(distance), np.maximum(1 - distance, 0), 0).astype(np.float64)


def _spot(rng: np.random.Generator, specimen: Specimen) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (H, W) along x and y from a random place on the object."""
    row, column = np.unravel_index(rng.choice(np.flatnonzero(specimen.height > TABLE_LIMIT + 0.001)), (SIDE, SIDE))
    angle = rng.uniform(0, np.pi)
    dx, dy = specimen.x[None, :] - specimen.x[column], specimen.y[:, None] - specimen.y[row]
    return dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)


def _lowered(specimen: Specimen, depth: np.ndarray) -> np.ndarray:
    floor = np.minimum(specimen.height, TABLE_LIMIT + 0.0005)
    return np.where(specimen.height > 0, np.maximum(specimen.height - depth, floor), 0)


def _dent(rng: np.random.Generator, specimen: Specimen) -> np.ndarray:
    u, v = _spot(rng, specimen)
    radius = rng.uniform(0.0035, 0.007)
    return _lowered(specimen, rng.uniform(0.0012, 0.0035) * np.exp(-2 * ((u / 1.2) ** 2 + v**2) / radius**2))


def _bump(rng: np.random.Generator, specimen: Specimen) -> np.ndarray:
    u, v = _spot(rng, specimen)
    radius = rng.uniform(0.0035, 0.0065)
    rise = rng.uniform(0.0012, 0.0035) * np.clip(1 - (u**2 + v**2) / radius**2, 0, None)
    return np.where(specimen.height > 0, specimen.height + rise, 0)


def _scratch(rng: np.random.Generator, specimen: Specimen) -> np.ndarray:
    u, v = _spot(rng, specimen)
    length, width = rng.uniform(0.010, 0.02), rng.uniform(0.0009, 0.0018)
    profile = np.clip(1 - (v / width) ** 2, 0, None) * (1 - smooth_step(np.abs(u), 0.85 * length, length))
    return _lowered(specimen, rng.uniform(0.0010, 0.0022) * profile)


def _missing(rng: np.random.Generator, specimen: Specimen) -> np.ndarray:
    u, v = _spot(rng, specimen)
    radius = rng.uniform(0.004, 0.007)
    uneven = 1 + 0.15 * np.cos(3 * np.arctan2(v, u) + rng.uniform(0, 6))
    gone = np.hypot(u, v) < radius * uneven
    fracture = (
        specimen.height - rng.uniform(0.004, 0.009) + 0.0004 * smooth_noise(rng, specimen.x, specimen.y, 0.002, 0.006)
    )
    return np.where(
        gone & (specimen.height > 0), np.maximum(fracture, np.minimum(specimen.height, 0.007)), specimen.height
    )


DEFECTS: dict[str, Callable[[np.random.Generator, Specimen], np.ndarray]] = {
    "dent": _dent,
    "bump": _bump,
    "scratch": _scratch,
    "missing": _missing,
}


def write(made: dict[str, np.ndarray], folder: Path, number: int) -> None:
    """Write one scan below its species' folder."""
    with atomic_path(folder / "xyz" / f"{number:03d}.tiff") as path:
        tifffile.imwrite(path, made["xyz"], photometric="minisblack", planarconfig="contig")
    for name in ("rgb", "gt"):
        with atomic_path(folder / name / f"{number:03d}.png") as path:
            Image.fromarray(made[name]).save(path, compress_level=1)


if __name__ == "__main__":
    run(main, build_parser())

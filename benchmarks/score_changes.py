"""Prints the figures of docs/inspection.md: what views of the ends gain, and what storage, rounding and meshes change.

    python benchmarks/score_changes.py                  # all of them: some minutes
    python benchmarks/score_changes.py --tables ends    # or one

Demo weights on a CPU; all scans are generated.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tabulate import tabulate

from benchmarks.part_scans import PARTS, part, turned_mesh
from benchmarks.predict import closed_shape
from pointad.commands.program import HelpFormatter, run
from pointad.inspection.predictor import PointAD
from pointad.metrics.threshold_free import auroc
from pointad.scans.files import read_scan

RIGS = ("around", "all_sides")
SCANS = 5  # with a dent and as many with a bump, of every part at either place
DEPTH = 1.5  # millimetres
OFFSET = np.array([3_512_000.0, 5_405_000.0, 300.0])  # of national coordinates, metres
STEPS = (10_000, 1_600, 400, 60)  # of rounding, in one extent


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="which to print")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print the tables."""
    logging.getLogger("pointad").setLevel(logging.ERROR)
    detector = PointAD.from_checkpoint(device="cpu")
    for name in arguments.tables:
        print(f"\n{name}")
        TABLES[name](detector)


def ends(detector: PointAD) -> None:
    """AUROC of the points of parts with a defect at an end or elsewhere, and scores beside those of good ones."""
    rows = []
    for rig in RIGS:
        row = [rig]
        for name in PARTS:
            found = []
            for at_end in (True, False):
                scans = [part(name, seed, depth, at_end) for seed in range(SCANS) for depth in (DEPTH, -DEPTH)]
                scores = [detector.predict(scan.points, rig=rig).point_scores for scan in scans]
                values = [auroc(scan.defective, one) or 0.0 for scan, one in zip(scans, scores, strict=True)]
                found.append(f"{100 * np.mean(values):.1f}")
            row.append(", ".join(found))
        rows.append(row)
    print(tabulate(rows, headers=["rig", *(f"{name}: ends, elsewhere" for name in PARTS)]))
    rows = []
    for rig in RIGS:
        reference = detector.make_reference((part("shaft", 100 + seed).points for seed in range(5)), rig)
        judged = {
            "dent at an end": [part("shaft", seed, DEPTH, at_end=True) for seed in range(SCANS)],
            "dent elsewhere": [part("shaft", seed, DEPTH) for seed in range(SCANS)],
            "good": [part("shaft", 200 + seed) for seed in range(SCANS)],
        }
        for name, scans in judged.items():
            compared = (detector.predict(scan.points, rig=rig, reference=reference).score for scan in scans)
            rows.append([rig, name, *(f"{score:.3f}" for score in compared)])
    print(tabulate(rows, headers=["rig", "shaft, compared with five good ones", *["score"] * SCANS]))


def storage(detector: PointAD) -> None:
    """How far scores move when the same points are stored otherwise."""
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "double precision": lambda points: points.astype(np.float64),
        "metres, single precision": lambda points: points * np.float32(0.001),
        "metres, double precision": lambda points: points.astype(np.float64) * 0.001,
        "inches": lambda points: points / np.float32(25.4),
        "another order": lambda points: np.random.default_rng(0).permutation(points),
        "national coordinates": lambda points: points.astype(np.float64) * 0.001 + OFFSET,
    }
    counts = (3_000, 4_000, 9_000, 10_000, 30_000, 100_000, 112_896, 250_000)
    clouds = {f"{count:,} points": closed_shape(count) for count in counts}
    clouds |= {f"3,000 points on an ellipsoid, {seed}": ellipsoid(seed) for seed in range(5)}
    clouds["dome on a lattice"] = dome()
    rows = []
    for name, points in clouds.items():
        score = detector.predict(points).score
        moved = [detector.predict(way(points)).score - score for way in ways.values()]
        rows.append([name, f"{score:.4f}", *(f"{difference:+.5f}" for difference in moved)])
    print(tabulate(rows, headers=["cloud", "score", *ways]))


def ellipsoid(seed: int) -> np.ndarray:
    """3,000 points (N, 3) float32 on an ellipsoid; every seed draws others."""
    directions = np.random.default_rng(seed).normal(size=(3_000, 3))
    return (directions / np.linalg.norm(directions, axis=1, keepdims=True) * [30, 20, 10]).astype(np.float32)


def dome() -> np.ndarray:
    """A dome with a flat rim on a lattice, (N, 3) float32."""
    x, y = np.meshgrid(np.arange(-55.0, 56.0), np.arange(-55.0, 56.0))
    radius = np.hypot(x, y)
    height = np.sqrt(np.clip(40**2 - radius**2, 0, None))
    return np.stack([x, y, 0.5 * height], axis=-1)[radius <= 55].astype(np.float32)


def rounding(detector: PointAD) -> None:
    """How far scores move when coordinates are rounded."""
    rows = []
    for count in (3_000, 10_000, 100_000, 250_000):
        points = closed_shape(count).astype(np.float64)
        score = detector.predict(points).score
        row = [f"{count:,}", f"{score:.4f}"]
        for steps in STEPS:
            step = np.ptp(points, axis=0).max() / steps
            row.append(f"{detector.predict(np.round(points / step) * step).score - score:+.4f}")
        rows.append(row)
    print(tabulate(rows, headers=["points", "score", *(f"1/{steps:,}" for steps in STEPS)]))


def meshes(detector: PointAD) -> None:
    """How far scores of meshes move with the triangles' order, the unit, noise, the seed and the format."""
    random = np.random.default_rng(0)
    vertices, triangles = turned_mesh("knob", 128, 81)
    renumbered = random.permutation(len(vertices))
    size = np.ptp(vertices, axis=0).max()
    ways = {
        "as it is": (vertices, triangles),
        "triangles in another order": (vertices, random.permutation(triangles)),
        "corners in another order": (vertices[np.argsort(renumbered)], renumbered[triangles]),
        "metres": (vertices * 0.001, triangles),
        "noise of 1e-6 of the size": (vertices + 1e-6 * size * random.normal(size=vertices.shape), triangles),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.obj"
        for name, mesh in ways.items():
            _write_obj(path, *mesh, digits=12)
            rows.append([f"{len(triangles):,} triangles", name, detector.predict(read_scan(path).points).score])
        _write_obj(path, vertices, triangles, digits=12)
        for seed in (1, 2):
            score = detector.predict(read_scan(path, seed=seed).points).score
            rows.append([f"{len(triangles):,} triangles", f"seed {seed}", score])
        fine = turned_mesh("shaft", 480, 500)
        for suffix, write in {".obj": _write_obj, ".ply": _write_ply, ".stl": _write_stl}.items():
            write(path.with_suffix(suffix), *fine)
            score = detector.predict(read_scan(path.with_suffix(suffix)).points).score
            rows.append([f"{len(fine[1]):,} triangles", suffix, score])
    print(tabulate(rows, headers=["mesh", "stored", "score"], floatfmt=".4f"))


TABLES: dict[str, Callable[[PointAD], None]] = {
    "ends": ends,
    "storage": storage,
    "rounding": rounding,
    "meshes": meshes,
}


def _write_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray, digits: int = 6) -> None:
    with path.open("w") as file:
        np.savetxt(file, vertices, fmt=f"v %.{digits}f %.{digits}f %.{digits}f")
        np.savetxt(file, triangles + 1, fmt="f %d %d %d")


def _write_ply(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> None:
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n{properties}"
    header += f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    faces = np.empty(len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    path.write_bytes(header.encode() + vertices.astype("<f4").tobytes() + faces.tobytes())


def _write_stl(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> None:
    facets = np.zeros(len(triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    facets["corners"] = vertices[triangles]
    path.write_bytes(bytes(80) + np.uint32(len(triangles)).tobytes() + facets.tobytes())


if __name__ == "__main__":
    run(main, build_parser())

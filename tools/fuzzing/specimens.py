"""A small whole file for every reader, to be damaged."""

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open3d
import torch
import trimesh
from PIL import Image
from safetensors.torch import save_file

from pointad.datasets.registry import DATASETS
from pointad.encoding.feature_cache import FeatureCache, PictureFeatures
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.scans.pcd import write_pcd
from pointad.scans.tiff import write_xyz_tiff
from pointad.training.state import save_training_state
from tools.fuzzing.scan_specimens import SCAN_WRITERS

FEATURE_KEY = "0" * 64
_RNG = np.random.default_rng(0)
_POINTS = _RNG.normal(size=(60, 3))
_COLORS = _RNG.integers(0, 255, (60, 3), dtype=np.uint8)
_DATASET = next(iter(DATASETS.values()))


def write_specimens(root: Path) -> dict[str, Path]:
    """Write all of them, each in a folder of its own: name of the reader -> file."""
    paths = {}
    for name, (file_name, write) in {**_WRITERS, **SCAN_WRITERS}.items():
        paths[name] = root / name / file_name
        paths[name].parent.mkdir(parents=True)
        write(paths[name])
    return paths


def _depth(path: Path) -> None:
    Image.fromarray(_RNG.integers(1, 65535, (32, 32), dtype=np.uint16)).save(path)


def _eyecandies_scan(path: Path) -> None:
    """The file itself is one of three that a scan needs."""
    _depth(path.parent / "000_depth.png")
    (path.parent / "000_info_depth.yaml").write_text("normalization:\n  min: 1.0\n  max: 2.0\n")
    np.savetxt(path.parent / "000_pose.txt", np.eye(4))


def _compressed_pcd(path: Path) -> None:
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.repeat(_POINTS, 4, axis=0)))
    cloud.colors = open3d.utility.Vector3dVector(np.repeat(_COLORS, 4, axis=0) / 255)
    open3d.io.write_point_cloud(path, cloud, compressed=True)


def _ascii_pcd(path: Path) -> None:
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(_POINTS))
    open3d.io.write_point_cloud(path, cloud, write_ascii=True)


def _text(path: Path) -> None:
    np.savetxt(path, np.column_stack([_POINTS, _COLORS]), delimiter=",")


def _metadata(path: Path) -> None:
    folder = "bagel/test/good"
    entry = {
        "d2_img_path": f"{folder}/rgb/000.png",
        "d2_mask_path": f"{folder}/gt/000.png",
        "d3_pc": f"{folder}/xyz/000.tiff",
        "cls_name": "bagel",
        "specie_name": "good",
        "anomaly": 0,
        "d2_render_img_path": f"{folder}/2d_rendering/000",
        "d2_render_gt_path": f"{folder}/2d_gt/000",
        "d2_corrdinate": f"{folder}/2d_3d_cor/000",
    }
    other = json.loads(json.dumps(entry).replace("/000", "/001"))
    path.write_text(json.dumps({"train": {}, "test": {"bagel": [entry, other]}}))


def _results(path: Path) -> None:
    metrics: dict[str, float | None] = {"image_auroc": 0.5, "pixel_aupro": None}
    Results({"bagel": {"point": metrics}}, RunRecord(dataset=_DATASET.name)).save(path)


def _prompts(path: Path) -> None:
    state = {"ctx_pos": torch.rand(1, 1, 3, 8), "compound_prompts_text.0": torch.rand(2, 8)}
    torch.save({"prompt_learner": state}, path)


def _script_archive(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates the format that OpenAI published
        torch.jit.trace(torch.nn.Linear(4, 4), torch.zeros(1, 4)).save(path)


def _pickle(path: Path) -> None:
    """The pickle within an archive, where no checksum keeps damage out."""
    layer = torch.nn.Linear(4, 4).half()
    torch.save({"layer": layer.state_dict(), "losses": [torch.rand(2, 4)], "epoch": 3}, path)
    with zipfile.ZipFile(path) as archive:
        content = archive.read(f"{path.stem}/data.pkl")
    path.write_bytes(content)


def _features(path: Path) -> None:
    cache = FeatureCache(path.parents[1], fingerprint="", layers=[1], precision="fp32")
    whole, patches = (torch.nn.functional.normalize(torch.rand(*shape), dim=-1) for shape in ((8,), (1, 4, 8)))
    cache.write(FEATURE_KEY, PictureFeatures(whole, patches.half()))


def _scores(path: Path) -> None:
    rows = ("class,species,id,label,point_score,color_score,fused_score", "bagel,good,000,0,0.5,0.25,", "")
    path.write_text("\n".join(rows))


_MESH = trimesh.creation.icosphere(subdivisions=1)
_WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "png": ("picture.png", lambda path: Image.fromarray(_COLORS.reshape(10, 6, 3)).save(path)),
    "mask": ("mask.png", lambda path: Image.fromarray(_COLORS).convert("P").save(path)),
    "depth": ("000_depth.png", _eyecandies_scan),
    "pose": ("000_pose.txt", _eyecandies_scan),
    "yaml": ("000_info_depth.yaml", _eyecandies_scan),
    "tiff": ("scan.tiff", lambda path: write_xyz_tiff(path, _RNG.random((16, 12, 3), dtype=np.float32))),
    "pcd": ("cloud.pcd", lambda path: write_pcd(path, _POINTS, _COLORS)),
    "pcd_ascii": ("cloud.pcd", _ascii_pcd),
    "pcd_compressed": ("cloud.pcd", _compressed_pcd),
    "ply": ("cloud.ply", lambda path: trimesh.PointCloud(_POINTS, _COLORS).export(path)),
    "ply_ascii": ("cloud.ply", lambda path: path.write_bytes(_MESH.export(file_type="ply", encoding="ascii"))),
    "ply_mesh": ("mesh.ply", lambda path: _MESH.export(path)),
    "obj": ("mesh.obj", lambda path: _MESH.export(path)),
    "stl": ("mesh.stl", lambda path: _MESH.export(path)),
    "text": ("cloud.csv", _text),
    "npy": ("places.npy", lambda path: np.save(path, _COLORS.astype(np.int16))),
    "npy_scan": ("scan.npy", lambda path: np.save(path, _POINTS)),
    "npz": ("scan.npz", lambda path: np.savez_compressed(path, points=_POINTS, colors=_COLORS)),
    "metadata": ("all_meta.json", _metadata),
    "results": ("results.json", _results),
    "scores": ("scores.csv", _scores),
    "prompts": ("prompts.pth", _prompts),
    "weights": ("clip.pt", lambda path: torch.save({"visual.proj": torch.rand(8, 8)}, path)),
    "script": ("clip.pt", _script_archive),
    "sequence": (
        "clip.pt",
        lambda path: torch.save({"visual.proj": torch.rand(8, 8)}, path, _use_new_zipfile_serialization=False),
    ),
    "pickle": ("data.pkl", _pickle),
    "safetensors": ("clip.safetensors", lambda path: save_file({"visual.proj": torch.rand(8, 8)}, path)),
    "state": ("state.pt", lambda path: save_training_state(path, {"losses": [torch.rand(2, 4)]}, {"seed": 1})),
    "features": (f"00/{FEATURE_KEY}.safetensors", _features),
}

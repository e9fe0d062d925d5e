"""The readers of this library by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from pointad.data.metadata import read_metadata
from pointad.datasets.eyecandies import read_points
from pointad.datasets.labelled_points import read_labelled_points
from pointad.encoding.feature_cache import read_entry
from pointad.evaluation.results import Results
from pointad.files.masks import read_mask
from pointad.files.npy_files import read_npy
from pointad.files.pickle_data import PickleDataError
from pointad.files.pictures import read_picture
from pointad.files.torch_tensors import TensorReader
from pointad.model.checkpoint import load_prompts
from pointad.model.weights import read_weights
from pointad.report.runs import Run, read_scores
from pointad.scans.files import read_scan
from pointad.scans.point_labels import read_labels
from pointad.training.state import load_training_state
from tools.fuzzing.verdict import problem_of

LARGEST_STORAGE = 1 << 16  # bytes


def _eyecandies(path: Path) -> object:
    return read_points(path.with_name("000_depth.png"))


def _pickle(path: Path) -> object:
    """Whatever storages it asks for are there, up to a bound."""

    def storage(_: str, count: int) -> torch.Tensor:
        if count > LARGEST_STORAGE:
            raise PickleDataError("larger than its file")
        return torch.zeros(count, dtype=torch.uint8)

    return TensorReader(storage, LARGEST_STORAGE, scripted=True).read(path.read_bytes())


def _scan(path: Path) -> object:
    """What is read must also be finite where it says so, and of one shape."""
    scan = read_scan(path, mesh_points=100)
    assert scan.present.any() and np.isfinite(scan.points[scan.present]).all()
    assert scan.colors is None or (scan.colors.shape == scan.points.shape and scan.colors.dtype == np.uint8)
    return scan


def _picture(path: Path) -> object:
    return read_picture(path, "RGB")


READERS: dict[str, Callable[[Path], object]] = {
    "png": _picture,
    "mask": read_mask,
    "depth": _eyecandies,
    "pose": _eyecandies,
    "yaml": _eyecandies,
    **dict.fromkeys(("tiff", "pcd", "pcd_ascii", "pcd_compressed", "ply", "ply_ascii", "ply_mesh"), _scan),
    **dict.fromkeys(("obj", "stl", "text", "npy_scan", "npz", "csv_named", "csv_gaps", "text_utf16", "pts"), _scan),
    **dict.fromkeys(("ply_lists", "ply_lists_ascii", "ply_strips", "pcd_grid", "pcd_doubles", "obj_relative"), _scan),
    **dict.fromkeys(("stl_ascii", "tiff_pages", "npy_planes", "npy_records", "npz_axes", "npz_unnamed"), _scan),
    **dict.fromkeys(("png_16", "jpeg_turned", "tiff_picture", "webp"), _picture),
    "mask_rgba": read_mask,
    "labelled": lambda path: read_labelled_points(path, path.with_name("scan.npy")),
    "labels": read_labels,
    "npy": lambda path: read_npy(path, "iu"),
    "metadata": lambda path: read_metadata(path.parent),
    "results": Results.load,
    "scores": lambda path: read_scores(Run(path.parent, Results({}))),
    "prompts": load_prompts,
    "weights": read_weights,
    "script": read_weights,
    "sequence": read_weights,
    "pickle": _pickle,
    "safetensors": read_weights,
    "state": lambda path: load_training_state(path, {"seed": 1}),
    "features": read_entry,
}
_PERMITTED: dict[str, tuple[type[Exception], ...]] = {
    "features": (OSError, ValueError),  # its cache encodes again then
    "pickle": (PickleDataError,),  # whoever asks for it names the file
}


def problem_with(reader: str, path: Path, memory_growth: int) -> str | None:
    """Let a reader read a file; what is wrong with how it ended or with what it warned of, or None.

    Args:
        reader: one of READERS.
        path: the file.
        memory_growth: bytes of address space that reading may take beyond what this process has.
    """
    return problem_of(lambda: READERS[reader](path), _PERMITTED.get(reader, ()), memory_growth)

"""Reads samples of the seeded data set straight into tensors, without the library's own loader."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from golden.view_inputs import SIZE, VIEWS
from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from PIL import Image
from torch import Tensor

from pointad.data.visibility import fill_never_seen


@dataclass(frozen=True)
class GoldenTensors:
    """One sample, with V views and P grid positions."""

    pictures: Tensor  # (V + 1, 3, S, S) normalized, the colour picture last
    view_masks: Tensor  # (V, S, S)
    mask: Tensor  # (P,)
    correspondences: Tensor  # (V, P, 3) with filled visibility
    non_zero: Tensor  # (P,) bool


def read_golden_sample(data: Path, name: str) -> GoldenTensors:
    """Read a sample such as ``cookie/hole/000``."""
    class_name, species, identifier = name.split("/")
    folder = data / class_name / "test" / species
    views = range(len(VIEWS))
    pictures = [_picture(folder / "2d_rendering" / identifier / f"view_{view}.png") for view in views]
    pictures.append(_picture(folder / "rgb" / f"{identifier}.png"))
    view_masks = [_picture(folder / "2d_gt" / identifier / f"view_{view}_gt.png")[..., 0] > 127 for view in views]
    mask = Image.open(folder / "gt" / f"{identifier}.png").point(lambda value: 255 if value else 0)
    mask = np.asarray(mask.resize((SIZE, SIZE), Image.Resampling.BILINEAR)) > 127

    numbers = folder / "2d_3d_cor" / identifier
    indices = np.load(numbers / "nonzero_indices.npy")
    correspondences = np.zeros((len(VIEWS), SIZE * SIZE, 3), np.int64)
    for view in views:
        correspondences[view, indices] = np.load(numbers / f"view_{view}_cor.npy")
    non_zero = np.zeros(SIZE * SIZE, bool)
    non_zero[indices] = True
    correspondences[..., 2] = fill_never_seen(correspondences[..., 2] > 0, non_zero)

    values = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(each)[:, None, None] for each in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    return GoldenTensors(
        pictures=(values - mean) / std,
        view_masks=torch.from_numpy(np.stack(view_masks)).float(),
        mask=torch.from_numpy(mask.ravel()).float(),
        correspondences=torch.from_numpy(correspondences),
        non_zero=torch.from_numpy(non_zero),
    )


def _picture(path: Path) -> np.ndarray:
    picture = Image.open(path).convert("RGB")
    if picture.size != (SIZE, SIZE):
        picture = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(picture)

"""Which clouds were photographed with Open3D, how, and where the pictures are; shared by the tests and by the script
that makes the pictures."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from open3d_window import WindowPicture, photograph
from portable_clouds import ShadedCloud, blob, bowl, box

from pointad.datasets.eyecandies import EYECANDIES_RIG
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.datasets.real3d import REAL3D_RIG
from pointad.files.pictures import resize_picture
from pointad.rendering.views import View, ViewRig, rotation_matrix

FOLDER = Path(__file__).parent / "references"
CAMERAS = FOLDER / "cameras.json"


@dataclass(frozen=True)
class ReferenceCase:
    """One cloud before one rig; the pictures of all views stand side by side in one file."""

    name: str
    make: Callable[[], ShadedCloud]
    rig: ViewRig

    @property
    def views(self) -> Path:
        return FOLDER / f"{self.name}.png"

    @property
    def views_gt(self) -> Path:
        return FOLDER / f"{self.name}_gt.png"


_SLANTED = (View("y", 30),)

CASES = (
    ReferenceCase("mvtec_7", bowl, dataclasses.replace(MVTEC3D_RIG, point_size=7)),
    ReferenceCase("eyecandies_10", box, EYECANDIES_RIG),
    ReferenceCase("real3d_12", blob, REAL3D_RIG),
    *(
        ReferenceCase(f"mvtec_{size}", bowl, dataclasses.replace(MVTEC3D_RIG, point_size=size, views=_SLANTED))
        for size in (5, 6, 8, 10, 12)
    ),
)


def turned_clouds(case: ReferenceCase) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Points and normals (N, 3) of a case's cloud turned into each view, with plain matrices."""
    shaded = case.make()
    first = rotation_matrix("x", case.rig.first_rotation)
    points, normals = shaded.cloud.points @ first.T, shaded.normals @ first.T
    center = points.mean(axis=0)
    for view in case.rig.views:
        yield (points - center) @ view.rotation.T + center, normals @ view.rotation.T


def photograph_case(case: ReferenceCase) -> tuple[list[WindowPicture], list[WindowPicture]]:
    """Open3D's pictures (resized to 336 x 336) of every view of a case, and of its ground truth."""
    labels = case.make().cloud.labels
    assert labels is not None
    rig = case.rig
    assert rig.point_size is not None
    views, views_gt = [], []
    for points, normals in turned_clouds(case):
        view = photograph(
            points, normals, 0.7,
            window=rig.window, point_size=rig.point_size, light=True, background=(1, 1, 1), steps_back=rig.steps_back,
        )  # fmt: skip
        view_gt = photograph(
            points, normals, labels.astype(np.float64),
            window=rig.gt_window, point_size=rig.gt_point_size, light=False, background=(0, 0, 0),
        )  # fmt: skip
        views.append(dataclasses.replace(view, picture=resize_picture(view.picture, 336)))
        views_gt.append(dataclasses.replace(view_gt, picture=resize_picture(view_gt.picture, 336)))
    return views, views_gt


def psnr(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures in decibels; infinite when they are equal."""
    error = np.mean((picture.astype(np.float64) - reference) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))

"""A seeded mini data set in the rendered MVTec 3D-AD layout: two classes of five samples, for the golden tests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from golden.clip_inputs import digest
from golden.scan_inputs import DEFECTS, make_scan
from golden.view_inputs import render_views
from PIL import Image

GOOD_SAMPLES, ANOMALOUS_SAMPLES = 2, 3
OBJECT_PIXELS = {False: (215, 180), True: (250, 205, 165)}  # by anomalous, then by index

# Ranges of points that are hidden in every view, to reach the rare branches of the never-seen rule: both ends of the
# cloud, long runs, single points, even and odd gaps. Negative: counted from the end, −1 being the end itself.
HIDDEN = {
    "cookie/good/001": [(0, 5), (100, 101), (2000, 2300), (9000, 9004), (9010, 9011), (-8, -1)],
    "bagel/contamination/000": [(0, 40), (-3, -1)],
    "bagel/good/000": [(-61, -1)],
}


@dataclass(frozen=True)
class GoldenSample:
    """Which sample it is."""

    class_name: str
    species: str
    index: int

    @property
    def anomalous(self) -> bool:
        """Whether it has a defect."""
        return self.species != "good"

    @property
    def identifier(self) -> str:
        """File name without suffix."""
        return f"{self.index:03d}"

    @property
    def name(self) -> str:
        """Such as ``cookie/hole/000``."""
        return f"{self.class_name}/{self.species}/{self.identifier}"


def golden_samples() -> Iterator[GoldenSample]:
    """All samples in the order of evaluation."""
    for class_name in sorted(DEFECTS):
        for species, count in (("good", GOOD_SAMPLES), (DEFECTS[class_name], ANOMALOUS_SAMPLES)):
            for index in range(count):
                yield GoldenSample(class_name, species, index)


def write_dataset(seed: int, root: Path) -> dict[str, str]:
    """Write all samples and the JSON lists; returns a digest of every sample's inputs."""
    digests = {sample.name: _write_sample(seed, root, sample) for sample in golden_samples()}
    write_metadata(root)
    return digests


def write_metadata(root: Path) -> None:
    """Write the JSON lists, whose paths start with the root."""
    entries: dict[str, list[dict[str, str | int]]] = {}
    for sample in golden_samples():
        folder = f"{root}/{sample.class_name}/test/{sample.species}"
        entries.setdefault(sample.class_name, []).append(
            {
                "d2_img_path": f"{folder}/rgb/{sample.identifier}.png",
                "d2_mask_path": f"{folder}/gt/{sample.identifier}.png",
                "d3_pc": f"{folder}/xyz/{sample.identifier}.tiff",
                "cls_name": sample.class_name,
                "specie_name": sample.species,
                "anomaly": int(sample.anomalous),
                "d2_render_img_path": f"{folder}/2d_rendering/{sample.identifier}",
                "d2_render_gt_path": f"{folder}/2d_gt/{sample.identifier}",
                "d2_corrdinate": f"{folder}/2d_3d_cor/{sample.identifier}",
            }
        )
    lists = {"all": entries} | {class_name: {class_name: each} for class_name, each in entries.items()}
    for name, test in lists.items():
        (root / f"{name}_meta.json").write_text(json.dumps({"train": {}, "test": test}, indent=4))


def _write_sample(seed: int, root: Path, sample: GoldenSample) -> str:
    scan = make_scan(seed, sample.class_name, sample.anomalous, sample.index)
    views = render_views(scan, OBJECT_PIXELS[sample.anomalous][sample.index])
    correspondences = views.correspondences.copy()
    count = len(views.nonzero_indices)
    for bounds in HIDDEN.get(sample.name, []):
        start, stop = (bound if bound >= 0 else count + bound + 1 for bound in bounds)
        correspondences[:, start:stop, 2] = 0

    folder = root / sample.class_name / "test" / sample.species
    pictures, pictures_gt, numbers = (
        folder / name / sample.identifier for name in ("2d_rendering", "2d_gt", "2d_3d_cor")
    )
    for each in (folder / "rgb", folder / "gt", folder / "xyz", pictures, pictures_gt, numbers):
        each.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scan.rgb).save(folder / "rgb" / f"{sample.identifier}.png")
    Image.fromarray(scan.mask).save(folder / "gt" / f"{sample.identifier}.png")
    tifffile.imwrite(folder / "xyz" / f"{sample.identifier}.tiff", scan.xyz, photometric="rgb")
    np.save(numbers / "nonzero_indices.npy", views.nonzero_indices.astype(np.int64))
    for view, (picture, picture_gt, correspondence) in enumerate(
        zip(views.pictures, views.pictures_gt, correspondences, strict=True)
    ):
        Image.fromarray(picture).save(pictures / f"view_{view}.png")
        Image.fromarray(np.repeat(picture_gt[..., None], 3, 2)).save(pictures_gt / f"view_{view}_gt.png")
        np.save(numbers / f"view_{view}_cor.npy", correspondence.astype(np.int64))
    return digest(
        {
            "rgb": scan.rgb,
            "mask": scan.mask,
            "nz": views.nonzero_indices.astype(np.int64),
            "ren": views.pictures,
            "gt": views.pictures_gt,
            "cor": correspondences,
        }
    )

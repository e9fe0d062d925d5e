"""The folder layout of a rendered data set on disk: where a sample's files are.

    <root>/<class>/test/<species>/
        rgb/000.png  gt/000.png  xyz/000.tiff  pcd/000.pcd  gt_pcd/000.pcd
        2d_rendering/000/view_0.png ...       renderings
        2d_gt/000/view_0_gt.png ...           the ground truth from the same directions
        2d_3d_cor/000/view_0_cor.npy ...      (M, 3) integers, point-to-pixel correspondences: column, row, visible
        2d_3d_cor/000/nonzero_indices.npy     (M,) integers: the points' grid positions; absent if the grid has no holes

A sample is finished if its `2d_rendering` folder exists: that folder is moved into place as a whole, after all others.
"""

from dataclasses import dataclass
from pathlib import Path

from pointad.files.names import plain_component
from pointad.files.regular import refuse_leaving

SPLIT = "test"
GOOD_SPLIT = "train"  # good scans to compare those of the test with, in the same layout
VIEWS = "2d_rendering"
VIEWS_GT = "2d_gt"
CORRESPONDENCES = "2d_3d_cor"
NONZERO_INDICES = "nonzero_indices.npy"
SETTINGS_NAME = "rendering.json"  # how the folder was rendered
DEVICES, SOURCES = "devices", "sources"  # in that file, for information
STORED, ON_THE_FLY = "stored", "on_the_fly"  # whether samples are read from such a folder, or rendered from raw scans


@dataclass(frozen=True)
class SampleFiles:
    """The paths of all files of one sample; files that a data set does not provide simply do not exist.

    Raises:
        InputError: a name is not a plain path component, see `pointad.files.names.plain_component`.
    """

    root: Path
    class_name: str
    species: str
    identifier: str
    split: str = SPLIT

    def __post_init__(self) -> None:
        # Folders are named after their content, so names that are not valid for folders are refused.
        for what, name in (("class", self.class_name), ("species", self.species), ("sample", self.identifier)):
            plain_component(name, what)

    @property
    def folder(self) -> Path:
        """The species' folder, shared by its samples."""
        return self.root / self.class_name / self.split / self.species

    @property
    def rgb(self) -> Path:
        return self.folder / "rgb" / f"{self.identifier}.png"

    @property
    def mask(self) -> Path:
        return self.folder / "gt" / f"{self.identifier}.png"

    @property
    def xyz(self) -> Path:
        return self.folder / "xyz" / f"{self.identifier}.tiff"

    @property
    def point_cloud(self) -> Path:
        return self.folder / "pcd" / f"{self.identifier}.pcd"

    @property
    def labelled_point_cloud(self) -> Path:
        return self.folder / "gt_pcd" / f"{self.identifier}.pcd"

    @property
    def views(self) -> Path:
        return self.folder / VIEWS / self.identifier

    @property
    def lock(self) -> Path:
        """The file to lock while the sample is being rendered, see `pointad.files.locks`."""
        return self.folder / VIEWS / f".{self.identifier}.lock"

    @property
    def views_gt(self) -> Path:
        return self.folder / VIEWS_GT / self.identifier

    @property
    def correspondences(self) -> Path:
        return self.folder / CORRESPONDENCES / self.identifier


def refuse_links(files: SampleFiles) -> None:
    """Refuse folders of a class that are links to elsewhere, where a sample would be written; classes may be links.

    Raises:
        InputError: there is one.
    """
    clouds = (files.xyz, files.point_cloud, files.labelled_point_cloud)
    for path in (files.rgb, files.mask, *clouds, files.views, files.views_gt, files.correspondences):
        refuse_leaving(files.root / files.class_name, path)


def is_finished(files: SampleFiles, view_count: int) -> bool:
    """Whether every picture and correspondence file of a sample exists, by name."""
    expected = [
        path
        for index in range(view_count)
        for path in (
            files.views / view_name(index),
            files.views_gt / view_gt_name(index),
            files.correspondences / correspondence_name(index),
        )
    ]
    return all(path.is_file() for path in expected)


def view_name(index: int) -> str:
    """The file of a view in `2d_rendering/<id>`."""
    return f"view_{index}.png"


def view_gt_name(index: int) -> str:
    """The file of its ground truth in `2d_gt/<id>`."""
    return f"view_{index}_gt.png"


def correspondence_name(index: int) -> str:
    """The file of its correspondences in `2d_3d_cor/<id>`."""
    return f"view_{index}_cor.npy"

"""Point clouds of a run's samples with the score of every point, for the interactive views of a report."""

from dataclasses import dataclass

import numpy as np

from pointad.data.layout import ON_THE_FLY, SampleFiles
from pointad.data.rendered_files import read_nonzero_indices
from pointad.files.pictures import read_picture
from pointad.report.runs import Run, SampleScore
from pointad.report.samples import saved_arrays, saved_maps
from pointad.scans.cleaning import pad_to_square
from pointad.scans.grid import resize_nearest
from pointad.scans.pcd import read_pcd
from pointad.scans.point_cloud import OrganizedScan
from pointad.scans.tiff import read_xyz_tiff


@dataclass(frozen=True)
class ScoredCloud:
    """The points of a scan that are not holes, with their scores."""

    points: np.ndarray  # (M, 3), in the data set's unit
    scores: np.ndarray  # (M,) float32
    colors: np.ndarray | None  # (M, 3) uint8
    modality: str  # whose map the scores are


def scored_cloud(run: Run, sample: SampleScore, files: SampleFiles | None) -> ScoredCloud | None:
    """Assign the saved map of a sample to its points: the fused map if there is one, else the point map.

    Args:
        run: the test run.
        sample: the sample.
        files: of its scan, see `pointad.report.samples.files_of`.

    Returns:
        None if the run saved no maps or the scan is not there.

    Raises:
        InputError: an existing file cannot be read.
    """
    maps = saved_maps(run, sample)
    modality = "fused" if "fused" in maps else "point"
    if files is None or modality not in maps:
        return None
    scores = maps[modality]
    if files.xyz.is_file():
        is_raw = run.record.render == ON_THE_FLY
        tested = saved_arrays(run, sample, ("valid",), "b").get("valid") if is_raw else None
        return _from_grid(files, scores, modality, tested, is_raw=is_raw)
    if files.point_cloud.is_file():
        return _from_points(files, scores, modality)
    return None


def _from_grid(
    files: SampleFiles, scores: np.ndarray, modality: str, tested: np.ndarray | None, *, is_raw: bool
) -> ScoredCloud:
    """An organized scan: one point per pixel of the map; of a raw one, padded as in the test, those that it kept."""
    size = scores.shape[0]
    scan = OrganizedScan(read_xyz_tiff(files.xyz), read_picture(files.rgb, "RGB") if files.rgb.is_file() else None)
    if is_raw:
        fits = scan.rgb is None or scan.rgb.shape == scan.xyz.shape
        scan = pad_to_square(scan if fits else OrganizedScan(scan.xyz))
    xyz = resize_nearest(scan.xyz, size)
    present = (xyz[..., 2] != 0) & np.isfinite(xyz).all(axis=-1)
    if tested is not None and tested.shape == present.shape:
        present &= tested
    colors = None if scan.rgb is None else resize_nearest(scan.rgb, size)[present]
    return ScoredCloud(xyz[present], scores[present], colors, modality)


def _from_points(files: SampleFiles, scores: np.ndarray, modality: str) -> ScoredCloud | None:
    """A list of points: the positions of the map in order, or those listed in `nonzero_indices.npy`."""
    cloud = read_pcd(files.point_cloud)
    indices = read_nonzero_indices(files.correspondences)
    if indices is not None and indices.max(initial=0) >= scores.size:
        return None
    flat = scores.ravel() if indices is None else scores.ravel()[indices]
    return ScoredCloud(cloud.points, flat, cloud.colors, modality) if len(flat) == len(cloud.points) else None

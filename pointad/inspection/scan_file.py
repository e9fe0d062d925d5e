"""From a file to its full inspection: read, predicted, defect regions found."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointad.errors import named_subjects
from pointad.files.pictures import read_picture
from pointad.inspection.defect_regions import DefectRegion, defect_regions, half_peak_threshold
from pointad.inspection.prediction import Prediction
from pointad.inspection.predictor import PointAD
from pointad.reference.likeness import Likeness
from pointad.reference.reference import Reference
from pointad.scans.files import read_scan
from pointad.scans.point_hashes import distinct_points
from pointad.scans.scan_file import ScanFile

logger = logging.getLogger(__name__)

LOW_END = 0.05  # quantile of the scores at the lower end of the colour scale


@dataclass(frozen=True)
class Inspection:
    """One file with its prediction; K of its N points are measurements, the others are holes or not finite."""

    name: str  # the file's
    prediction: Prediction
    points: np.ndarray  # (K, 3) float64, in the file's unit and order
    scores: np.ndarray  # (K,) float32, 0 where a point is ignored
    colors: np.ndarray | None  # (K, 3) uint8, the file's own colours or those of its RGB picture
    is_mesh: bool  # the points were drawn from a mesh's surface
    manner: str  # in words: which numbers of the file were read as coordinates and colours, and the kind of scan
    reading: str  # the same, with how many points or pixels there are
    extent: tuple[float, float, float]  # of the points that take part along x, y and z, in the unit that was read
    region_threshold: float  # lowest score in a region
    regions: list[DefectRegion]
    timings: dict[str, float]  # seconds by stage: read, those of the prediction, regions
    likeness: Likeness | None = None  # tells copies of good scans; None unless requested

    @property
    def heat_range(self) -> tuple[float, float]:
        """Scores at the ends of the colour scale: the least but for 5 % of the points, and the greatest.

        At the rim of an organized scan the smoothing mixes scores with the zeros of the holes; these low values would
        take up most of the scale.
        """
        scores = self.prediction.point_scores[self.prediction.taking_part]
        return float(np.quantile(scores, LOW_END)), float(scores.max())


def inspect_file(
    detector: PointAD,
    path: str | Path,
    rgb_path: str | Path | None = None,
    *,
    name: str | None = None,
    region_threshold: float | None = None,
    options: Mapping[str, object] | None = None,
    with_likeness: bool = False,
) -> Inspection:
    """Read one scan and predict it.

    Args:
        detector: the loaded model.
        path: a file that `pointad.scans.files.read_scan` reads.
        rgb_path: a picture with the field of view of the organized scan; None takes the file's own colours.
        name: what the scan is called; None takes the file's name.
        region_threshold: lowest score of a point in a defect region; None takes `half_peak_threshold`.
        options: further arguments of `PointAD.predict`.
        with_likeness: whether copies of it are to be told.

    Raises:
        InputError: the file cannot be read, or is not a scan that can be predicted.
    """
    started = time.perf_counter()
    file = read_scan(path)
    rgb = None if rgb_path is None else read_picture(rgb_path, "RGB")
    read = time.perf_counter()
    options = {"name": str(path) if name is None else name, **(options or {})}
    prediction = _predicted(detector, file, rgb, path, rgb_path, options)
    if isinstance(reference := options.get("reference"), Reference):
        said = reference.read_otherwise(Path(path).suffix.lower(), file.manner)
        if said:
            logger.warning("%s: %s", options["name"], said)
    predicted = time.perf_counter()
    present = file.present
    candidates = present & prediction.taking_part
    points, candidate_scores = file.points[candidates], prediction.point_scores[candidates]
    if not file.is_organized:
        distinct, _ = distinct_points(points)
        points, candidate_scores = points[distinct], candidate_scores[distinct]
    if region_threshold is None:
        region_threshold = half_peak_threshold(candidate_scores)
    regions = defect_regions(points, candidate_scores, region_threshold)
    timings = {"read": read - started, **prediction.timings, "regions": time.perf_counter() - predicted}
    colors = file.colors
    if colors is None and rgb is not None and rgb.shape == file.points.shape:
        colors = rgb
    return Inspection(
        name=Path(path).name if name is None else name,
        prediction=prediction,
        points=file.points[present],
        scores=prediction.point_scores[present],
        colors=None if colors is None else colors[present],
        is_mesh=file.is_mesh,
        manner=file.manner,
        reading=file.reading,
        extent=_extent(file.points[candidates]),
        region_threshold=region_threshold,
        regions=regions,
        timings=timings,
        likeness=Likeness.of(file.points, _picture(file, rgb, prediction)) if with_likeness else None,
    )


def _extent(points: np.ndarray) -> tuple[float, float, float]:
    """Of (K, 3) points, to six significant digits."""
    x, y, z = (float(f"{side:.6g}") for side in np.ptp(points, axis=0))
    return x, y, z


def _picture(file: ScanFile, rgb: np.ndarray | None, prediction: Prediction) -> np.ndarray | None:
    """The picture that the score depends on; None without one, or if the good scans have none to compare it with."""
    return None if "color" not in prediction.modality_scores else file.colors if rgb is None else rgb


def _predicted(
    detector: PointAD,
    file: ScanFile,
    rgb: np.ndarray | None,
    path: str | Path,
    rgb_path: str | Path | None,
    options: Mapping[str, object],
) -> Prediction:
    """Predict; errors about the arrays name the files that they come from."""
    with named_subjects({"scan": path, "points": path, "RGB picture": rgb_path}):
        return detector.predict(file.points, file.colors, rgb, **options)  # type: ignore[arg-type]

"""What scripts/predict.py writes for each scan, and the line that it prints."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from pointad.commands.verdicts import Verdicts
from pointad.errors import counted
from pointad.files.atomic import atomic_path, remove_file, write_text
from pointad.files.escaping import for_json_file
from pointad.files.pictures import write_png
from pointad.files.regular import refuse_special
from pointad.inspection.heat_cloud import write_heat_cloud
from pointad.inspection.presentation import inspection_page, prediction_sheet
from pointad.inspection.scan_file import Inspection

FILES = ("prediction.json", "heat.ply", "scores.npy", "sheet.png", "cloud.html")


def remove_outputs(folder: Path) -> None:
    """Remove what an earlier run wrote for a scan of this name: if this one fails, no verdict of another scan stays.

    Raises:
        InputError: a file cannot be removed, or is none.
    """
    paths = [folder / name for name in FILES]
    for path in paths:
        refuse_special(path)
    for path in paths:
        remove_file(path)


def write_inspection(
    folder: Path,
    inspection: Inspection,
    verdicts: Verdicts,
    *,
    html: bool,
    heat_range: tuple[float, float] | None,
    basis: str = "",
) -> None:
    """Write heat.ply, scores.npy, sheet.png and, if requested, cloud.html, all with one colour scale.

    `basis` says on the page what the score rests on, such as `compared_with`.
    """
    prediction = inspection.prediction
    heat_range = heat_range or inspection.heat_range
    title = f"{inspection.name}: {prediction.score:.4f}{_spoken(prediction.score, verdicts)}"
    sentence = " ".join(filter(None, (verdicts.sentence(prediction.score), basis)))

    def write_sheet() -> None:
        write_png(folder / "sheet.png", prediction_sheet(prediction, title, heat_range))

    def write_clouds() -> None:
        write_heat_cloud(folder / "heat.ply", inspection.points, inspection.scores, heat_range)
        with atomic_path(folder / "scores.npy") as temporary:
            np.save(temporary, prediction.point_scores)
        if html:
            page = inspection_page(inspection, sentence, heat_range)
            write_text(folder / "cloud.html", page, errors="backslashreplace")

    with ThreadPoolExecutor(2) as pool:
        for written in [pool.submit(write_sheet), pool.submit(write_clouds)]:
            written.result()


def compared_with(good_scans: int) -> str:
    """What a score rests on, as a sentence without its full stop."""
    if not good_scans:
        return "Judged without good scans of the object (zero-shot)"
    return f"Compared with {counted(good_scans, 'good scan')} ({good_scans}-shot)"


def describe(inspection: Inspection, verdicts: Verdicts) -> dict[str, Any]:
    """The facts of one scan, ready for JSON; lengths are in the scan's unit, times in seconds."""
    prediction = inspection.prediction
    return {
        "score": prediction.score,
        **verdicts.facts(prediction.score),
        "scores": prediction.modality_scores,
        "view_scores": dict(zip(prediction.view_names, map(float, prediction.view_scores), strict=True)),
        "points": len(inspection.points),
        "sampled_from_mesh": inspection.is_mesh,
        "reading": inspection.reading,
        "extent": inspection.extent,
        "region_threshold": inspection.region_threshold,
        "regions": [region.to_json() for region in inspection.regions],
        "timings": {stage: round(seconds, 4) for stage, seconds in inspection.timings.items()},
    }


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write prediction.json."""
    write_text(folder / "prediction.json", for_json_file(facts))


def _spoken(score: float, verdicts: Verdicts) -> str:
    verdict = verdicts.on(score)
    return "" if verdict is None else f", {verdict} (threshold {verdicts.threshold:.4f})"

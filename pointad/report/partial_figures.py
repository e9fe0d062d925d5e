"""Notes on figures that are means over a part only, of the classes or of the runs of a row, or not exact."""

from collections.abc import Sequence

from pointad.evaluation.results import metric_title
from pointad.report.runs import Run

VISIBLE = 0.0005  # tables show a tenth of a per cent


def partial_notes(runs: Sequence[Run], modality: str) -> tuple[str, ...]:
    """Which metrics of a row are undefined in some of its classes, or missing in some of its runs or draws,
    which may differ from the exact value by as much as can be seen, and which leave out samples.

    Args:
        runs: of the row.
        modality: "point", "color" or "fused".
    """
    means = [mean.get(modality, {}) for run in runs for mean in run.results.means_of_draws]
    unit = "draws" if any(run.results.draws for run in runs) else "runs"
    notes = []
    for metric in dict.fromkeys(name for mean in means for name in mean):
        defined = sum(mean.get(metric) is not None for mean in means)
        if not defined:
            continue  # the table shows a dash
        if defined < len(means):
            notes.append(f"{metric_title(metric)} is the mean over {defined} of {len(means)} {unit}")
        missing, classes = max(_missing_classes(run, modality, metric) for run in runs)
        if missing:
            notes.append(f"{metric_title(metric)} is undefined in {missing} of {classes} classes")
    return (*notes, *_class_count_notes(runs), *_coarse_notes(runs, modality), *_missing_masks_notes(runs))


def _class_count_notes(runs: Sequence[Run]) -> list[str]:
    """Whether the runs of a row have figures of unequally many classes, as edited files may."""
    counts = sorted({len(run.results.protocol.classes) for run in runs})
    return [f"the means of its runs are over {' or '.join(map(str, counts))} classes"] if len(counts) > 1 else []


def _coarse_notes(runs: Sequence[Run], modality: str) -> list[str]:
    """Which metrics of a row may differ in the digits that tables show, as pixels were too many to keep each score."""
    bounds: dict[str, list[float | None]] = {}
    for run in runs:
        for of_class in run.results.error_bounds.values():
            for metric, bound in of_class.get(modality, {}).items():
                bounds.setdefault(metric, []).append(bound)
    notes = []
    for metric, found in bounds.items():
        known = [bound for bound in found if bound is not None]
        if len(known) < len(found):
            notes.append(f"{metric_title(metric)} is computed from binned scores; its error is not known")
        elif max(known) >= VISIBLE:
            points = f"{100 * max(known):.2f} points"
            notes.append(f"{metric_title(metric)} is computed from binned scores, within {points} of the exact value")
    return notes


def _missing_masks_notes(runs: Sequence[Run]) -> list[str]:
    """How many anomalous samples metrics of points leave out, of the run with the most."""
    most = max((sum(run.results.without_mask.values()) for run in runs), default=0)
    if not most:
        return []
    samples = "an anomalous sample whose mask marks" if most == 1 else f"{most} anomalous samples whose masks mark"
    return [f"pixel metrics leave out {samples} nothing"]


def _missing_classes(run: Run, modality: str, metric: str) -> tuple[int, int]:
    """In how many of how many classes a metric is undefined that the run has; the most of its draws."""
    results = run.results
    if metric not in results.metric_names(modality):
        return 0, 0
    tables = [draw.classes for draw in results.draws] or [results.classes]
    left_out = set(results.left_out)
    counted = [[one for name, one in table.items() if name not in left_out] for table in tables]
    return max((sum(one.get(modality, {}).get(metric) is None for one in table), len(table)) for table in counted)

"""Notes on figures that are means over a part only: of the classes, or of the runs of a row."""

from collections.abc import Sequence

from pointad.evaluation.results import metric_title
from pointad.report.runs import Run


def partial_notes(runs: Sequence[Run], modality: str) -> tuple[str, ...]:
    """Which metrics of a row are undefined in some of its classes, or missing in some of its runs or draws.

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
    return tuple(notes)


def _missing_classes(run: Run, modality: str, metric: str) -> tuple[int, int]:
    """In how many of how many classes a metric is undefined that the run has; the most of its draws."""
    results = run.results
    if metric not in results.metric_names(modality):
        return 0, 0
    tables = [draw.classes for draw in results.draws] or [results.classes]
    counted = [[one for name, one in table.items() if name != results.training_class] for table in tables]
    return max((sum(one.get(modality, {}).get(metric) is None for one in table), len(table)) for table in counted)

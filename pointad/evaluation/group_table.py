"""Metrics of groups of defects, such as difficulties: each group with all good samples of its class."""

from pointad.errors import shown
from pointad.evaluation.binning import binning_note
from pointad.evaluation.result_table import undefined_notes
from pointad.evaluation.results import Results, metric_title, percent
from pointad.evaluation.text_table import text_table
from pointad.files.escaping import for_markdown


def group_table(results: Results, modality: str) -> str:
    """Means over classes, one row per group; empty if the data set has no groups.

    Args:
        results: of a run.
        modality: "point", "color" or "fused".

    Returns:
        several lines without a final line break.
    """
    names = results.metric_names(modality)
    means = {group: results.of_group(group).mean.get(modality, {}) for group in results.groups}
    rows = [[for_markdown(group), *(percent(mean.get(name)) for name in names)] for group, mean in means.items()]
    if not rows:
        return ""
    heading = "By group of defects, each with all good samples; mean over classes, per cent"
    parts = {group: results.of_group(group).error_bounds for group in results.groups}
    binned = {
        f"{name}, {group}": of_class[modality]
        for group, bounds in parts.items()
        for name, of_class in bounds.items()
        if modality in of_class
    }
    notes = [
        f"{shown(group)}: {note}" for group in parts for note in undefined_notes(results.of_group(group), modality)
    ]
    if binned:
        notes.append(binning_note(binned, metric_title))
    table = text_table(["group", *(for_markdown(metric_title(name)) for name in names)], rows)
    return "\n".join([heading, table, *notes])

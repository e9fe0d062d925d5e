"""The table of a test run, and the notes below it: what is in no mean, undefined or not exact."""

from collections.abc import Collection

from pointad.errors import shown
from pointad.evaluation.binning import binning_note
from pointad.evaluation.missing_masks import missing_masks_note
from pointad.evaluation.modalities import MODALITY_TITLES
from pointad.evaluation.results import UNDEFINED, Results, describe_run, metric_title, percent_with_deviation
from pointad.evaluation.text_table import text_table
from pointad.files.escaping import for_markdown


def result_table(results: Results, modality: str) -> str:
    """The table of one modality, in per cent, with a header that names its origin.

    Args:
        results: the run.
        modality: "point", "color" or "fused".

    Returns:
        several lines without a final line break; undefined metrics are shown as a dash.
    """
    names = results.metric_names(modality)
    mean, mean_deviation = results.mean.get(modality, {}), results.mean_deviation.get(modality, {})
    deviations = {name: of_class.get(modality, {}) for name, of_class in results.deviations.items()}
    left_out = set(results.left_out)
    rows = [
        [for_markdown(class_name) + (" *" if class_name in left_out else "")]
        + [
            percent_with_deviation(of_class.get(modality, {}).get(name), deviations.get(class_name, {}).get(name))
            for name in names
        ]
        for class_name, of_class in results.classes.items()
    ]
    rows.append(
        [
            mean_title(results.classes),
            *(percent_with_deviation(mean.get(name), mean_deviation.get(name)) for name in names),
        ]
    )
    table = text_table(["class", *(for_markdown(metric_title(name)) for name in names)], rows)
    heading = (
        f"{MODALITY_TITLES.get(modality, shown(modality))} anomaly detection, {results.protocol.supervision}, per cent"
    )
    facts = [f"{name}: {shown(fact)}" for name, fact in describe_run(results.run).items()]
    facts.append(f"Protocol in full: {shown(results.protocol.text)}")
    return "\n".join([heading, *facts, table, *table_notes(results, modality)])


def mean_title(classes: Collection[str]) -> str:
    """What the mean over classes is called beside these: none of them is called the same."""
    return "mean of all classes" if "mean" in classes else "mean"


def table_notes(results: Results, modality: str) -> list[str]:
    """The notes below a table: the class excluded from the mean, and what not every class, or every sample, has."""
    notes = []
    if results.left_out:
        names = ", ".join(map(shown, results.left_out))
        if results.left_out == (results.run.training_class,):
            told = "is the training class and is"
        elif len(results.left_out) == 1:
            told = "is a class that the prompts learned from, and is"
        else:
            told = "are classes that the prompts learned from, and are"
        notes.append(f"* {names} {told} excluded from the mean.")
    notes += undefined_notes(results, modality)
    if results.without_mask:
        notes.append(missing_masks_note(results.without_mask))
    binned = {name: of_class[modality] for name, of_class in results.error_bounds.items() if modality in of_class}
    return [*notes, binning_note(binned, metric_title)] if binned else notes


def undefined_notes(results: Results, modality: str) -> list[str]:
    """A note for every metric that not all classes of the mean have, or not in all draws of good scans."""
    notes = []
    left_out = set(results.left_out)
    counted = [name for name in results.classes if name not in left_out]
    draws = [draw.classes for draw in results.draws]
    for name in results.metric_names(modality):
        missing = [one for one in counted if results.classes[one].get(modality, {}).get(name) is None]
        in_some = {
            one for of_draw in draws for one in counted if of_draw.get(one, {}).get(modality, {}).get(name) is None
        }
        partly = len(in_some.difference(missing))
        if missing:
            notes.append(
                f"{metric_title(name)} is undefined ({UNDEFINED}) in {len(missing)} of {len(counted)} classes."
            )
        if partly:
            notes.append(f"{metric_title(name)} is undefined in some draws in {partly} of {len(counted)} classes.")
    return notes

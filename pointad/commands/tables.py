"""What test.py prints: one table per modality, and with several checkpoints their mean."""

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

from pointad.errors import shown
from pointad.evaluation.group_table import group_table
from pointad.evaluation.modalities import MODALITY_TITLES
from pointad.evaluation.result_table import result_table
from pointad.evaluation.results import Results, metric_title, percent, percent_over
from pointad.evaluation.text_table import text_table
from pointad.files.escaping import for_markdown
from pointad.files.in_place import append_to
from pointad.files.standing_folders import refuse_replaced

logger = logging.getLogger(__name__)


def print_tables(runs: Sequence[Results], folder: Path) -> None:
    """Print the tables of one run, or of several with a summary last, and append them to ``log.txt``."""
    each = [(run, modality) for run in runs for modality in run.modalities]
    texts = [text for pair in each for text in (result_table(*pair), group_table(*pair)) if text]
    if len(runs) > 1:
        texts += [summary_table(runs, modality) for modality in runs[0].modalities]
    text = "\n\n".join(texts)
    print(f"\n{text}\n\nwritten to {shown(folder)}")
    refuse_replaced(folder / "log.txt")
    with contextlib.suppress(OSError), append_to(folder / "log.txt") as log:
        log.write(text + "\n")


def summary_table(runs: Sequence[Results], modality: str) -> str:
    """The means of several checkpoints of one modality, a row each, then their mean and standard deviation."""
    names = list(runs[0].metric_names(modality))
    means = [run.mean.get(modality, {}) for run in runs]
    rows = [
        [for_markdown(run.run.training_class or run.run.checkpoint), *(percent(mean.get(n)) for n in names)]
        for run, mean in zip(runs, means, strict=True)
    ]
    columns = {name: [value for mean in means if (value := mean.get(name)) is not None] for name in names}
    rows.append(["mean ± std", *(percent_over(columns[name]) for name in names)])
    first = runs[0].run
    backbone = f"backbone: {shown(first.backbone)}" + (" (DEMO backbone)" if first.is_demo else "")
    heading = f"{MODALITY_TITLES[modality]}: mean over unseen classes, by training class, per cent ({backbone})"
    table = text_table(["trained on", *map(metric_title, names)], rows)
    partial = [
        f"{metric_title(name)} is undefined for {len(runs) - len(columns[name])} of {len(runs)} training classes, "
        "which its mean leaves out."
        for name in names
        if 0 < len(columns[name]) < len(runs)
    ]
    return "\n".join([heading, table, *partial])

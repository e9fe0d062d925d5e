"""Writes protocol tables as Markdown, CSV and LaTeX."""

import csv
import io
from collections.abc import Sequence

from tabulate import tabulate

from pointad.evaluation.results import UNDEFINED, metric_title
from pointad.report.protocol_tables import ProtocolTable, Summary, TableRow

HEADINGS = ("Data set", "Method", "Backbone", "Runs")
CSV_COLUMNS = (
    *("protocol", "modality", "dataset", "method", "backbone", "published"),
    *("runs", "training_classes", "seeds", "metric", "mean", "std"),
)
DEVIATION_NOTE = "Per cent; mean ± sample standard deviation over runs (training classes × seeds)."
_LATEX_ESCAPES = str.maketrans(
    {
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
        "±": r"$\pm$",
        "×": r"$\times$",
        "σ": r"$\sigma$",
        "–": "--",
    }
)


def summary_text(summary: Summary | None) -> str:
    """Per cent with one decimal, "82.0 ± 0.4"; a dash where undefined."""
    if summary is None:
        return UNDEFINED
    deviation = "" if summary.deviation is None else f" ± {100 * summary.deviation:.1f}"
    return f"{100 * summary.mean:.1f}{deviation}"


def row_texts(row: TableRow, metrics: Sequence[str]) -> list[str]:
    """The cells of a row: `HEADINGS`, then the metrics."""
    runs = "published" if row.runs is None else str(row.runs)
    return [row.dataset, row.method, row.backbone, runs, *(summary_text(row.metrics.get(name)) for name in metrics)]


def to_markdown(tables: Sequence[ProtocolTable]) -> str:
    """All tables with headings, for a README or a terminal."""
    parts = []
    for table in tables:
        text = tabulate(
            [row_texts(row, table.metrics) for row in table.rows],
            headers=[*HEADINGS, *map(metric_title, table.metrics)],
            tablefmt="pipe",
            colalign=("left", "left", "left", "right", *("right" for _ in table.metrics)),
            disable_numparse=True,
        )
        parts.append(f"### {table.title}\n\n{text}\n")
    return "\n".join([*parts, f"{DEVIATION_NOTE}\n"])


def to_csv(tables: Sequence[ProtocolTable]) -> str:
    """One line per table, row and metric; fractions at full precision."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for table in tables:
        for row in table.rows:
            about = [table.protocol, table.modality, row.dataset, row.method, row.backbone, int(row.is_published)]
            origin = [row.runs or "", " ".join(row.training_classes), " ".join(row.seeds)]
            for name in table.metrics:
                summary = row.metrics.get(name)
                values = ["", ""] if summary is None else [summary.mean, summary.deviation]
                writer.writerow([*about, *origin, name, *("" if value is None else value for value in values)])
    return file.getvalue()


def to_latex(tables: Sequence[ProtocolTable]) -> str:
    """One `table` environment per table, with rules of the package booktabs."""
    parts = []
    for table in tables:
        header = [*HEADINGS, *map(metric_title, table.metrics)]
        lines = [_latex_row(row_texts(row, table.metrics)) for row in table.rows]
        parts.append(
            "\n".join(
                [
                    r"\begin{table}",
                    r"\centering",
                    rf"\caption{{{table.title.translate(_LATEX_ESCAPES)}. {DEVIATION_NOTE.translate(_LATEX_ESCAPES)}}}",
                    rf"\begin{{tabular}}{{lllr{'r' * len(table.metrics)}}}",
                    r"\toprule",
                    _latex_row(header),
                    r"\midrule",
                    *lines,
                    r"\bottomrule",
                    r"\end{tabular}",
                    r"\end{table}",
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cell.translate(_LATEX_ESCAPES) for cell in cells) + r" \\"

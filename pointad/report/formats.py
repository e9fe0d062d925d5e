"""Writes protocol tables as Markdown, CSV and LaTeX."""

from collections.abc import Sequence

from pointad.errors import counted
from pointad.evaluation.results import UNDEFINED, metric_title
from pointad.evaluation.text_table import text_table
from pointad.files.csv_tables import csv_text
from pointad.files.escaping import for_csv, for_latex, for_markdown
from pointad.report.protocol_tables import ProtocolTable, Summary, TableRow

HEADINGS = ("Data set", "Method", "Supervision", "Backbone", "Runs")
TEXT_COLUMNS = 4  # the first ones
CSV_COLUMNS = (
    *("protocol", "modality", "dataset", "method", "supervision", "backbone", "published"),
    *("runs", "draws", "training_classes", "seeds", "metric", "mean", "std", "notes"),
)
DEVIATION_NOTE = (
    "Per cent; mean ± sample standard deviation over runs (training classes × seeds) and draws of good scans."
)


def summary_text(summary: Summary | None) -> str:
    """Per cent with one decimal, "82.0 ± 0.4"; a dash if undefined."""
    if summary is None:
        return UNDEFINED
    deviation = "" if summary.deviation is None else f" ± {100 * summary.deviation:.1f}"
    return f"{100 * summary.mean:.1f}{deviation}"


def row_texts(table: ProtocolTable, row: TableRow) -> list[str]:
    """The cells of a row: `HEADINGS`, then the metrics."""
    runs = "published" if row.runs is None else str(row.runs)
    if row.draws is not None:
        runs += f" × {counted(row.draws, 'draw')}"
    cells = [summary_text(row.metrics.get(name)) for name in table.metrics]
    return [row.dataset, table.method_text(row), row.supervision, row.backbone, runs, *cells]


def note_texts(table: ProtocolTable) -> list[str]:
    """The notes below a table: its protocol, and the meaning of the marks on its rows."""
    return [table.standard, *(f"[{letter}] {note}." for note, letter in table.marks.items())]


def to_markdown(tables: Sequence[ProtocolTable]) -> str:
    """All tables with headings, for a README or a terminal."""
    parts = []
    for table in tables:
        rows = [[for_markdown(cell) for cell in row_texts(table, row)] for row in table.rows]
        headings = [*HEADINGS, *(for_markdown(metric_title(name)) for name in table.metrics)]
        notes = "  \n".join(map(for_markdown, note_texts(table)))
        parts.append(
            f"### {for_markdown(table.title)}\n\n{text_table(headings, rows, text_columns=TEXT_COLUMNS)}\n\n{notes}\n"
        )
    return "\n".join([*parts, f"{DEVIATION_NOTE}\n"])


def to_csv(tables: Sequence[ProtocolTable]) -> str:
    """One line per table, row and metric; fractions at full precision."""
    lines: list[Sequence[object]] = [CSV_COLUMNS]
    for table in tables:
        for row in table.rows:
            about = [
                *map(for_csv, (table.protocol, table.modality, row.dataset, row.method, row.supervision, row.backbone))
            ]
            about += [str(int(row.is_published)), str(row.runs or ""), str(row.draws or "")]
            origin = [for_csv(" ".join(row.training_classes)), for_csv(" ".join(row.seeds))]
            for name in table.metrics:
                summary = row.metrics.get(name)
                values = ["", ""] if summary is None else [summary.mean, summary.deviation]
                numbers = ["" if value is None else value for value in values]
                lines.append([*about, *origin, for_csv(name), *numbers, for_csv("; ".join(row.notes))])
    return csv_text(lines)


def to_latex(tables: Sequence[ProtocolTable]) -> str:
    """One `table` environment per table, with rules from the booktabs package."""
    parts = []
    for table in tables:
        header = [*HEADINGS, *map(metric_title, table.metrics)]
        lines = [_latex_row(row_texts(table, row)) for row in table.rows]
        parts.append(
            "\n".join(
                [
                    r"\begin{table}",
                    r"\centering",
                    rf"\caption{{{for_latex(' '.join([f'{table.title}.', DEVIATION_NOTE, *note_texts(table)]))}}}",
                    rf"\begin{{tabular}}{{{'l' * TEXT_COLUMNS}r{'r' * len(table.metrics)}}}",
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
    return " & ".join(for_latex(cell) for cell in cells) + r" \\"

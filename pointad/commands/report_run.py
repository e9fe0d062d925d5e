"""A run of scripts/report.py: finds the results, prints their tables, writes tables and pages."""

import logging
from collections.abc import Sequence
from pathlib import Path

from pointad.commands.places import STANDARD_OUTPUT, home
from pointad.commands.scan_search import refuse_overwriting
from pointad.files.atomic import atomic_path
from pointad.files.locks import own_folder
from pointad.report.copies import without_copies
from pointad.report.formats import to_csv, to_latex, to_markdown
from pointad.report.page import write_pages
from pointad.report.protocol_tables import ProtocolTable, protocol_tables
from pointad.report.runs import CURVES_NAME, RESULTS_NAME, SCORES_NAME, find_runs
from pointad.report.tidy import to_tidy_csv

logger = logging.getLogger(__name__)


def report(
    results: Sequence[Path],
    modalities: Sequence[str],
    *,
    tables_folder: Path | None,
    pages_folder: Path | None,
    csv_path: Path | None,
) -> None:
    """Print the tables of all results in these folders, and write whatever else is requested."""
    runs = find_runs(results)
    if csv_path not in (None, STANDARD_OUTPUT):
        names = (RESULTS_NAME, SCORES_NAME, CURVES_NAME)
        refuse_overwriting((run.folder / name for run in runs for name in names), [csv_path])
    runs = without_copies(runs)
    tables = protocol_tables(runs, modalities)
    if csv_path == STANDARD_OUTPUT:
        print(to_tidy_csv(runs), end="")
    else:
        print(to_markdown(tables))
    if csv_path not in (None, STANDARD_OUTPUT):
        with atomic_path(csv_path) as temporary:
            temporary.write_text(to_tidy_csv(runs), encoding="utf-8")
    if tables_folder is not None:
        with own_folder(tables_folder):
            write_tables(tables, tables_folder)
    if pages_folder is not None:
        with own_folder(pages_folder):
            index = write_pages(runs, pages_folder, modalities, roots=[home()])
        logger.info("%d pages written; open %s", len(runs) + 1, index)


def write_tables(tables: Sequence[ProtocolTable], folder: Path) -> None:
    """The tables in each of the three formats."""
    for name, text in (("md", to_markdown(tables)), ("csv", to_csv(tables)), ("tex", to_latex(tables))):
        with atomic_path(folder / f"tables.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    logger.info("tables.md, tables.csv and tables.tex written to %s", folder)

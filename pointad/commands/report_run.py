"""A run of scripts/report.py: finds the results, prints their tables, writes tables and pages."""

import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from pointad.commands.named_inputs import refuse_overwriting
from pointad.commands.places import STANDARD_OUTPUT, home
from pointad.errors import InputError
from pointad.files.atomic import write_text, write_together
from pointad.files.locks import own_folder
from pointad.files.presence import is_file
from pointad.report.belongings import require_own_figures
from pointad.report.copies import without_copies
from pointad.report.formats import to_csv, to_latex, to_markdown
from pointad.report.old_pages import refuse_other_pages
from pointad.report.page import page_files, write_pages
from pointad.report.protocol_tables import ProtocolTable, protocol_tables
from pointad.report.runs import find_runs
from pointad.report.tidy import is_tidy_csv, to_tidy_csv

TABLES = {"md": to_markdown, "csv": to_csv, "tex": to_latex}  # tables.<name>

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
    read = [file for run in runs for file in run.files]
    for run in runs:
        require_own_figures(run)
    runs = without_copies(runs)
    written = [] if csv_path in (None, STANDARD_OUTPUT) else [csv_path]
    if tables_folder is not None:
        written += [tables_folder / f"tables.{kind}" for kind in TABLES]
    if pages_folder is not None:
        written += page_files(runs, pages_folder)
    refuse_overwriting(read, written)
    if pages_folder is not None:
        refuse_other_pages(page_files(runs, pages_folder))
    if csv_path not in (None, STANDARD_OUTPUT):
        _check_place(csv_path, written[1:])
    tables = protocol_tables(runs, modalities)
    for modality in modalities:
        if not any(table.modality == modality for table in tables):
            logger.info("no table of --modalities %s: no run has such figures", modality)
    if csv_path == STANDARD_OUTPUT:
        print(to_tidy_csv(runs), end="")
    else:
        print(to_markdown(tables))
    with contextlib.ExitStack() as owned:  # to the end: pages of another run must not come to these tables
        for folder in {os.path.realpath(one): one for one in (tables_folder, pages_folder) if one is not None}.values():
            owned.enter_context(own_folder(folder))
        if csv_path not in (None, STANDARD_OUTPUT):
            write_text(csv_path, to_tidy_csv(runs))
        if tables_folder is not None:
            write_tables(tables, tables_folder)
        if pages_folder is not None:
            index = write_pages(runs, pages_folder, modalities, roots=[home()])
            logger.info("%d pages written; open %s", len(runs) + 1, index)


def _check_place(csv_path: Path, others: Sequence[Path]) -> None:
    """Refuse to write tidy rows in place of another result, or of a file that holds something else.

    Raises:
        InputError: it would replace one, or be replaced.
    """
    if os.path.realpath(csv_path) in map(os.path.realpath, others):
        raise InputError(csv_path, "is the name of another table or page of this report", "choose another --csv")
    if is_file(csv_path) and not is_tidy_csv(csv_path):
        raise InputError(csv_path, "exists, and --csv did not write it", "remove it, or choose another --csv")


def write_tables(tables: Sequence[ProtocolTable], folder: Path) -> None:
    """The tables in each of the three formats."""
    write_together({folder / f"tables.{name}": to_text(tables).encode() for name, to_text in TABLES.items()})
    logger.info("tables.md, tables.csv and tables.tex written to %s", folder)

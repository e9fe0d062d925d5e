"""Gathers test runs into the paper's tables, beside the published figures, and into pages to look at.

    python scripts/report.py results                                  # tables of every results.json below, as Markdown
    python scripts/report.py --save_path report results               # tables.md, tables.csv and tables.tex
    python scripts/report.py --html report results                    # index.html and one page per run

A page shows pictures of samples if test.py ran with --visualize or --save_maps, and clouds to turn with --save_maps.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from pointad.commands.arguments import ROOT
from pointad.commands.program import HelpFormatter
from pointad.evaluation.modalities import MODALITY_TITLES
from pointad.files.atomic import atomic_path
from pointad.files.locks import own_folder
from pointad.report.formats import to_csv, to_latex, to_markdown
from pointad.report.page import write_pages
from pointad.report.protocol_tables import ProtocolTable, protocol_tables
from pointad.report.runs import find_runs

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("results", nargs="+", type=Path, help="folders that hold results.json at any depth, or files")
    parser.add_argument("--save_path", type=Path, help="folder for tables.md, tables.csv and tables.tex")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="folder for index.html and a page per run")
    parser.add_argument(
        "--modalities",
        nargs="+",
        choices=tuple(MODALITY_TITLES),
        default=["point", "fused"],
        help="which tables are made; the paper's are point and fused",
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print the tables, and write whatever else is asked for."""
    runs = find_runs(arguments.results)
    tables = protocol_tables(runs, arguments.modalities)
    print(to_markdown(tables))
    if arguments.save_path is not None:
        with own_folder(arguments.save_path):
            write_tables(tables, arguments.save_path)
    if arguments.html is not None:
        with own_folder(arguments.html):
            index = write_pages(runs, arguments.html, arguments.modalities, roots=[ROOT])
        logger.info("%d pages written; open %s", len(runs) + 1, index)


def write_tables(tables: Sequence[ProtocolTable], folder: Path) -> None:
    """The tables in each of the three formats."""
    for name, text in (("md", to_markdown(tables)), ("csv", to_csv(tables)), ("tex", to_latex(tables))):
        with atomic_path(folder / f"tables.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    logger.info("tables.md, tables.csv and tables.tex written to %s", folder)

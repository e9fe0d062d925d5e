"""Gathers test runs into the paper's tables, next to the published figures, and into HTML pages.

    python scripts/report.py results                                  # tables of every results.json below, as Markdown
    python scripts/report.py --save_path report results               # tables.md, tables.csv and tables.tex
    python scripts/report.py --html report results                    # index.html and one page per run
    python scripts/report.py results --csv > figures.csv              # one row per class, modality and metric

A page shows images of samples if test.py was run with --visualize or --save_maps, and with --save_maps also
interactive point clouds.
"""

import argparse
import logging
from pathlib import Path

from pointad.commands.places import STANDARD_OUTPUT
from pointad.commands.program import HelpFormatter
from pointad.evaluation.modalities import MODALITY_TITLES

DEFAULT_MODALITIES = ["point", "fused"]

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "results", nargs="+", type=Path, help="results.json files, or folders that contain them at any depth"
    )
    parser.add_argument("--save_path", type=Path, help="output folder for tables.md, tables.csv and tables.tex")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="output folder for index.html and a page per run")
    parser.add_argument(
        "--csv",
        nargs="?",
        type=Path,
        const=STANDARD_OUTPUT,
        metavar="FILE",
        help="write a tidy table, one row per run, class, modality and metric; without FILE, print it instead of the "
        "paper's tables",
    )
    parser.add_argument(
        "--modalities",
        nargs="+",
        choices=tuple(MODALITY_TITLES),
        default=DEFAULT_MODALITIES,
        help="modalities to show in tables; the paper's are point and fused",
    )
    return parser


def main(flags: argparse.Namespace) -> None:
    """Report what the flags name."""
    if flags.modalities != DEFAULT_MODALITIES and flags.csv == STANDARD_OUTPUT and not (flags.save_path or flags.html):
        logger.info("--modalities has no effect: the tidy table has all of them")
    from pointad.commands.report_run import report  # imports what draws pages

    report(
        tuple(flags.results),
        tuple(flags.modalities),
        tables_folder=flags.save_path,
        pages_folder=flags.html,
        csv_path=flags.csv,
    )

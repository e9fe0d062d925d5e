"""Gathers test runs into the paper's tables, beside the published figures, and into pages to look at.

    python scripts/report.py results                                  # tables of every results.json below, as Markdown
    python scripts/report.py --save_path report results               # tables.md, tables.csv and tables.tex
    python scripts/report.py --html report results                    # index.html and one page per run
    python scripts/report.py results --csv > figures.csv              # one row for every class, modality and metric

A page shows pictures of samples if test.py ran with --visualize or --save_maps; with --save_maps it shows interactive
point clouds, too.
"""

import argparse
from pathlib import Path

from pointad.commands.places import STANDARD_OUTPUT
from pointad.commands.program import HelpFormatter
from pointad.evaluation.modalities import MODALITY_TITLES


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("results", nargs="+", type=Path, help="folders that hold results.json at any depth, or files")
    parser.add_argument("--save_path", type=Path, help="folder for tables.md, tables.csv and tables.tex")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="folder for index.html and a page per run")
    parser.add_argument(
        "--csv",
        nargs="?",
        type=Path,
        const=STANDARD_OUTPUT,
        metavar="FILE",
        help="write one tidy row for every run, class, modality and metric; without FILE they are printed in place of "
        "the tables",
    )
    parser.add_argument(
        "--modalities",
        nargs="+",
        choices=tuple(MODALITY_TITLES),
        default=["point", "fused"],
        help="which tables are made; the paper's are point and fused",
    )
    return parser


def main(flags: argparse.Namespace) -> None:
    """Report what the flags name."""
    from pointad.commands.report_run import report  # the pages need PyTorch, which takes seconds to import

    report(
        tuple(flags.results),
        tuple(flags.modalities),
        tables_folder=flags.save_path,
        pages_folder=flags.html,
        csv_path=flags.csv,
    )

"""List the samples of a rendered data set in its folder: all_meta.json and one <class>_meta.json per class.

    pointad list-samples --dataset mvtec_pc_3d_rgb --data_path RENDERED

Rendering a data set writes the same files; use this for data sets that were rendered elsewhere or moved.
"""

import argparse
from pathlib import Path

from pointad.commands.program import HelpFormatter, run
from pointad.data.listing import write_metadata
from pointad.datasets.registry import DATASETS, specification
from pointad.errors import shown


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--dataset", required=True, choices=tuple(DATASETS), help="the data set's format")
    parser.add_argument("--data_path", required=True, type=Path, help="the rendered data set, one folder per class")
    return parser


def main(flags: argparse.Namespace) -> None:
    """List what the flags name, and say what was found."""
    list_samples(flags.dataset, flags.data_path)


def run_generator(dataset: str, description: str) -> None:
    """Run the generator of one data set, whose only flag is the folder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=HelpFormatter)
    parser.add_argument("--data_path", required=True, type=Path, help="the rendered data set, one folder per class")
    run(lambda flags: list_samples(dataset, flags.data_path), parser)


def list_samples(dataset: str, folder: Path) -> None:
    """Write the JSON files of a rendered data set and say what is in them."""
    summary = write_metadata(folder, dataset)
    print(f"{specification(dataset).title} in {shown(folder)}")
    for class_name, species in summary.samples.items():
        counts = ", ".join(f"{count} {shown(name)}" for name, count in species.items())
        name = shown(class_name)
        print(f"  {name}: {sum(species.values())} samples ({counts}) in {name}_meta.json")
    print(f"  all of them in all_meta.json; {len(summary.unfinished)} unfinished samples left out")

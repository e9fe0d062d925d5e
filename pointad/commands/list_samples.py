"""What the three generators share: the flag, the work, and the words about it."""

import argparse
from pathlib import Path

from pointad.commands.program import HelpFormatter, run
from pointad.data.metadata import write_metadata
from pointad.datasets.registry import specification
from pointad.errors import shown


def generate(dataset_name: str, description: str) -> None:
    """Run a generator for one data set: list the samples below ``--data_path`` in JSON files and say what was found."""
    parser = argparse.ArgumentParser(description=description, formatter_class=HelpFormatter)
    parser.add_argument("--data_path", required=True, type=Path, help="the rendered data set, one folder a class")

    def main(arguments: argparse.Namespace) -> None:
        summary = write_metadata(arguments.data_path, dataset_name)
        print(f"{specification(dataset_name).title} in {shown(arguments.data_path)}")
        for class_name, species in summary.samples.items():
            counts = ", ".join(f"{count} {shown(name)}" for name, count in species.items())
            name = shown(class_name)
            print(f"  {name}: {sum(species.values())} samples ({counts}) in {name}_meta.json")
        print(f"  all of them in all_meta.json; {len(summary.unfinished)} unfinished samples left out")

    run(main, parser)

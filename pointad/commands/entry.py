"""The console command: one subcommand a program, each the same code as the script of the repository.

It is read by Pythons that are too old or lack every package, too, so that they can be told.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from pointad import __version__
from pointad.commands.library_folders import import_away_from_working_folder
from pointad.commands.standard_streams import leave_lost_help, open_closed_descriptors, tell_lost_help
from pointad.commands.unfit_python import unfit_python_told

import_away_from_working_folder()  # also in the processes that a program starts, as they import its script, and so this


@dataclass(frozen=True)
class Command:
    """One program; its module in this package has ``build_parser()`` and ``main(flags)``."""

    module: str
    script: str  # in a checkout of the repository
    summary: str


COMMANDS = {
    "predict": Command("predict", "scripts/predict.py", "score scans of your own"),
    "reference": Command("reference", "scripts/reference.py", "make a reference for predict from a few good scans"),
    "serve": Command("serve", "scripts/serve.py", "run the web service: a page to drop scans on, and a JSON API"),
    "train": Command("train", "train.py", "learn prompts on one class"),
    "test": Command("test", "test.py", "test prompts on unseen classes"),
    "report": Command("report", "scripts/report.py", "make tables and pages of finished runs"),
    "render": Command("render_dataset", "scripts/render_dataset.py", "render a raw data set"),
    "render-scans": Command("render_scans", "scripts/render_scans.py", "render scans of your own"),
    "list-samples": Command("list_samples", "generate_dataset_json", "list the samples of a rendered data set"),
    "demo-data": Command("make_demo_data", "scripts/make_demo_data.py", "generate the demo data"),
    "feature-cache": Command("feature_cache", "scripts/feature_cache.py", "show, shrink or check a feature cache"),
    "shared-flags": Command(
        "shared_flags", "scripts/shared_flags.py", "print which training flags the test accepts too"
    ),
    "training-classes": Command(
        "training_classes", "scripts/training_classes.py", "print the training classes of a data set"
    ),
}


def main() -> None:
    """Run the subcommand that the command line names."""
    # The rest is left to the subcommand as it stands: argparse would take a "--" out of it.
    open_closed_descriptors()
    parser = build_parser()
    tell_lost_help(parser)
    try:
        name = parser.parse_args(sys.argv[1:2]).command
    except OSError as error:
        leave_lost_help(error)
    start(COMMANDS[name], sys.argv[2:], name=f"pointad {name}")


def run_script(name: str) -> None:
    """Run a program under the name of its script, with the flags of the command line."""
    start(COMMANDS[name], sys.argv[1:])


def run_generator(dataset: str, description: str) -> None:
    """Run the generator of one data set's lists, with the flags of the command line."""
    open_closed_descriptors()
    with unfit_python_told():
        from pointad.commands.list_samples import run_generator

        run_generator(dataset, description)


def start(command: Command, arguments: Sequence[str], *, name: str | None = None) -> None:
    """Import a program and run it; ``name`` is what its help calls it instead of the script.

    PyTorch and whatever else takes seconds is imported by the program's ``main``, when its flags are parsed.
    """
    if os.name != "posix":
        sys.exit("error: PointAD runs on Linux; on Windows, install and run it in WSL 2")
    open_closed_descriptors()
    with unfit_python_told():
        _start(command, arguments, name)


def _start(command: Command, arguments: Sequence[str], name: str | None) -> None:
    from pointad.commands.program import interrupts_raised, leave_interrupted, run

    try:
        with interrupts_raised():
            module = importlib.import_module(f"pointad.commands.{command.module}")
            parser = module.build_parser()
            if name is not None:
                parser.prog = name
                parser.description = (parser.description or "").replace(f"python {command.script}", name)
            run(module.main, parser, arguments)
    except KeyboardInterrupt as interrupt:  # outside of the block, for one may come while that is entered
        sys.exit(leave_interrupted(interrupt))


def build_parser() -> argparse.ArgumentParser:
    """The names of the subcommands; each parses its own flags."""
    width = max(map(len, COMMANDS))
    summaries = "\n".join(f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="pointad",
        usage="%(prog)s [-h] [--version] COMMAND ...",
        description="Zero-shot 3D anomaly detection from multi-view renderings and CLIP (PointAD).",
        epilog=f"commands:\n{summaries}\n\nRun 'pointad COMMAND --help' for the flags of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below, with its flags"
    )
    return parser


if __name__ == "__main__":
    main()

"""Make a reference from a few good scans of one kind of object; scripts/predict.py compares other scans with it.

    python scripts/reference.py good/ --output bracket.safetensors
    python scripts/predict.py incoming/ --reference bracket.safetensors

The reference is valid only for the weights, prompts and flags that it was made with.
"""

import argparse
from pathlib import Path

from pointad.commands.arguments import add_encoding_arguments, add_model_arguments, add_seed_argument
from pointad.commands.looking_arguments import add_looking_arguments
from pointad.commands.program import HelpFormatter
from pointad.commands.reference_settings import ReferenceSettings


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("good", type=Path, nargs="+", metavar="GOOD", help="files, or folders to search")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="file for the reference, .safetensors"
    )
    parser.add_argument(
        "--rgb",
        type=Path,
        metavar="DIR",
        help="folder with an RGB image named after each good scan; scans compared with the reference must then have "
        "one too (default: the files' own colours, if all organized scans have them)",
    )
    parser.add_argument("--checkpoint_path", type=Path, help="learned prompts (default: the demo prompts)")
    add_model_arguments(parser, demo="without --checkpoint_path")
    add_encoding_arguments(parser, with_cache=False)
    add_seed_argument(parser)
    add_looking_arguments(parser)
    return parser


def main(flags: argparse.Namespace) -> None:
    """Look at the good scans and write the reference."""
    settings = ReferenceSettings.from_flags(flags)
    from pointad.commands.reference_run import write_reference  # PyTorch takes seconds to import

    write_reference(settings)

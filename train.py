"""Learns prompts on one class: python train.py --help."""

from pointad.commands.program import run
from pointad.commands.train import build_parser, main

if __name__ == "__main__":
    run(main, build_parser())

"""Tests prompts on classes that they never saw: python test.py --help."""

from pointad.commands.program import run
from pointad.commands.test import build_parser, main

if __name__ == "__main__":
    run(main, build_parser())

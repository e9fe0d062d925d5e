"""Tests prompts on classes that they never saw: python test.py --help."""

from pointad.commands.entry import run_script

if __name__ == "__main__":
    run_script("test")

"""Learns prompts on one class: python train.py --help."""

from pointad.commands.entry import run_script

if __name__ == "__main__":
    run_script("train")

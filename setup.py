"""Puts checkpoints/, the weights of the demo, into the package; everything else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["pointad", "pointad.*"]), "pointad.checkpoints"],
    package_dir={"pointad.checkpoints": "checkpoints"},
)

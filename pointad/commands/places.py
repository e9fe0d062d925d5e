"""Where the programs find and put what nobody names a place for: in a checkout, or in the working folder."""

from pathlib import Path

STANDARD_OUTPUT = Path("-")  # in place of a file
SOURCE = Path(__file__).resolve().parents[2]  # a checkout of the repository, or the folder that packages live in


def is_checkout() -> bool:
    """Whether the library runs from a checkout, rather than from an installed copy, which nothing is written into."""
    return (SOURCE / "pyproject.toml").is_file()


def home() -> Path:
    """The checkout; for an installed copy the working folder."""
    return SOURCE if is_checkout() else Path.cwd()


def demo_data_folder() -> Path:
    """The folder of the demo data, whether they are there or not."""
    return home() / "data" / "demo"

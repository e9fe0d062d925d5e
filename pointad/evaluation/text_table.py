"""Tables as text, for terminals and for Markdown."""

from collections.abc import Sequence

from tabulate import tabulate


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> str:
    """A table with vertical bars between columns; the first ``text_columns`` are left-aligned, the others right."""
    return tabulate(
        rows,
        headers=headings,
        tablefmt="pipe",
        colalign=["left" if column < text_columns else "right" for column in range(len(headings))],
        disable_numparse=True,
    )

"""The note on anomalous samples without a marked point, which metrics of points leave out."""

from collections.abc import Mapping

from pointad.errors import shown


def missing_masks_note(counts: Mapping[str, int]) -> str:
    """One sentence that names the classes and how many of their samples are left out.

    Args:
        counts: class -> number of its anomalous samples whose masks mark nothing; not empty.
    """
    classes = ", ".join(f"{count} of {shown(name)}" for name, count in counts.items())
    return f"Pixel metrics leave out anomalous samples whose masks mark nothing: {classes}."

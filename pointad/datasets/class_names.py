"""The error for an unknown class name: lists the existing classes and suggests the one that was probably meant."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from pointad.errors import InputError

LONGEST_CLASS = 1000  # characters of its name, and of a kind of defect's, as results take them
LEAST_LIKENESS = 0.6  # of two names; `difflib`'s own


def unknown_class(name: str, known: Iterable[str], place: str | Path) -> InputError:
    """The error for a class that a data set does not have.

    Args:
        name: the requested class.
        known: the existing classes.
        place: where the class is missing, such as the data set's folder.
    """
    known = list(known)
    nearest = nearest_name(name, known)
    remedy = f"choose among {', '.join(known)}"
    if nearest is not None:
        remedy = f"did you mean {nearest}? If not, {remedy}"
    return InputError(f"class {name}", f"is not in {place}", remedy)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant, ignoring case; None if none is similar."""
    by_lower_case = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=LEAST_LIKENESS)
    return by_lower_case[found[0]] if found else None

"""What to say about the name of a class that is not there: the classes that are, and the one that was meant."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from pointad.errors import InputError

LEAST_LIKENESS = 0.6  # of two names; `difflib`'s own


def unknown_class(name: str, known: Iterable[str], place: str | Path) -> InputError:
    """The error for a class that a data set does not have.

    Args:
        name: what was asked for.
        known: the classes that are there.
        place: what lacks the class, such as the data set's folder.
    """
    known = list(known)
    nearest = nearest_name(name, known)
    remedy = f"choose among {', '.join(known)}"
    if nearest is not None:
        remedy = f"did you mean {nearest}? If not, {remedy}"
    return InputError(f"class {name}", f"is not in {place}", remedy)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant, whatever its case; None when none is like it."""
    by_lower_case = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=LEAST_LIKENESS)
    return by_lower_case[found[0]] if found else None

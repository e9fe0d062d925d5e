"""Arguments of the right kind: what the callers of the library give as numbers, switches and choices.

NumPy's numbers count as Python's; a text, a tensor or True is no number, though some operations would take it for one.
"""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from pointad.errors import InputError, short

_SHOWN = 80  # characters of a value in an error


def as_number(value: Any, name: str) -> float:
    """A real number, which may be infinite or NaN.

    Raises:
        InputError: it is something else, or beyond all floating-point numbers.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InputError(shown_argument(name, value), "is not a number", "give a number")
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(shown_argument(name, value), "is too large", "give a smaller number") from error


def as_whole_number(value: Any, name: str) -> int:
    """A whole number of 64 bits, with or without a sign.

    Raises:
        InputError: it is something else, such as 2.0, or larger.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InputError(shown_argument(name, value), "is not a whole number", "give a whole number, such as 1")
    number = int(value)
    if not -(2**63) <= number < 2**64:
        raise InputError(shown_argument(name, number), "has more than 64 bits", "give a smaller number")
    return number


def as_whole_numbers(values: Any, name: str) -> tuple[int, ...]:
    """A list of whole numbers, in any kind of container that has an order.

    Raises:
        InputError: it is something else.
    """
    is_list = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
    if not is_list and not (isinstance(values, np.ndarray) and values.ndim == 1):
        raise InputError(shown_argument(name, values), "is not a list of whole numbers", "give a list, such as [1]")
    return tuple(as_whole_number(value, name) for value in values)


def as_switch(value: Any, name: str) -> bool:
    """True or False; 1 and 0 stand for them, texts such as "False" do not.

    Raises:
        InputError: it is something else.
    """
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, Integral) and value in (0, 1)):
        return bool(value)
    raise InputError(shown_argument(name, value), "is neither True nor False", "give one of the two")


def as_choice(value: Any, name: str, known: Iterable[str]) -> str:
    """One of the known names.

    Raises:
        InputError: it is none of them.
    """
    known = tuple(known)
    if not isinstance(value, str) or value not in known:
        raise InputError(shown_argument(name, value), "is unknown", f"use one of {', '.join(known)}")
    return value


def shown_argument(name: str, value: Any) -> str:
    """An argument with its value, as errors begin: a number as it is written, anything else as Python shows it."""
    try:
        text = f"{value:g}" if isinstance(value, (float, np.floating)) else repr(value)
    except Exception:  # a number of thousands of digits, or an object that cannot be shown
        text = f"({type(value).__name__})"
    return f"{name} {short(text, _SHOWN)}"

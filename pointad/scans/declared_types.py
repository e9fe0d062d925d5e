"""Compares numbers in a text with the whole-number types that its header declares for them."""

import numpy as np


def as_declared(values: np.ndarray, declared: np.dtype) -> np.ndarray:
    """Numbers of a text in the type that its header declares, or as written if that type cannot hold them.

    Casting 300 to a byte would make it 44, and 0.5 to a whole number 0.

    Args:
        values: floats, as parsed.
        declared: of a floating-point type, numbers too large become infinite; of whole numbers, none may change.

    Returns:
        The same shape, of the declared type, or the given floats (see `is_unlike`).
    """
    if declared.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            return values.astype(declared)
    limits = np.iinfo(declared)
    # Compared as floats: 2 ** 63 - 1 is none, so the upper end is exclusive.
    fits = (values >= float(limits.min)) & (values < float(limits.max) + 1) & (values == np.rint(values))
    return values.astype(declared) if fits.all() else values


def is_unlike(values: np.ndarray, declared: np.dtype) -> bool:
    """Whether `as_declared` gave these numbers as they were written, since the declared type cannot hold them."""
    return declared.kind != "f" and values.dtype.kind == "f"

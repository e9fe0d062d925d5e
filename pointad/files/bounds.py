"""Bounds on the memory that a file may claim: its header is checked against the bytes that it actually has."""

from pathlib import Path

from pointad.errors import InputError

ALWAYS_PERMITTED = 2**28
"""Bytes that any file may claim."""

LARGEST_EXPANSION = 100
"""How many times its own size a compressed file may claim beyond that."""


def check_claim(path: str | Path, claimed: int, held: int, what: str = "bytes") -> None:
    """Refuse a disproportionate claim before anything is allocated for it.

    Args:
        path: the file, for the error message.
        claimed: bytes that its content takes in memory according to its header.
        held: size in bytes of the file, or of the compressed part in question.
        what: what takes that many bytes.

    Raises:
        InputError: the claim is larger than both bounds of this module.
    """
    if claimed > max(ALWAYS_PERMITTED, held * LARGEST_EXPANSION):
        problem = f"claims {claimed:.3g} bytes of {what} in a file of {held}"
        raise InputError(path, problem, "replace the file, or store it without compression")

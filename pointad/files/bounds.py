"""How much memory a file may ask for: what its header claims is compared with what its bytes can hold."""

from pathlib import Path

from pointad.errors import InputError

ALWAYS_PERMITTED = 2**28
"""Bytes: whatever a file claims up to this is harmless."""

LARGEST_EXPANSION = 100
"""How many times its own size a compressed file may take beyond that."""


def check_claim(path: str | Path, claimed: int, held: int, what: str = "bytes") -> None:
    """Refuse a claim that is out of all proportion, before anything is allocated for it.

    Args:
        path: the file, for the error.
        claimed: bytes that its content is said to take in memory.
        held: bytes that the file, or the compressed part in question, has.
        what: what takes that many bytes.

    Raises:
        InputError: the claim is larger than both bounds of this module.
    """
    if claimed > max(ALWAYS_PERMITTED, held * LARGEST_EXPANSION):
        problem = f"claims {claimed:.3g} bytes of {what} in a file of {held}"
        raise InputError(path, problem, "replace the file, or store it without compression")

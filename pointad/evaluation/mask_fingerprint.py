"""A fingerprint of ground-truth masks: figures measured with masks that were corrected in between are not averaged."""

import hashlib

import numpy as np

LENGTH = 16  # hexadecimal digits


class MaskFingerprint:
    """Collects the masks of a class, sample by sample, as they are evaluated."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, species: str, identifier: str, mask: np.ndarray) -> None:
        """Add the mask of one sample, (S, S) or (P,) bool."""
        name = f"{species}/{identifier}".encode("utf-8", "backslashreplace")
        self._digest.update(len(name).to_bytes(4, "big") + name + mask.size.to_bytes(8, "big"))
        self._digest.update(np.packbits(mask, axis=None).tobytes())

    @property
    def text(self) -> str:
        """The fingerprint of the masks so far, their order included."""
        return self._digest.hexdigest()[:LENGTH]

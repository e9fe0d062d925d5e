"""Fingerprints of what was evaluated: figures of other masks or pictures with equal names are not averaged."""

import hashlib

import numpy as np
from torch import Tensor

from pointad.data.batch import MultiViewSample

LENGTH = 16  # hexadecimal digits
_BYTES = 16  # of the pictures of one sample
_DIGITS = 12  # that tell the views of one sample from those of others


class SampleFingerprint:
    """Collects one kind of content of a class, sample by sample, as they are evaluated."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, species: str, identifier: str, content: bytes) -> None:
        """Add one sample, with its `packed_mask` or `picture_digest`."""
        name = f"{species}/{identifier}".encode("utf-8", "backslashreplace")
        self._digest.update(len(name).to_bytes(4, "big") + name + content)

    @property
    def text(self) -> str:
        """The fingerprint of the samples so far, their order included."""
        return self._digest.hexdigest()[:LENGTH]


def packed_mask(mask: np.ndarray) -> bytes:
    """The ground truth of one sample, (S, S) or (P,) bool, with its size."""
    return mask.size.to_bytes(8, "big") + np.packbits(mask, axis=None).tobytes()


def picture_digest(sample: MultiViewSample) -> bytes:
    """What tells the pictures and points of one sample, and where these are in each other, whatever its place and name.

    Args:
        sample: with its renderings; an RGB picture or points that are not evaluated are None.
    """
    tensors = (sample.views, sample.non_zero, sample.color, sample.correspondences, sample.points)
    return _digest(*(tensor for tensor in tensors if tensor is not None)).digest()[:_BYTES]


def views_digest(views: Tensor) -> str:
    """What tells the renderings of one sample, (V, S, S, 3) uint8, in hexadecimal digits."""
    return _digest(views).hexdigest()[:_DIGITS]


def _digest(*tensors: Tensor) -> "hashlib._Hash":
    digest = hashlib.sha256()  # processors have instructions for it
    for tensor in tensors:
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.contiguous().cpu().numpy().data)
    return digest

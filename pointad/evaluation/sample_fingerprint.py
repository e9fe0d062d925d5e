"""Fingerprints of what was evaluated: figures of other masks or pictures with equal names are not averaged."""

import hashlib
from collections.abc import Iterable

import numpy as np
from torch import Tensor

from pointad.data.batch import MultiViewSample

LENGTH = 16  # hexadecimal digits
_BYTES = 16  # of the pictures of one sample
_DIGITS = 12  # that tell the views of one sample from those of others


class SampleFingerprint:
    """Collects one kind of content of a class, sample by sample, in any order.

    Args:
        parts: of other fingerprints of the class, as of those that other processes have collected.
    """

    def __init__(self, parts: Iterable[bytes] = ()) -> None:
        self.parts = list(parts)  # one a sample

    def add(self, species: str, identifier: str, content: bytes) -> None:
        """Add one sample, with its `evaluated_mask`, `picture_digest` or `scan_content`."""
        name = f"{species}/{identifier}".encode("utf-8", "backslashreplace")
        self.parts.append(hashlib.sha256(len(name).to_bytes(4, "big") + name + content).digest())

    @property
    def text(self) -> str:
        """The fingerprint of the samples so far, whatever their order."""
        return hashlib.sha256(b"".join(sorted(self.parts))).hexdigest()[:LENGTH]


def packed_mask(mask: np.ndarray) -> bytes:
    """The ground truth of one sample, (S, S) or (P,) bool, with its size."""
    return mask.size.to_bytes(8, "big") + np.packbits(mask, axis=None).tobytes()


def evaluated_mask(mask: np.ndarray, regions: np.ndarray | None) -> bytes:
    """The ground truth of one sample as figures depend on it: the anomalous points, and in which regions they lie.

    Args:
        mask: (S, S) or (P,) bool.
        regions: of the same shape, numbers of the regions of a cloud, which follow from its points; None: they follow
            from the mask.
    """
    return packed_mask(mask) + (b"" if regions is None else regions[mask].astype("<i4").tobytes())


def scan_content(label: int, mask: np.ndarray, rendering: bytes) -> bytes:
    """What a training and a test know of a sample alike: its label, its mask, and its `rendering_digest`."""
    return bytes([label]) + rendering + packed_mask(mask)


def rendering_digest(sample: MultiViewSample) -> bytes:
    """What tells the views of one sample and where its points are in them, without RGB picture and coordinates."""
    tensors = (sample.views, sample.non_zero, sample.correspondences)
    return _digest(*(tensor for tensor in tensors if tensor is not None)).digest()[:_BYTES]


def picture_digest(sample: MultiViewSample, rendering: bytes) -> bytes:
    """What tells the pictures and points of one sample, and where these are in each other, whatever its place and name.

    Args:
        sample: an RGB picture or points that are not evaluated are None.
        rendering: its `rendering_digest`.
    """
    tensors = (sample.color, sample.points)
    return rendering + _digest(*(tensor for tensor in tensors if tensor is not None)).digest()[:_BYTES]


def views_digest(views: Tensor) -> str:
    """What tells pictures, such as the renderings of one sample, (V, S, S, 3) uint8, in hexadecimal digits."""
    return _digest(views).hexdigest()[:_DIGITS]


def looks_of(sample: MultiViewSample) -> str:
    """What tells each view of a sample, as trainings record it, and all as older ones did, separated by blanks."""
    return "" if sample.views is None else f"{sample.looks or ''} {views_digest(sample.views)}"


def _digest(*tensors: Tensor) -> "hashlib._Hash":
    digest = hashlib.sha256()  # processors have instructions for it
    for tensor in tensors:
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.contiguous().cpu().numpy().data)
    return digest

"""A fingerprint of what is learned from, so that a training is not continued on samples that have changed since."""

import hashlib

from pointad.data.batch import MultiViewSample

_BYTES = 5  # sums over a million samples still fit into 64 bits


def mask_content(sample: MultiViewSample) -> int:
    """The same for its ground truth alone, whatever its place and the pictures."""
    name = f"{sample.species}/{sample.identifier} {sample.label}"
    digest = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=_BYTES)
    digest.update(sample.mask.contiguous().numpy().data)
    return int.from_bytes(digest.digest(), "big")


def sample_content(sample: MultiViewSample, index: int) -> int:
    """A number that differs for other pictures, points or ground truth; those of several samples may be added up.

    Args:
        sample: with pictures and the ground truth of its views.
        index: its place among the training samples.
    """
    digest = hashlib.blake2b(f"{index} {sample.label}".encode(), digest_size=_BYTES)
    for tensor in (sample.views, sample.views_gt, sample.mask, sample.non_zero, sample.correspondences):
        if tensor is not None:
            digest.update(tensor.contiguous().numpy().data)
    return int.from_bytes(digest.digest(), "big")

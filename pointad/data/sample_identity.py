"""What makes two samples the same: the one place where their pictures, points and ground truth become texts to compare.

A view is told as it was rendered, whichever views a run takes and whatever size it needs them in: so a training and a
test know the same sample alike.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor

from pointad.data.batch import MultiViewSample

LENGTH = 16  # hexadecimal digits
_BYTES = 16  # of what is no part of the views
_BYTES_OF_SUMS = 5  # sums over a million samples still fit into 64 bits
_DIGITS = 12  # that tell the views of one sample from those of others

Parts = list[bytes]
"""Of a fingerprint: one a sample."""


class SampleFingerprint:
    """Collects one kind of content of a class, sample by sample, in any order."""

    def __init__(self) -> None:
        self.parts: Parts = []

    def add(self, species: str, identifier: str, content: bytes) -> None:
        """Add one sample, with its `evaluated_mask`, `picture_digest` or another kind of content."""
        name = f"{species}/{identifier}".encode("utf-8", "backslashreplace")
        self.parts.append(hashlib.sha256(len(name).to_bytes(4, "big") + name + content).digest())

    @property
    def text(self) -> str:
        """The fingerprint of the samples so far, whatever their order."""
        return hashlib.sha256(b"".join(sorted(self.parts))).hexdigest()[:LENGTH]


class ScanFingerprints:
    """The same for what a training and a test know alike, view by view: labels, masks, and `MultiViewSample.sights`.

    Args:
        parts: what other processes have collected of the class, view by view.
    """

    def __init__(self, parts: Iterable[Sequence[Parts]] = ()) -> None:
        self._views: dict[int, SampleFingerprint] = defaultdict(SampleFingerprint)
        for one in parts:
            for view, of_view in enumerate(one):
                self._views[view].parts += of_view

    def add(self, species: str, identifier: str, label: int, mask: np.ndarray, sights: Sequence[str]) -> None:
        """Add one sample with its mask, (S, S) or (P,) bool."""
        packed = packed_mask(mask)
        for view, sight in enumerate(sights):
            self._views[view].add(species, identifier, bytes([label]) + sight.encode() + packed)

    @property
    def parts(self) -> list[Parts]:
        """What was collected, view by view."""
        return [of_view.parts for of_view in self._views.values()]

    @property
    def texts(self) -> tuple[str, ...]:
        """A fingerprint of each view, in their order."""
        return tuple(of_view.text for of_view in self._views.values())


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


def picture_digest(sample: MultiViewSample) -> bytes:
    """What tells the pictures and points of one sample, and where these are in each other, whatever its place and name.

    Args:
        sample: an RGB picture or points that are not evaluated are None.
    """
    tensors = (sample.color, sample.points)
    beside = _digest(*(tensor for tensor in tensors if tensor is not None)).digest()[:_BYTES]
    return " ".join(sample.sights).encode() + beside


def views_digest(views: Tensor) -> str:
    """What tells pictures, such as the views of one sample in the encoder's size, (V, S, S, 3) uint8; hexadecimal."""
    return _digest(views).hexdigest()[:_DIGITS]


def looks_of(sample: MultiViewSample) -> str:
    """What tells each view of a sample, as trainings record it, and all as older ones did, separated by blanks."""
    return "" if sample.views is None else f"{sample.looks or ''} {views_digest(sample.views)}"


def looks_and_sights(
    views: np.ndarray | None, correspondences: np.ndarray, non_zero: np.ndarray
) -> tuple[str | None, tuple[str, ...]]:
    """What tells each view as it was rendered; and what tells it with the places of the points in it.

    Args:
        views: (V, H, W) or (V, H, W, 3) uint8; a grey view is the same as three equal channels. None: not loaded.
        correspondences: (V, M, 3) any integer type, of the points.
        non_zero: (P,) bool, positions that hold one of them.

    Returns:
        Hexadecimal digits: of the views that show something, separated by blanks, as others may be those of any sample
        (None without views); and of each view with its points.
    """
    looks = [""] * len(correspondences) if views is None else list(map(_view_digest, views))
    places = np.packbits(non_zero).tobytes()
    sights = []
    for look, of_view in zip(looks, correspondences, strict=True):
        digest = hashlib.sha256(look.encode() + places)
        digest.update(np.ascontiguousarray(of_view[:, :2], "<i2").data)
        digest.update(np.packbits(of_view[:, 2] != 0).data)
        sights.append(digest.hexdigest()[:LENGTH])
    if views is None:
        return None, tuple(sights)
    shown = (look for look, view in zip(looks, views, strict=True) if view.min() != view.max())
    return " ".join(shown), tuple(sights)


def mask_content(sample: MultiViewSample) -> int:
    """A number that differs for other ground truth, whatever its place and the pictures; see `sample_content`."""
    name = f"{sample.species}/{sample.identifier} {sample.label}"
    digest = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=_BYTES_OF_SUMS)
    digest.update(sample.mask.contiguous().numpy().data)
    return int.from_bytes(digest.digest(), "big")


def sample_content(sample: MultiViewSample, index: int) -> int:
    """A number that differs for other pictures, points or ground truth; those of several samples may be added up.

    A training is not continued on samples that have changed since, so its state has the sum.

    Args:
        sample: with pictures and the ground truth of its views.
        index: its place among the training samples.
    """
    digest = hashlib.blake2b(f"{index} {sample.label}".encode(), digest_size=_BYTES_OF_SUMS)
    for tensor in (sample.views, sample.views_gt, sample.mask, sample.non_zero, sample.correspondences):
        if tensor is not None:
            digest.update(tensor.contiguous().numpy().data)
    return int.from_bytes(digest.digest(), "big")


def _view_digest(view: np.ndarray) -> str:
    if view.ndim == 3 and (view == view[..., :1]).all():
        view = view[..., 0]
    digest = hashlib.sha256(str(view.shape).encode())
    digest.update(np.ascontiguousarray(view).data)
    return digest.hexdigest()[:_DIGITS]


def _digest(*tensors: Tensor) -> "hashlib._Hash":
    digest = hashlib.sha256()  # processors have instructions for it
    for tensor in tensors:
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.contiguous().cpu().numpy().data)
    return digest

"""Copies of good scans under other names, which seem better than they are: the reference knows them by heart."""

import hashlib
from collections.abc import Sequence

from pointad.data.batch import MultiViewSample
from pointad.errors import InputError

REMEDY = "remove one of the two"


class ScanContents:
    """What scans hold, by their numbers in a data set."""

    def __init__(self) -> None:
        self._content: dict[int, bytes] = {}
        self._name: dict[int, str] = {}

    def add(self, number: int, sample: MultiViewSample, name: str) -> None:
        """Take note of the points and the RGB picture of a scan.

        Args:
            number: of the scan.
            sample: with points.
            name: what errors call it.
        """
        digest = hashlib.sha256()
        for tensor in (sample.points, sample.non_zero, sample.color):
            if tensor is not None:
                digest.update(tensor.contiguous().numpy().tobytes())
        self._content[number], self._name[number] = digest.digest(), name

    def refuse_twins(self, reference: Sequence[int]) -> None:
        """Refuse a reference that holds a scan twice: it would be one of fewer good scans than it is said to be.

        Raises:
            InputError: two of its scans, all of which have been added, hold the same.
        """
        for place, number in enumerate(reference):
            self.refuse_copy(number, reference[:place])

    def refuse_copy(self, number: int, good: Sequence[int]) -> None:
        """Refuse a scan that holds the same as a good scan of another number; all of them have been added.

        Raises:
            InputError: it does.
        """
        for other in good:
            if other != number and self._content[other] == self._content[number]:
                problem = f"holds the same points as {self._name[other]}; compared with itself, its score is too low"
                raise InputError(self._name[number], problem, REMEDY)

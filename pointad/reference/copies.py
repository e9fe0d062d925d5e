"""Copies of good scans under other names, which seem better than they are: the reference knows them by heart."""

from collections.abc import Sequence

from pointad.data.batch import MultiViewSample
from pointad.errors import InputError
from pointad.reference.likeness import Likeness

REMEDY = "remove one of the two"


class ScanContents:
    """What scans hold, by their numbers in a data set."""

    def __init__(self) -> None:
        self._content: dict[int, Likeness] = {}
        self._name: dict[int, str] = {}

    def add(self, number: int, sample: MultiViewSample, name: str) -> None:
        """Take note of the points and the RGB picture of a scan.

        Args:
            number: of the scan.
            sample: with points.
            name: what errors call it.
        """
        if sample.points is None:
            raise ValueError(f"{name} has no points")
        picture = None if sample.color is None else sample.color.numpy()
        self._content[number], self._name[number] = Likeness.of(sample.points[sample.non_zero].numpy(), picture), name

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
            if other != number and self._content[number].is_same_recording(self._content[other]):
                problem = f"holds the same points as {self._name[other]}; compared with itself, its score is too low"
                raise InputError(self._name[number], problem, REMEDY)

"""Which scans of a class are good ones to compare with, and in which order they are drawn by chance."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pointad.data.sample_source import SampleSource
from pointad.errors import InputError, counted
from pointad.files.names import seed_of

TEST_SPLIT, TRAINING_SPLIT = "test", "train"  # where good scans may be drawn from


def draw_orders(good: Sequence[int], class_name: str, draws: int, seed: int) -> list[list[int]]:
    """Orders of the good scans of a class by chance, one a draw; they depend on the seed and the class alone."""
    generators = (np.random.default_rng([seed, draw, seed_of(class_name)]) for draw in range(draws))
    return [[good[place] for place in random.permutation(len(good))] for random in generators]


@dataclass(frozen=True)
class ClassMembers:
    """The scans of one class, by their numbers in the data set."""

    class_name: str
    tested: tuple[int, ...]
    good: tuple[int, ...]  # to draw from
    drawn_from: str  # TEST_SPLIT or TRAINING_SPLIT


def members_by_class(sources: Sequence[SampleSource], test_count: int) -> dict[str, ClassMembers]:
    """Where the scans of each class are among the sources, whose first ones are the test samples.

    Good scans are in the order of their names: in whichever order a list has them, a draw holds the same ones.
    """
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, source in enumerate(sources):
        numbers[source.class_name].append(number)
    return {class_name: _members(class_name, own, sources, test_count) for class_name, own in numbers.items()}


def _members(class_name: str, own: list[int], sources: Sequence[SampleSource], test_count: int) -> ClassMembers:
    tested = tuple(number for number in own if number < test_count)
    own.sort(key=lambda number: (sources[number].species, sources[number].identifier))
    beside = tuple(number for number in own if number >= test_count)
    if beside:
        return ClassMembers(class_name, tested, beside, TRAINING_SPLIT)
    good = tuple(number for number in own if not sources[number].label)
    return ClassMembers(class_name, tested, good, TEST_SPLIT)


def check_shots(members: ClassMembers, shots: Sequence[int]) -> None:
    """Refuse more shots than a class has good scans; of those in the test split one must remain to be tested.

    Raises:
        InputError: it has too few.
    """
    there, name = len(members.good), members.class_name
    most = there if members.drawn_from == TRAINING_SPLIT else there - 1
    if max(shots) <= most:
        return
    scans = counted(there, "good scan")
    if members.drawn_from == TRAINING_SPLIT:
        problem = f"class {name} has {scans} in its {TRAINING_SPLIT} split"
        remedy = f"give at most {most}, or --good_from {TEST_SPLIT}"
    else:
        problem = f"class {name} has {scans}, of which one must remain to be tested"
        remedy = f"give at most {most}, or omit the class" if most > 0 else "omit the class"
    raise InputError(f"--shots {max(shots)}", problem, remedy)

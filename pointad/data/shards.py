"""Splits a data set over machines that share nothing but a file system."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pointad.errors import InputError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """One of several parts, numbered from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise InputError(f"shard {self.number}/{self.count}", "is not one of its parts", "give one such as 3/16")

    def of(self, items: Sequence[Item]) -> list[Item]:
        """The items of this part: every `count`-th, so that each class and species is spread evenly over the parts."""
        return list(items[self.number - 1 :: self.count])


WHOLE = Shard(1, 1)

"""Samples with and without an RGB picture: figures of a class are of all its samples, whatever shares a batch."""

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Source = TypeVar("Source")


def has_picture(source: Any) -> bool:
    """Whether there is an RGB picture of a raw or rendered sample."""
    return getattr(source, "rgb_path", None) is not None


def batches_alike(sources: Sequence[Source], most: int) -> list[list[Source]]:
    """The samples in order, in batches of at most so many; those with a picture and those without share none.

    A batch has the pictures of all its samples or of none.
    """
    runs = (list(run) for _, run in groupby(sources, has_picture))
    return [run[start : start + most] for run in runs for start in range(0, len(run), most)]


def with_pictures_of_whole_classes(sources: Sequence[Any], folder: Path) -> list[Any]:
    """The same samples, without the pictures of classes of which only some have one, which is logged.

    Args:
        sources: raw or rendered samples.
        folder: of the data set.
    """
    counts = Counter(source.class_name for source in sources)
    without = Counter(source.class_name for source in sources if not has_picture(source))
    partly = {name: (without[name], count) for name, count in counts.items() if 0 < without[name] < count}
    for name, (missing, count) in partly.items():
        message = "%s: %d of %d samples of class %s have no RGB picture, so none of the class is used"
        logger.warning(message, folder, missing, count, name)
    return [dataclasses.replace(source, rgb_path=None) if source.class_name in partly else source for source in sources]

"""Finds weights that a training checkpoint holds once more, such as their average over the training's last steps.

One of the two gives other features than the other, and nothing tells which was meant.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from torch import Tensor

from pointad.errors import short

SAVE_ONE = "save only one of them"
_SHOWN = 60  # characters of a place in an error
_PREFIXES = ("module.", "model.", "clip.", "_orig_mod.")  # prefixes that wrappers add to every name
_MATRIX = 2  # dimensions; numbers and vectors of one name may be anything
_CONTAINERS = (dict, list, tuple)
_Place = tuple[Any, "_Place"] | None  # the last key, and the place of what holds it


def second_weights(content: Any, chosen: Mapping[str, Tensor], unlearned: Collection[str] = ()) -> str | None:
    """Where a checkpoint holds a part of the chosen weights once more, at any depth; None if it does nowhere.

    Those may be under the same names, or without names: as a list of as many tensors of the same shapes. What an
    optimizer keeps under these names are its moments.

    Args:
        content: the checkpoint: containers, not nested without end.
        chosen: those of its entries that are read.
        unlearned: last parts of names of entries that are no weights.
    """
    learned = _matrices(chosen, unlearned)
    if not learned:
        return None
    shapes = Counter(learned.values())
    for place, container in _containers(content, chosen):
        if isinstance(container, dict):
            found = not learned.keys().isdisjoint(_matrices(container, unlearned)) and not _is_of_optimizer(place)
        else:
            tensors = [entry for entry in container if isinstance(entry, Tensor)]
            found = Counter(tuple(entry.shape) for entry in tensors if entry.ndim >= _MATRIX) == shapes
        if found:
            return _spoken(place)
    return None


def without_prefixes(state: Mapping[str, Any]) -> dict[str, Any]:
    """Strip the prefixes that wrappers of the model add to all names."""
    if not state:  # all of no names begin with anything
        return {}
    start = 0  # of what is left of every name
    while prefix := next((each for each in _PREFIXES if all(name.startswith(each, start) for name in state)), None):
        start += len(prefix)
    return {name[start:]: entry for name, entry in state.items()}


def _matrices(container: Mapping[Any, Any], unlearned: Collection[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of the learned matrices by their names, which are freed of what wrappers add to them."""
    named = {name: entry for name, entry in container.items() if isinstance(name, str) and isinstance(entry, Tensor)}
    return {
        name: tuple(entry.shape)
        for name, entry in without_prefixes(named).items()
        if entry.ndim >= _MATRIX and name.split(".")[-1] not in unlearned
    }


def _containers(content: Any, chosen: Any) -> Iterator[tuple[_Place, Any]]:
    """All containers in a checkpoint but the chosen weights, each of them once, and where they are."""
    seen = {id(chosen)}
    waiting: list[tuple[_Place, Any]] = [(None, content)]
    while waiting:
        place, container = waiting.pop()
        if not container or not isinstance(container, _CONTAINERS) or id(container) in seen:
            continue
        seen.add(id(container))
        yield place, container
        entries = container.items() if isinstance(container, dict) else enumerate(container)
        waiting += [((name, place), each) for name, each in entries if isinstance(each, _CONTAINERS)]


def _is_of_optimizer(place: _Place) -> bool:
    while place is not None:
        name, place = place
        if str(name).lower().startswith("optim"):
            return True
    return False


def _spoken(place: _Place) -> str:
    parts: list[str] = []
    while place is not None:
        name, place = place
        parts.append(str(name))
    return short(".".join(reversed(parts)), _SHOWN) or "beside it"

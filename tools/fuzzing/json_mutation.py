"""Changes a JSON text at one place of its tree, so that what comes out is JSON again."""

import json
import random
from typing import Any

_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 10**30, 10**400, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "7", "../x", "/x", "a/b", "\0", "\x1b[2J", "\ud800", "x" * 300),
    *([], {}, [[]], [None], ["x"], [1, "2"], {"x": {}}, {"": 1}),
)


def mutated_json(content: bytes, seed: int) -> bytes | None:
    """The same with one value, key or entry changed; None if it is not JSON."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return None
    dice = random.Random(seed)
    root = [tree]
    holder, key = dice.choice(list(_places(root)))
    deed = dice.randrange(4)
    if deed == 0 and isinstance(holder, dict):
        holder[str(dice.choice(_VALUES))] = holder.pop(key)
    elif deed == 1 and holder is not root:
        del holder[key]
    elif deed == 2:  # another part of the same text
        other, place = dice.choice(list(_places(root)))
        holder[key] = json.loads(json.dumps(other[place]))
    else:
        holder[key] = dice.choice(_VALUES)
    return json.dumps(root[0]).encode("utf-8", "surrogatepass") if root else None


def _places(holder: Any) -> list[tuple[Any, Any]]:
    """Every container below this one, with each of its keys."""
    found, waiting = [], [holder]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys if isinstance(one[key], (dict, list))]
    return found

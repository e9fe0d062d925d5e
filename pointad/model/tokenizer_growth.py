"""How much longer the rules of a tokenizers file can make a text: a few lines of rules may ask for terabytes."""

import json
import math
from typing import Any

_TABLE = 1_000  # taken for a table of characters (Precompiled), whose entries are not read here; published ones give 18
_DECOMPOSED = 18  # characters that Unicode's compatibility forms make of one, at most
_FACTORS = {"ByteLevel": 2, "Precompiled": _TABLE, "NFKC": _DECOMPOSED, "NFKD": _DECOMPOSED, "NFC": 3, "NFD": 4}


def most_growth(*parts: Any) -> int:
    """By what factor the normalizer and the splitter of a tokenizer lengthen a text at most, roughly.

    Args:
        parts: of the library tokenizers; None where the file has none.
    """
    return math.prod(_growth(json.loads(part.__getstate__())) for part in parts if part is not None)


def _growth(rule: Any) -> int:
    if isinstance(rule, list):
        return math.prod(map(_growth, rule))
    steps = math.prod(_growth(value) for value in rule.values() if isinstance(value, list))
    added = max((len(rule[key]) for key in ("content", "prepend") if isinstance(rule.get(key), str)), default=1)
    return steps * max(1, added) * _FACTORS.get(rule.get("type"), 1)

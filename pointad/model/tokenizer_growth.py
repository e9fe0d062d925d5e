"""How much longer the rules of a tokenizer can make a text: a few lines, or a small table, may ask for terabytes.

The library tokenizers applies them while it reads a file: to the entries that the file adds to the vocabulary.
"""

import base64
import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise, takewhile
from typing import Any

_DECOMPOSED = 18  # characters that Unicode's compatibility forms make of one, at most
_FACTORS = {"ByteLevel": 4, "NFKC": _DECOMPOSED, "NFKD": _DECOMPOSED, "NFC": 3, "NFD": 4}
_FACTORS |= {"Lowercase": 2, "BertNormalizer": 24}  # the latter decomposes, sets blanks around Chinese, and lowers
_LONGEST_EXPRESSIONS = 5_000  # characters together, of up to a kilobyte in memory; published ones have some hundreds
_LONGEST_ADDED, _MOST_ADDED = 50, 5_000  # characters of an entry that rules are applied to, and of all of them
# What may stand in an expression: escapes, sets of characters, which may hold others, and single characters.
_SET = r"\[\^?\]?(?:\\.|[^\\\[\]]|\[(?:\\.|[^\\\[\]])*\])*\]"
_ONE = rf"(?:\\[pPx]\{{[^{{}}]*\}}|\\.|{_SET}|[^\\\[\](){{}}*+?])"
_REPETITION = r"(?:[*+?]|\{[0-9]*,?[0-9]*\})"
_SIMPLE = re.compile(rf"{_ONE}*(?:{_ONE}{_REPETITION}{_ONE}*)?", re.DOTALL)
_MOST_PLACES = 3_000_000  # of 350 bytes; a vocabulary of 250,000 pieces has a third of that
# In the files of sentencepiece, messages of Google's protocol buffers.
_NORMALIZER, _TABLE = 3, 2
_NUMBER, _EIGHT_BYTES, _CONTENT, _FOUR_BYTES = 0, 1, 2, 5


def rules_alone(description: Any) -> str:
    """A file of the library tokenizers with the rules of another one, and without its entries.

    Args:
        description: the content of the other file, from JSON.

    Raises:
        ValueError: it is no such file, or what the library makes of its entries or expressions has no bound.
    """
    if not isinstance(description, dict):
        raise ValueError("no object of JSON")
    if sum(map(len, _expressions(description))) > _LONGEST_EXPRESSIONS:
        raise ValueError(f"regular expressions of more than {_LONGEST_EXPRESSIONS} characters together")
    added = [len(text) for text in _normalized_entries(description)]
    if max(added, default=0) > _LONGEST_ADDED or sum(added) > _MOST_ADDED:
        problem = f"{_LONGEST_ADDED} characters, or of more than {_MOST_ADDED} together"
        raise ValueError(f"added entries of more than {problem}, to which its rules are applied")
    if _places(description) > _MOST_PLACES:
        raise ValueError(f"pieces with more than {_MOST_PLACES} different beginnings")
    rules = {name: description.get(name) for name in ("normalizer", "pre_tokenizer")}
    return json.dumps({"version": "1.0", **rules, "model": {"type": "WordLevel", "vocab": {}, "unk_token": ""}})


def most_growth(*parts: Any) -> int:
    """By what factor the normalizer and the splitter of a tokenizer lengthen a text at most, roughly.

    Args:
        parts: of the library tokenizers; None where the file has none.
    """
    return math.prod(_growth(json.loads(part.__getstate__())) for part in parts if part is not None)


def count_rules(*parts: Any) -> tuple[int, int]:
    """How many rules the normalizer and the splitter have, and how many of them are regular expressions."""
    found = [rule for part in parts if part is not None for rule in _rules(json.loads(part.__getstate__()))]
    return len(found), sum("Regex" in rule["pattern"] for rule in found if isinstance(rule.get("pattern"), dict))


def only_simple_expressions(*parts: Any) -> bool:
    """Whether no regular expression of these parts has groups, or repeats more than one thing.

    An attempt to match one that has may take millions of steps, at every place of a text; published ones, such as
    ``\\s+``, have neither.
    """
    rules = (rule for part in parts if part is not None for rule in _rules(json.loads(part.__getstate__())))
    patterns = (rule["pattern"].get("Regex") for rule in rules if isinstance(rule.get("pattern"), dict))
    return all(_SIMPLE.fullmatch(pattern) for pattern in patterns if pattern is not None)


def _expressions(description: dict[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [part for name, part in description.items() if name != "model"]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and isinstance(part.get("Regex"), str):
            yield part["Regex"]
        if isinstance(part, (dict, list)):
            waiting += part.values() if isinstance(part, dict) else part


def _normalized_entries(description: dict[str, Any]) -> Iterator[str]:
    added = description.get("added_tokens")
    for entry in added if isinstance(added, list) else ():
        if isinstance(entry, dict) and entry.get("normalized") is not False and isinstance(entry.get("content"), str):
            yield entry["content"]


def _places(description: dict[str, Any]) -> int:
    """Places in the tree of all beginnings of pieces, by bytes, that the library makes of lists of pieces (Unigram)."""
    model = description.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    entries = vocabulary if isinstance(vocabulary, list) else ()
    firsts = (entry[0] for entry in entries if isinstance(entry, list) and entry)
    pieces = sorted(first.encode() for first in firsts if isinstance(first, str))
    return sum(len(after) - _shared(before, after) for before, after in pairwise([b"", *pieces]))


def _shared(first: bytes, second: bytes) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _rules(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    steps = [step for value in rule.values() if isinstance(value, list) for step in value if isinstance(step, dict)]
    if not steps:
        yield rule
    for step in steps:
        yield from _rules(step)


def most_growth_in_sentencepiece(model: bytes) -> int:
    """The same of a file of the library sentencepiece, whose only such rule is a table of characters.

    Raises:
        IndexError: the file is damaged.
    """
    content = memoryview(model)
    normalizers = (part for number, part in _fields(content) if number == _NORMALIZER)
    tables = [bytes(table) for part in normalizers for number, table in _fields(part) if number == _TABLE]
    return max(map(_longest_in_table, tables), default=1)


def _growth(rule: Any) -> int:
    if isinstance(rule, list):
        return math.prod(map(_growth, rule))
    steps = math.prod(_growth(value) for value in rule.values() if isinstance(value, list))
    added = max((len(rule[key]) for key in ("content", "prepend") if isinstance(rule.get(key), str)), default=1)
    if isinstance(rule.get("pattern"), dict) and rule["pattern"].get("String") in ("", None) and rule.get("content"):
        added = 1 + len(rule["content"])  # an expression may match nothing, at every place of the text
    if rule.get("type") == "Precompiled":
        added = _longest_in_table(base64.b64decode(rule["precompiled_charsmap"]))
    return steps * max(1, added) * _FACTORS.get(rule.get("type"), 1)


def _longest_in_table(table: bytes) -> int:
    """Bytes of the longest text that replaces a character: an index and its length come first, then texts with NUL."""
    start = 4 + int.from_bytes(table[:4], "little")
    return max((len(found[0]) for found in re.finditer(rb"[^\0]+", table[start:])), default=1)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Numbers and contents of the fields that have any; those that are mere numbers are passed over."""
    place = 0
    while place < len(message):
        key, place = _number(message, place)
        kind = key & 7
        if kind == _NUMBER:
            _, place = _number(message, place)
            continue
        if kind == _CONTENT:
            size, place = _number(message, place)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise IndexError("a field of an unknown kind")
        yield key >> 3, message[place : place + size]
        place += size


def _number(message: memoryview, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        value |= (message[place] & 127) << shift
        place += 1
        if message[place - 1] < 128:
            return value, place
    raise IndexError("a number without an end")

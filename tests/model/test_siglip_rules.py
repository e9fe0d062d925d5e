"""Rules and tables of SigLIP's tokenizers may not make texts as long as memory, or take hours."""

import base64
import contextlib
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("sentencepiece", reason="requirements-siglip.txt is not installed")
pytest.importorskip("tokenizers", reason="requirements-siglip.txt is not installed")

from small_siglip import read_tokenizer, sentencepiece_model, tokenizer_json
from tokenizers import Tokenizer

from pointad.errors import InputError
from pointad.model import siglip_tokenizer
from pointad.model.tokenizer_growth import _fields


@pytest.fixture(scope="module")
def vocabulary() -> bytes:
    return sentencepiece_model()


REPLACE = {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaa"}
INSERT = {"type": "Replace", "pattern": {"String": ""}, "content": "a"}  # at every place
LOOK = {"pattern": {"Regex": "(?=.)"}, "content": "aa"}
SEARCH = {"type": "Replace", "pattern": {"Regex": "b+"}, "content": ""}
WIDE = {"type": "Replace", "pattern": {"String": " "}, "content": "\u4e2d"}
SPACED = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "lowercase": True}
DOTTED = [{**WIDE, "pattern": {"String": letter}, "content": "\u0130"} for letter in "i\u0307"]  # lower case has both
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}


@pytest.mark.parametrize(
    "rules",
    [
        {"normalizer": {"type": "Sequence", "normalizers": [REPLACE] * 20}},
        {"normalizer": {"type": "Sequence", "normalizers": [{**REPLACE, "content": "a" * 1000}] * 2}},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [BYTES] * 40}},
        {"normalizer": {"type": "Sequence", "normalizers": [INSERT] * 20}},
        {"normalizer": {"type": "Sequence", "normalizers": [{**INSERT, **LOOK}] * 10}},
        {"normalizer": {"type": "Sequence", "normalizers": [{**REPLACE, "content": "a" * 101}, SEARCH]}},
        {"normalizer": {"type": "Sequence", "normalizers": [WIDE, {**SPACED, "strip_accents": False}] * 14}},
        {"normalizer": {"type": "Sequence", "normalizers": [*DOTTED, {"type": "Lowercase"}] * 14}},
    ],
)
def test_rules_that_would_fill_the_memory(rules: Any, vocabulary: bytes, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({**json.loads(tokenizer_json(vocabulary)), **rules}))
    with pytest.raises(InputError, match=r"its rules may make a text .* times as long"):
        read_tokenizer(tmp_path)


SPLIT = {"type": "Split", "pattern": {"Regex": "q+"}, "behavior": "Isolated", "invert": False}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"type": "Whitespace"}] * 51, r"has \d+ rules for texts, 0 of them regular expressions"),
        ([{"type": "Sequence", "pretokenizers": [SPLIT] * 6}] * 2, r"has \d+ rules for texts, 12 of them regular"),
        ([SPLIT] * 10, None),
    ],
)
def test_rules_that_would_take_hours(rules: Any, message: str | None, vocabulary: bytes, tmp_path: Path) -> None:
    """Each is applied to every text, and a regular expression may take a minute."""
    splitter = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": rules}}
    (tmp_path / "tokenizer.json").write_text(json.dumps({**json.loads(tokenizer_json(vocabulary)), **splitter}))
    if message is None:
        read_tokenizer(tmp_path)
    else:
        with pytest.raises(InputError, match=message):
            read_tokenizer(tmp_path)


@pytest.mark.parametrize("expression", ["(a|a)*c", "(?:[a-z ]{0,60}){0,4}t", "b*b*c", "a+?b", r"(?=\w)", "[a-z]+[a"])
def test_expressions_that_would_take_hours(expression: str, vocabulary: bytes, tmp_path: Path) -> None:
    """Millions of steps at every place of a text: a few dozen characters took a minute, and longer texts days."""
    rules = {"normalizer": {"type": "Replace", "pattern": {"Regex": expression}, "content": ""}}
    (tmp_path / "tokenizer.json").write_text(json.dumps({**json.loads(tokenizer_json(vocabulary)), **rules}))
    with pytest.raises(InputError, match=r"with groups, or with more than one repetition|premature end|did not match"):
        read_tokenizer(tmp_path)


PUBLISHED = (" {2,}", r"\s+", "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]", r"\p{P}+", "[[:punct:]]+", r"[^\p{L}\d]")


@pytest.mark.parametrize("expression", PUBLISHED)
def test_expressions_such_as_published_ones_are_read(expression: str, vocabulary: bytes, tmp_path: Path) -> None:
    rules = {"normalizer": {"type": "Replace", "pattern": {"Regex": expression}, "content": " "}}
    (tmp_path / "tokenizer.json").write_text(json.dumps({**json.loads(tokenizer_json(vocabulary)), **rules}))
    assert read_tokenizer(tmp_path).encode("object")


def added(text: str, number: int = 1) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
    return {"added_tokens": [{"id": 60 + place, "content": f"{text}{place}", **flags} for place in range(number)]}


CLASSES = "".join(f"[^\\p{{L}}\\p{{N}}{chr(0x4E00 + number)}]" for number in range(400))
PIECES = [[f"{number:b}" * 1_000, -1.0] for number in range(256, 768)]  # of some 9,000 different letters each


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"normalizer": {"type": "Sequence", "normalizers": [REPLACE] * 20}, **added("a")},
            "its rules may make a text",
        ),
        (
            {"normalizer": {"type": "Sequence", "normalizers": [{**SPLIT, "type": "Replace", "content": ""}] * 11}},
            "11 of them regular",
        ),
        (added("a" * 50), "added entries of more than 50 characters"),
        (added("a" * 40, 130), "or of more than 5000 together"),
        (
            {"decoder": {"type": "Replace", "pattern": {"Regex": CLASSES}, "content": ""}},
            "expressions of more than 5000",
        ),
        ({"model": {"type": "Unigram", "unk_id": 0, "vocab": PIECES}}, "pieces with more than 3000000 different"),
    ],
)
def test_what_would_fill_the_memory_while_it_is_read(
    parts: dict[str, Any], message: str, vocabulary: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library applies rules to added entries, and compiles expressions, before it gives anything back."""
    (tmp_path / "tokenizer.json").write_text(json.dumps({**json.loads(tokenizer_json(vocabulary)), **parts}))
    monkeypatch.setattr(siglip_tokenizer, "_library", lambda *_: RulesOnly)
    with pytest.raises(InputError, match=message):
        read_tokenizer(tmp_path)


class RulesOnly:
    """Stands for the library, which is not to be given the whole file."""

    Tokenizer = SimpleNamespace(from_str=Tokenizer.from_str)


def test_added_entries_of_ordinary_length_are_read(vocabulary: bytes, tmp_path: Path) -> None:
    content = json.loads(tokenizer_json(vocabulary))
    content["added_tokens"] += added("<extra_", 100)["added_tokens"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    read_tokenizer(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "spiece.model"])
def test_tables_of_characters_that_would_fill_the_memory(name: str, vocabulary: bytes, tmp_path: Path) -> None:
    """A sentence took hundreds of times the size of such a file."""
    for length, is_refused in ((9_000, False), (11_000, True)):
        rules = tmp_path / "rules.tsv"
        rules.write_text(f"71\t{' '.join(['62'] * length)}\n")  # a q becomes so many b
        content = sentencepiece_model(normalization_rule_tsv=str(rules))
        if name == "tokenizer.json":
            table = sentencepiece_table(content)
            rule = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()}
            content = json.dumps({**json.loads(tokenizer_json(vocabulary)), "normalizer": rule}).encode()
        (tmp_path / name).write_bytes(content)
        if is_refused:
            with pytest.raises(InputError, match=r"its rules may make a text 1e\+04 times as long"):
                read_tokenizer(tmp_path)
        else:
            assert len(read_tokenizer(tmp_path).encode("q")) > length / 20


def sentencepiece_table(model: bytes) -> bytes:
    """The table of characters in a file of sentencepiece, which is the longest content of its normalizer."""
    contents = [content for number, part in _fields(memoryview(model)) if number == 3 for _, content in _fields(part)]
    return bytes(max(contents, key=len))


def test_damaged_files_of_sentencepiece_end(vocabulary: bytes, tmp_path: Path) -> None:
    """Whatever the library takes of them."""
    generator = random.Random(14)
    for _ in range(300):
        damaged = bytearray(vocabulary)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.choice((0, 1, 0x0A, 0x1A, 0x7F, 0x80, 0xFF))
        (tmp_path / "spiece.model").write_bytes(damaged[: generator.choice((len(damaged), len(damaged) // 2))])
        with contextlib.suppress(InputError):
            read_tokenizer(tmp_path)(["a damaged object"])

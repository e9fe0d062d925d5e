"""SigLIP's own tokenizer, read from the folder of the weights: texts to token ids.

Texts are cleaned as open_clip does for SigLIP: lower case, without punctuation. A text ends with one end token and is
filled up with padding to the full context; no token marks its start. SigLIP's vocabularies end with ``</s>`` and fill
up with it too, that of SigLIP 2 (Gemma's) ends with ``<eos>`` and fills up with ``<pad>``.
"""

import hashlib
import importlib
import itertools
import logging
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from open_clip.tokenizer import get_clean_fn
from torch import Tensor

from pointad.compute.library_loading import raise_lack
from pointad.compute.standard_error import nothing_on_standard_error
from pointad.errors import InputError, reason
from pointad.files.existing import is_beside
from pointad.files.json_files import parse_json
from pointad.files.regular import read_bytes
from pointad.model.siglip_model import CLEAN
from pointad.model.tokenizer_growth import (
    count_rules,
    most_growth,
    most_growth_in_sentencepiece,
    only_simple_expressions,
    rules_alone,
)

TOKENIZERS_FILE = "tokenizer.json"  # of the library tokenizers
SENTENCEPIECE_FILES = ("spiece.model", "tokenizer.model")  # of the library sentencepiece

_REMEDY = "download the whole folder again"
_ENDS_AND_PADDING = (("<eos>", "<pad>"), ("</s>", "</s>"))  # Gemma's vocabulary has a </s> too, as a mark of HTML
_SPARE_ENTRIES = 256  # by how much the vocabularies of published tokenizers and text encoders differ at most
_MOST_GROWTH = 10_000  # published rules make a text at most some dozens of times as long
_MOST_GROWTH_SEARCHED = 100  # where regular expressions, which take the square of a text's length, search the result
_MOST_RULES, _MOST_EXPRESSIONS = 50, 10  # far more than SigLIP's need
_UNKNOWN = "<unk>"
_ANY_WORD = "x"
_WORDS = (
    "a photo of the damaged object",
    "a close-up photo of a flawless object for visual inspection",
    "a bright, dark, blurry or cropped depth rendering of an unblemished, broken, defective or deformed object",
    "intact and perfect, without any flaw, with a defect, in good condition, in bad condition",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vocabulary:
    """What a file of a tokenizer offers: its size, ids of texts without special tokens, and ids of single entries."""

    path: Path
    size: int
    encode: Callable[[str], list[int]]
    entry: Callable[[str], int | None]


class SiglipTokenizer:
    """Maps texts to token ids.

    Args:
        vocabulary: from the tokenizer's file.
        entries: of the text encoder; all ids must be below this.
        context_length: C, tokens of a text with its padding.

    Raises:
        InputError: the vocabulary has no end token, or does not fit the text encoder.
    """

    def __init__(self, vocabulary: Vocabulary, entries: int, context_length: int) -> None:
        path, size = vocabulary.path, vocabulary.size
        if abs(size - entries) > _SPARE_ENTRIES:
            problem = f"tokenizer of another model: it has {size} entries, the text encoder {entries}"
            raise InputError(path, problem, _REMEDY)
        self.context_length = context_length
        self._vocabulary = vocabulary
        self._entries = entries
        self._clean = get_clean_fn(CLEAN)
        self._unknown_id = vocabulary.entry(_UNKNOWN)
        self._told_unknown = False
        for end, padding in _ENDS_AND_PADDING:
            end_id, padding_id = vocabulary.entry(end), vocabulary.entry(padding)
            if end_id is not None and padding_id is not None and max(end_id, padding_id) < entries:
                self.end_id, self.padding_id = end_id, padding_id
                return
        raise InputError(path, "not a tokenizer of SigLIP: it has no end token <eos> or </s>", _REMEDY)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids (K, C) int64 of K texts; longer ones are cut off, and keep their end token."""
        return torch.tensor([self._filled_up(self._encode_known(text)) for text in texts])

    def encode(self, text: str) -> list[int]:
        """Token ids of a text alone, without end and padding.

        Raises:
            InputError: the tokenizer's file is damaged, which only a text shows.
        """
        vocabulary = self._vocabulary
        token_ids = _guarded(lambda: vocabulary.encode(self._clean(text)), vocabulary.path)
        if token_ids and max(token_ids) >= self._entries:
            problem = f"gives token {max(token_ids)}, and the text encoder has {self._entries}"
            raise InputError(vocabulary.path, problem, _REMEDY)
        return token_ids

    def fingerprint(self) -> str:
        """A text that differs between tokenizers that read texts differently, whatever kind of file they come from.

        It is made of the ids of short texts with all pairs of letters, and of words of which prompts are made.
        """
        pairs = ("".join(pair) for pair in itertools.product(string.ascii_lowercase, repeat=2))
        token_ids = [self.encode(text) for text in (*pairs, *_WORDS)]
        told = repr((self.context_length, self.end_id, self.padding_id, token_ids))
        return hashlib.sha256(told.encode()).hexdigest()

    def encode_after_words(self, text: str) -> list[int]:
        """Token ids of a text that follows other words: where words begin with a space, so does its first.

        Raises:
            InputError: as `encode` does, or the tokenizer joins the text with the word before it.
        """
        before = self.encode(_ANY_WORD)
        token_ids = self._encode_known(f"{_ANY_WORD} {text}")
        if token_ids[: len(before)] != before:
            problem = f"not a tokenizer of SigLIP: it joins '{text}' with the word before it"
            raise InputError(self._vocabulary.path, problem, _REMEDY)
        return token_ids[len(before) :]

    def after_placeholders(self, placeholders: int, token_ids: Sequence[int]) -> Tensor:
        """Token ids (1, C) of a text whose first tokens will be replaced by learned ones."""
        return torch.tensor([self._filled_up([self.padding_id] * placeholders + list(token_ids))])

    def _encode_known(self, text: str) -> list[int]:
        """As `encode`; the first text with a part that the vocabulary lacks is told."""
        token_ids = self.encode(text)
        if self._unknown_id in token_ids and not self._told_unknown:
            self._told_unknown = True
            logger.warning(
                "%s has no entry for a part of '%s'; texts that differ only there have the same features",
                self._vocabulary.path,
                text,
            )
        return token_ids

    def _filled_up(self, token_ids: list[int]) -> list[int]:
        kept = token_ids[: self.context_length - 1]
        return [*kept, self.end_id, *[self.padding_id] * (self.context_length - 1 - len(kept))]


def read_siglip_tokenizer(folder: Path, *, vocabulary_size: int, context_length: int) -> SiglipTokenizer:
    """The tokenizer in a folder of SigLIP's weights.

    Args:
        folder: holds tokenizer.json, spiece.model or tokenizer.model; the first of them that exists is read.
        vocabulary_size: entries of the text encoder.
        context_length: tokens of a text with its padding.

    Raises:
        InputError: there is none, it cannot be read, the library for it is not installed, or its vocabulary is not the
            text encoder's.
    """
    readers = {TOKENIZERS_FILE: _read_tokenizers, **dict.fromkeys(SENTENCEPIECE_FILES, _read_sentencepiece)}
    name = next((name for name in readers if is_beside(folder / name)), None)
    if name is None:
        raise InputError(
            folder,
            f"has no {TOKENIZERS_FILE} or {SENTENCEPIECE_FILES[0]}, and SigLIP has a tokenizer of its own",
            "download that file from the model's page and put it next to the weights",
        )
    return SiglipTokenizer(readers[name](folder / name), vocabulary_size, context_length)


def _read_tokenizers(path: Path) -> Vocabulary:
    library = _library("tokenizers", path)
    content = read_bytes(path)  # the library takes no path that is not text
    alone = _guarded(lambda: library.Tokenizer.from_str(rules_alone(parse_json(content.decode()))), path)
    rules, expressions = _guarded(lambda: count_rules(alone.normalizer, alone.pre_tokenizer), path)
    if rules > _MOST_RULES or expressions > _MOST_EXPRESSIONS:
        most = f"{_MOST_RULES} rules, and {_MOST_EXPRESSIONS} regular expressions, are read at most"
        problem = f"has {rules} rules for texts, {expressions} of them regular expressions; {most}"
        raise InputError(path, problem, _REMEDY)
    growth = _guarded(lambda: most_growth(alone.normalizer, alone.pre_tokenizer), path)
    _refuse_growth(growth, path, _MOST_GROWTH_SEARCHED if expressions else _MOST_GROWTH)
    if not _guarded(lambda: only_simple_expressions(alone.normalizer, alone.pre_tokenizer), path):
        problem = "has regular expressions with groups, or with more than one repetition, which may take hours"
        raise InputError(path, problem, _REMEDY)
    tokenizer = _guarded(lambda: library.Tokenizer.from_buffer(content), path)
    tokenizer.post_processor = None  # it adds the special tokens, which are added here, and may repeat a text
    if getattr(tokenizer.model, "dropout", None) is not None:
        tokenizer.model.dropout = None  # it is for training: ids would be drawn at random
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Vocabulary(
        path=path,
        size=tokenizer.get_vocab_size(),
        encode=lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
        entry=tokenizer.token_to_id,
    )


def _read_sentencepiece(path: Path) -> Vocabulary:
    library = _library("sentencepiece", path)
    content = read_bytes(path)  # the library takes no path that is not text
    if not content:
        raise InputError(path, "is not a tokenizer that can be used (the file is empty)", _REMEDY)
    processor = _guarded(lambda: library.SentencePieceProcessor(model_proto=content), path)
    _refuse_growth(_guarded(lambda: most_growth_in_sentencepiece(content), path), path)

    def entry(piece: str) -> int | None:
        found = processor.piece_to_id(piece)  # the id of the unknown piece if there is no such piece
        return found if processor.id_to_piece(found) == piece else None  # may be no text

    return Vocabulary(
        path=path,
        size=processor.get_piece_size(),
        encode=processor.encode,
        entry=lambda piece: _guarded(lambda: entry(piece), path),
    )


def _refuse_growth(growth: int, path: Path, most: int = _MOST_GROWTH) -> None:
    if growth > most:
        raise InputError(path, f"its rules may make a text {growth:.0e} times as long", _REMEDY)


def _library(name: str, path: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise_lack(name, error)
        raise InputError(path, f"cannot be read without the package {name}", f"run: pip install {name}") from error


def _guarded(call: Callable[[], Any], path: Path) -> Any:
    """The result of one of the libraries on an untrusted file; any failure becomes a one-line error."""
    try:
        with nothing_on_standard_error():  # panics are printed, too
            return call()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # plain exceptions of their own, and panics of tokenizers, which are no Exception
        raise InputError(path, f"is not a tokenizer that can be used ({reason(error)[:200]})", _REMEDY) from error

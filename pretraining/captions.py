"""The sentences that go with the pre-training pictures: what kind of thing is seen and what is seen on it.

They describe; they never judge. Words of quality, which the prompts to be learned later start from, do not occur, so
that prompt learning has to find for itself what such a word should mean.
"""

import numpy as np

from pretraining.marks import KINDS

_FAMILY_WORDS = {
    "blob": ("blob", "pebble", "lump of clay", "wavy body"),
    "boxes": ("angular block", "stair of blocks", "bracket"),
    "discs": ("cluster of discs", "cloud of discs", "dumbbell"),
    "lens": ("lens", "almond", "pointed oval"),
    "polygon": ("prism", "polygon", "many-sided block"),
    "ring": ("ring", "frame", "washer"),
    "rod": ("rod", "bar", "stick"),
    "star": ("star", "spiky thing", "thing with points"),
    "strands": ("strand", "coil", "bundle of sticks", "knot"),
    "superellipse": ("oval", "rounded block", "tablet", "disc"),
}
_PROFILE_WORDS = {
    "flat": ("flat", "level"),
    "dome": ("domed", "round", "bulging"),
    "cone": ("peaked", "roof-like"),
    "terraces": ("stepped", "terraced"),
    "bowl": ("hollowed", "bowl-like", "rimmed"),
}
_RELIEF_WORDS = {
    "ribs": ("ribbed", "lined"),
    "folds": ("zigzag", "with folds"),
    "rings": ("ringed", "with rings"),
    "flutes": ("fluted", "with rays"),
    "contour": ("outlined", "with lines along its border"),
    "lattice": ("studded", "with rows of knobs"),
    "scales": ("scaly", "tiled"),
    "bumps": ("bumpy", "hilly"),
    "wrinkles": ("wrinkled", "creased"),
    "cells": ("cellular", "with a net of lines"),
    "grain": ("grainy", "sandy"),
    "seam": ("with a seam", "with a ridge across"),
    "hub": ("with a hub", "with a boss in the middle"),
    "warp": ("curved", "bent"),
}
_MARK_WORDS = {
    "pit": ("a small pit", "a little dimple", "a pit"),
    "hollow": ("a wide hollow", "a shallow dent", "a sunken area"),
    "hole": ("a deep hole", "a hole with steep walls", "a punched hole"),
    "groove": ("a thin groove", "a carved line", "a narrow channel"),
    "jagged line": ("a jagged line", "a zigzag line", "a thin zigzag gap"),
    "cut": ("a straight cut", "a slot", "a straight slit"),
    "scrapes": ("fine scrapes", "several fine lines", "scrape lines side by side"),
    "lump": ("a lump", "a small bulge", "a blister"),
    "foreign piece": ("a piece of something else on it", "a crumb on it", "a stuck piece"),
    "missing piece": ("a missing piece", "a bite out of its edge", "a missing corner"),
    "rough patch": ("a rough patch", "a torn patch", "a coarse area"),
    "stain": ("a stain", "a spot of another colour", "a blot"),
}
_PLAIN_WORDS = ("nothing on it", "a plain surface", "an even surface", "no mark", "the same surface all over")
_ANY_MARK_WORDS = ("a mark", "a mark on it", "something on its surface", "a place unlike the rest", "one odd place")

_SENTENCES = (
    "{}.",
    "a picture of {}.",
    "a grey picture of {}.",
    "this is {}.",
    "{}, seen from above.",
    "there is {}.",
    "a scan of {}.",
)
_NOUNS = ("object", "thing", "item", "piece", "body")
_LARGEST_FILLING = 8


def state_sentences(rng: np.random.Generator) -> list[str]:
    """One sentence for every state of an object: plain, any mark, and each kind of mark in the order of `KINDS`.

    All sentences of one call name the object by the same word, so that nothing but the state differs.
    """
    noun = str(rng.choice(_NOUNS)) if rng.random() < 0.6 else _some(rng, [w for f in _FAMILY_WORDS.values() for w in f])
    frame = str(rng.choice(_SENTENCES))
    filling = _filling(rng)
    states = [_PLAIN_WORDS, _ANY_MARK_WORDS, *(_MARK_WORDS[kind] for kind in KINDS)]
    return [filling + frame.format(f"{_article(noun)} with {_some(rng, words)}") for words in states]


def picture_caption(rng: np.random.Generator, body: dict, kinds: list[str]) -> str:
    """A sentence about one picture.

    Args:
        rng: chooses among equal words.
        body: `{"family", "profile", "reliefs"}` of the object.
        kinds: the kinds of mark that are seen, none or several.
    """
    relief = [_some(rng, _RELIEF_WORDS[name]) for name in body["reliefs"] if rng.random() < 0.7]
    before = [word for word in relief if not word.startswith("with ")]
    after = [word for word in relief if word.startswith("with ")]
    noun = " ".join([*before, _some(rng, _PROFILE_WORDS[body["profile"]]), _some(rng, _FAMILY_WORDS[body["family"]])])
    marks = [_some(rng, _MARK_WORDS[kind]) for kind in kinds] or [_some(rng, _PLAIN_WORDS)]
    described = " ".join([_article(noun), *after, "with", " and ".join(marks)])
    return str(rng.choice(_SENTENCES)).format(described)


def vocabulary() -> set[str]:
    """Every word that a caption may hold."""
    tables = (_FAMILY_WORDS, _PROFILE_WORDS, _RELIEF_WORDS, _MARK_WORDS)
    phrases = [phrase for table in tables for words in table.values() for phrase in words]
    phrases += [*_PLAIN_WORDS, *_ANY_MARK_WORDS, *_SENTENCES, *_NOUNS, "a an with and X"]
    return {word.strip(".,{}") for phrase in phrases for word in phrase.split()} - {""}


def _filling(rng: np.random.Generator) -> str:
    """Now and then some words without meaning in front, as learned prompts have."""
    return "X " * int(rng.integers(1, _LARGEST_FILLING + 1)) if rng.random() < 0.4 else ""


def _some(rng: np.random.Generator, words: tuple[str, ...] | list[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"

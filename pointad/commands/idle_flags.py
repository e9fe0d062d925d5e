"""Flags that change nothing beside the others that are given; said, lest a figure be taken to depend on them."""

import argparse
from collections.abc import Collection, Iterator

from pointad.scoring.back_projection import MEAN
from pointad.scoring.options import DEFAULT_SIGMA
from pointad.training.terms import LOSSES

WITHOUT_GOOD_SCANS = "without --shots, nothing is compared with good scans"
WITHOUT_MAPS = "no figure and no file depends on a point's value"


def idle_in_test(flags: argparse.Namespace, metrics: Collection[str]) -> Iterator[tuple[str, str]]:
    """The flags of test.py that change nothing, each with the reason.

    Args:
        flags: as parsed.
        metrics: the names of all that is measured.
    """
    if flags.shots is None:
        if flags.seed is not None:
            yield "--seed", "testing is deterministic"
        yield from ((f"--{name}", WITHOUT_GOOD_SCANS) for name in ("draws", "good_from") if getattr(flags, name))
    elif flags.batch_size is not None:
        yield "--batch_size", "few-shot tests encode one sample at a time"
    if flags.prompts == "ensemble":
        sizes = (name for name in ("depth", "n_ctx", "t_n_ctx") if getattr(flags, name) is not None)
        yield from ((f"--{name}", "the ensemble has no learned tokens") for name in sizes)
    if flags.aupro != "exact" and not any("aupro" in name for name in metrics):
        yield "--aupro", "AUPRO is not measured"
    of_points = any(name.startswith("pixel") for name in metrics) or flags.save_maps or flags.visualize
    if flags.fusion == "global" and not of_points:
        if flags.sigma != DEFAULT_SIGMA:
            yield "--sigma", WITHOUT_MAPS
        if flags.view_fusion != MEAN:
            yield "--view_fusion", WITHOUT_MAPS


def idle_in_training(flags: argparse.Namespace, terms: Collection[str]) -> Iterator[tuple[str, str]]:
    """The flags of train.py that change nothing, each with the reason.

    Args:
        flags: as parsed.
        terms: the names of the terms of the loss that count.
    """
    if flags.depth == 1 and flags.t_n_ctx is not None and flags.init_checkpoint is None:
        yield "--t_n_ctx", "with --depth 1 no block has learned tokens of its own"
    if flags.view_fusion != MEAN and not any(LOSSES[name].of_points for name in terms):
        yield "--view_fusion", "no term of the loss depends on a point's value"

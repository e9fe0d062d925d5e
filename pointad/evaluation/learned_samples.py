"""Tells of test samples that the prompts were learned from, whatever they and their class are called."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace

from pointad.errors import shown
from pointad.evaluation.run_record import RunRecord

logger = logging.getLogger(__name__)


def with_learned_samples(record: RunRecord, tested: Mapping[str, Collection[str]]) -> RunRecord:
    """The record of a test with a difference for each class of which samples were learned from, which is logged.

    Args:
        record: of the test; its training must say which samples it had (`TrainingRecord.renderings`).
        tested: class -> the `looks_of` each of its samples; one view that is the same makes a sample the same.
    """
    renderings = None if record.training is None else record.training.renderings
    learned = set((renderings or "").split())
    found = []
    for class_name, samples in tested.items():
        count = sum(not learned.isdisjoint(sample.split()) for sample in samples)
        if count:
            found.append(f"learned from {count} of the {len(samples)} test samples of {shown(class_name)}")
    if found:
        message = "%s: %s, by their renderings, although their class or data set is called otherwise"
        logger.warning(message, record.checkpoint, "; ".join(found))
    return replace(record, differences=(*(record.differences or ()), *found)) if found else record

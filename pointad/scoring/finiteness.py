"""Scores are numbers: what is none cannot be ranked, compared with a threshold or passed as good."""

import math
from collections.abc import Iterable

from pointad.errors import InputError


def check_scores(scores: Iterable[float], subject: str) -> None:
    """Refuse scores that are not finite, whatever made them so.

    Args:
        scores: of one sample.
        subject: the sample, for the error.

    Raises:
        InputError: one is not.
    """
    if not all(map(math.isfinite, scores)):
        problem = "its scores are not finite: values overflow in the image encoder or in the prompts"
        raise InputError(subject, problem, "use --precision fp32, or give other weights and prompts")

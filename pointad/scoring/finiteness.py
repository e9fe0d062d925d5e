"""Refuses non-finite scores: they can be neither ranked nor compared with a threshold, and must not pass as good."""

import math
from collections.abc import Iterable

from pointad.errors import InputError


def check_scores(scores: Iterable[float], subject: str) -> None:
    """Refuse non-finite scores, whatever their cause.

    Args:
        scores: of one sample.
        subject: the sample, for the error message.

    Raises:
        InputError: a score is not finite.
    """
    if not all(map(math.isfinite, scores)):
        problem = "its scores are not finite: values overflow in the image encoder or in the prompts"
        raise InputError(subject, problem, "use --precision fp32, or give other weights and prompts")

"""The threshold between pass and fail, and how it was chosen."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointad.errors import InputError, counted
from pointad.reference.conformal import CONFIDENCE, conformal_threshold, p_value, rate_interval
from pointad.reference.likeness import Likeness

logger = logging.getLogger(__name__)

PASS, FAIL = "pass", "fail"


@dataclass(frozen=True)
class Verdicts:
    """How scores are judged."""

    threshold: float | None = None  # scores above it fail; None: no verdict
    good_scores: tuple[float, ...] | None = None  # that p-values are computed from; None: no p-values
    false_alarm_rate: float | None = None
    calibrated_on: tuple[Likeness, ...] = ()  # the scans of the threshold
    kind: str | None = None  # of the scans whose scores can be judged; None: of any

    def require_kind(self, path: Path, kind: str) -> None:
        """Refuse a scan whose score is not comparable with those that the threshold was calibrated on.

        Args:
            path: the scan's file, for the error message.
            kind: `Prediction.kind`.

        Raises:
            InputError: it is of another kind.
        """
        if self.kind is not None and kind != self.kind:
            problem = f"is {kind}, and the scans of --calibrate are {self.kind}; its score would not be comparable"
            raise InputError(path, problem, "calibrate on good scans of the same kind")

    def on(self, score: float) -> str | None:
        """Whether a score passes; None without a threshold."""
        if self.threshold is None:
            return None
        return PASS if score <= self.threshold else FAIL

    def facts(self, score: float) -> dict[str, float | str | None]:
        """The facts about a score, for JSON."""
        said: dict[str, float | str | None] = {"threshold": self.threshold, "verdict": self.on(score)}
        if self.good_scores is not None:
            said |= {"p_value": p_value(score, self.good_scores), "false_alarm_rate": self.false_alarm_rate}
        return said

    def sentence(self, score: float) -> str:
        """The verdict in words; empty without a threshold."""
        verdict = self.on(score)
        if verdict is None:
            return ""
        sentence = f"Verdict: {verdict}; scores above {self.threshold:.4f} fail."
        if self.good_scores is not None:
            known = counted(len(self.good_scores), "good scan")
            sentence += f" p-value {p_value(score, self.good_scores):.3g} among {known}."
        return sentence


def judged_by_quantile(good_scores: Sequence[float], quantile: float) -> Verdicts:
    """The threshold is a quantile of the scores of good scans."""
    threshold = float(np.quantile(good_scores, quantile, method="higher"))
    logger.info(
        "threshold %.6g: quantile %g of the scores of %s (%.6g to %.6g)",
        threshold,
        quantile,
        counted(len(good_scores), "good scan"),
        min(good_scores),
        max(good_scores),
    )
    return Verdicts(threshold)


def judged_by_rate(good_scores: Sequence[float], rate: float) -> Verdicts:
    """The threshold for a target false-alarm rate.

    Raises:
        InputError: there are too few good scores for the rate.
    """
    threshold = conformal_threshold(good_scores, rate)
    scans = counted(len(good_scores), "good scan")
    logger.info("threshold %.6g: false-alarm rate %g among %s", threshold, rate, scans)
    return Verdicts(threshold, tuple(good_scores), rate)


def log_realised_rate(verdicts: Verdicts, held_out: Sequence[float]) -> None:
    """Log how many of the held-out good scans fail, and what this says about the rate."""
    alarms = sum(verdicts.on(score) == FAIL for score in held_out)
    low, high = rate_interval(alarms, len(held_out))
    logger.info(
        "false alarms on %s: %d, a rate of %.3g (%.0f %% interval %.3g to %.3g); the target was %g",
        counted(len(held_out), "held-out good scan"),
        alarms,
        alarms / len(held_out),
        100 * CONFIDENCE,
        low,
        high,
        verdicts.false_alarm_rate,
    )

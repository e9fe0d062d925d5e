"""The model in the process that inspects."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pointad.commands.detector import checkpoint_of, load_detector
from pointad.commands.predict_outputs import compared_with, describe
from pointad.commands.references import GoodScans, content_of, make_reference
from pointad.commands.scan_search import IS_GOOD, twin_of
from pointad.commands.serve_settings import ServeSettings
from pointad.commands.service.child import PAGE, REFERENCE, Model, Order
from pointad.commands.service.memory_limit import limit_memory
from pointad.commands.service.told_warnings import told_warnings
from pointad.commands.verdicts import Verdicts
from pointad.compute.device import choose_device
from pointad.errors import InputError, named_subjects, short
from pointad.evaluation.provenance import file_fingerprint
from pointad.inspection.predictor import PointAD
from pointad.inspection.presentation import inspection_body
from pointad.inspection.scan_file import inspect_file
from pointad.reference.conformal import p_value
from pointad.reference.reference import Reference

logger = logging.getLogger(__name__)


class ScanInspector:
    """Inspects scans with a loaded model.

    Args:
        detector: the model.
        reference: good scans that every scan is compared with; None: zero-shot.
        prompts: fingerprint of the file of the prompts; their features may differ in the last digit where they are
            computed again.
    """

    def __init__(self, detector: PointAD, reference: Reference | None = None, prompts: str = "") -> None:
        good_scans = 0 if reference is None else len(reference.names)
        good = "" if reference is None else reference.fingerprint
        known = f"{detector.encoder.backbone.fingerprint} {prompts} {good}"
        self.model = Model(detector.backbone_name, detector.is_demo, good_scans, known)
        self._detector = detector
        self._reference = reference
        self._loaded: tuple[str, Reference] | None = None  # the last one that was named, by its path

    def inspect(self, order: Order) -> str:
        """Facts as JSON, a part of a page, or what is known of good scans, for which a file is written.

        Raises:
            InputError: a file is not a scan that can be inspected, or does not match the others.
        """
        with told_warnings({order.path: order.name, **dict(order.good)}) as warnings:
            if order.form == REFERENCE:
                facts = self._write_reference(order)
                return _json(facts | _warning(warnings))
            reference = self._reference_for(order)
            options = {} if reference is None else {"reference": reference}
            found = inspect_file(
                self._detector, order.path, name=order.name, options=options, with_likeness=reference is not None
            )
            copied = "" if reference is None or found.likeness is None else reference.copied(found.likeness)
            is_copy = self._is_copy(order, copied or "")
            if is_copy:
                logger.warning("%s: %s", order.name, is_copy)
        warning = _warning([said.removeprefix(f"{order.name}: ") for said in warnings])
        if order.form == PAGE:
            heat_range = None if reference is None else reference.heat_range
            sentence = _sentence(reference, found.prediction.score)
            said = "".join(f" Warning: {told}." for told in warning.values())
            return inspection_body(found, sentence + said, heat_range)
        facts = {**describe(found, Verdicts()), "file": found.name, "demo": self.model.is_demo}
        return _json(facts | _compared(reference, found.prediction.score) | warning)

    def _is_copy(self, order: Order, copied: str | Path) -> str:
        """What is to be said about a scan that is a copy of a good one that it is compared with; empty for others."""
        copied = order.copy_of or copied
        if self._reference is not None and not (copied or order.good or order.reference):
            path, own = Path(order.path), self._reference
            known = dict(zip(own.contents, own.names, strict=False))  # by content: the files may have been moved
            copied = twin_of(path, own.names) or known.get(content_of(path), "")
        return f"{IS_GOOD} (it holds the same as {short(Path(copied).name)})" if copied else ""

    def _reference_for(self, order: Order) -> Reference | None:
        if order.good:
            return self._made(order)
        if not order.reference:
            return self._reference
        if self._loaded is None or self._loaded[0] != order.reference:
            self._loaded = None  # its memory is needed
            with named_subjects({order.reference: "reference"}):  # whose path is nobody's business
                self._loaded = order.reference, Reference.load(order.reference)
        return self._loaded[1]

    def _write_reference(self, order: Order) -> dict[str, Any]:
        reference = self._made(order)
        reference.save(order.path)
        scores = list(reference.good_scores)
        return {"reference": order.name, "good_scans": len(reference.names), "good_scores": scores}

    def _made(self, order: Order) -> Reference:
        names = dict(order.good)
        try:
            reference = make_reference(self._detector, GoodScans([Path(path) for path in names]), {})
        except InputError as error:  # whose subject is a path of this machine
            is_named = any(path in error.subject for path in names)
            problem = f"{error.subject}: {error.problem}" if is_named else error.problem
            for path, called in names.items():
                problem = problem.replace(path, called)
            raise InputError(error.subject, problem, error.remedy) from None
        return replace(reference, names=tuple(names.values()))  # not those of files on this machine


def _warning(told: Sequence[str]) -> dict[str, str]:
    return {"warning": "; ".join(told)} if told else {}


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, allow_nan=False)


def _compared(reference: Reference | None, score: float) -> dict[str, Any]:
    """How many good scans a score rests on, and how unusual it is among theirs."""
    if reference is None:
        return {"good_scans": 0}
    known = reference.good_scores
    return {"good_scans": len(reference.names)} | ({"p_value": p_value(score, known)} if known else {})


def _sentence(reference: Reference | None, score: float) -> str:
    facts = _compared(reference, score)
    said = compared_with(facts["good_scans"])
    return f"{said}; p-value {facts['p_value']:.3g} among their scores." if "p_value" in facts else f"{said}."


def load_inspector(settings: ServeSettings) -> ScanInspector:
    """Load what the settings ask for, and look at a small ball once, so that the first request waits for no import.

    Raises:
        InputError: something of the model is missing.
    """
    reference = None if settings.reference is None else Reference.load(settings.reference)
    detector = load_detector(settings.detector)
    if reference is not None:
        detector.check_reference(reference)
    directions = np.random.default_rng(0).normal(size=(500, 3))
    detector.predict(directions / np.linalg.norm(directions, axis=1, keepdims=True))
    if choose_device(settings.detector.model.device).type == "cpu":
        limit_memory(settings.scan_memory)
    return ScanInspector(detector, reference, file_fingerprint(checkpoint_of(settings.detector)))

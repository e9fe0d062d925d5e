"""The model in the process that inspects."""

import json
from collections.abc import Callable

import numpy as np

from pointad.commands.detector import load_detector
from pointad.commands.predict_outputs import describe
from pointad.commands.serve_settings import ServeSettings
from pointad.commands.service.child import FACTS, PAGE, Model, Order
from pointad.commands.service.memory_limit import limit_memory
from pointad.commands.verdicts import Verdicts
from pointad.compute.device import choose_device
from pointad.inspection.predictor import PointAD
from pointad.inspection.presentation import inspection_body
from pointad.inspection.scan_file import Inspection, inspect_file
from pointad.reference.reference import Reference


class ScanInspector:
    """Inspects scans with a loaded model.

    Args:
        detector: the model.
        reference: good scans that every scan is compared with; None: zero-shot.
    """

    def __init__(self, detector: PointAD, reference: Reference | None = None) -> None:
        self.model = Model(detector.backbone_name, detector.is_demo)
        self._detector = detector
        self._options = {} if reference is None else {"reference": reference}
        self._forms: dict[str, Callable[[Inspection], str]] = {FACTS: self._facts, PAGE: inspection_body}

    def inspect(self, order: Order) -> str:
        """Facts as JSON, or a part of a page.

        Raises:
            InputError: the file is not a scan that can be inspected.
        """
        inspection = inspect_file(self._detector, order.path, name=order.name, options=self._options)
        return self._forms[order.form](inspection)

    def _facts(self, found: Inspection) -> str:
        facts = {**describe(found, Verdicts()), "file": found.name, "demo": self.model.is_demo}
        return json.dumps(facts, ensure_ascii=False, allow_nan=False)


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
    return ScanInspector(detector, reference)

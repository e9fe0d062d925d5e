"""What the process of the web service that inspects makes of an order."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from sample_scans import closed_shape

from pointad.commands.service.child import FACTS, PAGE, Order
from pointad.commands.service.inspector import ScanInspector
from pointad.inspection.predictor import PointAD


def test_scans_are_compared_with_the_reference(detector: PointAD, ply: Path) -> None:
    reference = detector.make_reference([closed_shape(2000, seed=1)])
    inspector = ScanInspector(detector, reference)
    facts = json.loads(inspector.inspect(Order(str(ply), "blob.ply", FACTS)))
    points = np.asarray(trimesh.load(ply).vertices)
    assert facts["score"] == pytest.approx(detector.predict(points, reference=reference).score, abs=1e-5)
    assert facts["score"] != pytest.approx(detector.predict(points).score, abs=1e-5)
    assert "blob.ply" in inspector.inspect(Order(str(ply), "blob.ply", PAGE))

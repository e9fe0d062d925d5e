"""What the process of the web service that inspects makes of an order."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from sample_scans import closed_shape

from pointad.commands.service.child import FACTS, PAGE, REFERENCE, Order
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


def test_senders_are_told_of_files_that_are_read_unlike_the_good_ones(detector: PointAD, tmp_path: Path) -> None:
    good, scan = tmp_path / "good_0.xyz", tmp_path / "scan.xyz"
    np.savetxt(good, closed_shape(900, 0), fmt="%.5f")
    np.savetxt(scan, np.column_stack([np.ones(900), closed_shape(900, 1)]), fmt="%.5f", header="i x y z", comments="")
    inspector = ScanInspector(detector)
    made = Order(str(tmp_path / "made.safetensors"), "made", REFERENCE, good=((str(good), "good.xyz"),))
    inspector.inspect(made)
    facts = inspector.inspect(Order(str(scan), "sent.xyz", FACTS, reference=made.path))
    assert json.loads(facts)["warning"].startswith("was not read as the good .xyz scans were: x, y, z: columns 2 (x)")


def test_senders_are_told_how_their_files_are_read(detector: PointAD, tmp_path: Path) -> None:
    paths = [tmp_path / "scan.csv", tmp_path / "good_0.csv"]
    for seed, path in enumerate(paths):
        np.savetxt(path, closed_shape(900, seed), fmt="%.9f", delimiter=";")
        path.write_text(path.read_text().replace(".", ","))
    inspector, commas = ScanInspector(detector), "commas are read as decimal signs"
    alone = Order(str(paths[0]), "sent.csv", FACTS)
    assert json.loads(inspector.inspect(alone))["warning"] == commas
    assert f"(zero-shot). Warning: {commas}." in inspector.inspect(replace(alone, form=PAGE))
    good = ((str(paths[1]), "good.csv"),)
    assert json.loads(inspector.inspect(replace(alone, good=good)))["warning"] == f"good.csv: {commas}; {commas}"
    made = Order(str(tmp_path / "made.safetensors"), "made", REFERENCE, good=good)
    assert json.loads(inspector.inspect(made))["warning"] == f"good.csv: {commas}"


def test_a_service_knows_whether_its_files_were_replaced(detector: PointAD) -> None:
    first, second = (detector.make_reference([closed_shape(900, seed=seed)]) for seed in (1, 2))
    made = [
        ScanInspector(detector, reference, prompts)
        for reference, prompts in ((None, "a"), (None, "b"), (first, "a"), (second, "a"))
    ]
    assert len({one.model.fingerprint for one in made}) == len(made)
    assert ScanInspector(detector, first, "a").model == made[2].model

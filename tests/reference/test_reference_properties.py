"""What references promise whatever the scans: leaving out is leaving out, order does not matter, memory is bounded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_scans import closed_shape

from pointad.inspection.predictor import PointAD
from pointad.reference import building
from pointad.reference.coreset import spread_out
from pointad.reference.cues import ReferenceScores
from pointad.reference.reference import COLOR_BYTES, GEOMETRY_BYTES, PATCH_BYTES, Reference

SHAPES = [closed_shape(700, seed) for seed in range(3)]
LARGEST = 200_000_000  # bytes that a reference of sixteen good scans may take


@pytest.fixture(scope="module")
def reference(detector: PointAD) -> Reference:
    return detector.make_reference(SHAPES)


def test_the_score_of_a_good_scan_is_that_of_a_reference_made_without_it(
    detector: PointAD, reference: Reference
) -> None:
    others = replace(detector.make_reference(SHAPES[1:]), powers=reference.powers)
    twin = detector.predict(SHAPES[0], reference=others)
    assert reference.good_scores[0] == pytest.approx(twin.score, rel=1e-4)


def test_the_order_of_the_good_scans_does_not_matter(detector: PointAD, reference: Reference) -> None:
    turned_around = detector.make_reference(SHAPES[::-1])
    assert turned_around.good_scores == pytest.approx(reference.good_scores[::-1], rel=1e-5)
    scan = closed_shape(700, 8)
    first, second = (detector.predict(scan, reference=one).point_scores for one in (reference, turned_around))
    np.testing.assert_allclose(first, second, rtol=1e-5)


def test_the_order_of_the_points_does_not_matter(detector: PointAD, reference: Reference) -> None:
    scan = closed_shape(700, 8)
    order = np.random.default_rng(0).permutation(700)
    scores = detector.predict(scan, reference=reference).point_scores
    shuffled = detector.predict(scan[order], reference=reference).point_scores
    assert np.abs(shuffled / scores[order] - 1).mean() < 0.05  # other centres are drawn, of the same surface


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_covers_the_rest_at_most_half_as_well_as_the_best_choice(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = torch.from_numpy(random.standard_cauchy(size=(200, 3)))

    def radius(chosen: torch.Tensor) -> float:
        return float(torch.cdist(vectors, vectors[chosen]).amin(dim=1).max())

    kept = radius(spread_out(vectors, 12))
    # Greedy k-centre is within twice the best radius, and no choice is better than the best.
    means = vectors[torch.from_numpy(random.permutation(200)[:12])]
    for _ in range(30):
        nearest = torch.cdist(vectors, means).argmin(dim=1)
        means = torch.stack(
            [vectors[nearest == k].mean(dim=0) if (nearest == k).any() else means[k] for k in range(12)]
        )
    assert kept <= 2 * min(
        radius(torch.cdist(means, vectors).argmin(dim=1).unique()),
        *(radius(torch.from_numpy(random.permutation(200)[:12])) for _ in range(50)),
    )


def test_memory_is_bounded(detector: PointAD, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = {"PATCH_BYTES": 60_000, "GEOMETRY_BYTES": 20_000, "COLOR_BYTES": 5_000}
    for name, most in bounds.items():
        monkeypatch.setattr(building, name, most)
    made = detector.make_reference([closed_shape(500, seed) for seed in range(5)])
    owners = 1.05  # the number of its scan beside every vector
    assert made.patches.nbytes + made.geometry.nbytes <= made.nbytes <= owners * sum(bounds.values())
    assert owners * (PATCH_BYTES + GEOMETRY_BYTES + COLOR_BYTES) < LARGEST


def test_good_scans_without_any_differences_can_be_stored(
    detector: PointAD, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As very wide smoothing makes them: all points of all scans have one value."""
    flat = ReferenceScores({"point": np.full(700, 0.25, np.float32)}, {"point": 0.25})
    monkeypatch.setattr(building, "join_scores", lambda *_: flat)
    made = detector.make_reference(SHAPES)
    made.save(tmp_path / "flat.safetensors")
    assert made.heat_range == Reference.load(tmp_path / "flat.safetensors").heat_range

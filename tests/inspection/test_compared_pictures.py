"""RGB pictures compared with those of good scans: what they change, and what is said where they are missing."""

from pathlib import Path

import numpy as np
import pytest
from sample_scans import closed_shape, depth_scan

from pointad.errors import InputError
from pointad.inspection.predictor import PointAD
from pointad.reference.likeness import Likeness
from pointad.reference.reference import Reference

SCAN = depth_scan()
OTHER = SCAN * np.float32(1.01)


def picture(seed: int) -> np.ndarray:
    """(200, 200, 3) uint8, a grey surface with some noise."""
    return np.random.default_rng(seed).normal(150, 3, size=(200, 200, 3)).astype(np.uint8)


def stained() -> np.ndarray:
    changed = picture(9)
    changed[110:130, 90:110] = (60, 20, 20)
    return changed


@pytest.fixture(scope="module")
def reference(detector: PointAD) -> Reference:
    return detector.make_reference([SCAN, SCAN], pictures=[picture(0), picture(1)])


def test_a_stain_stands_out_from_good_pictures(detector: PointAD, reference: Reference) -> None:
    clean, found = (detector.predict(SCAN, rgb=rgb, reference=reference) for rgb in (picture(5), stained()))
    assert found.modality_scores["point"] == pytest.approx(clean.modality_scores["point"])
    assert found.score == found.modality_scores["fused"] > 1.5 * clean.score
    stain = np.zeros((200, 200), bool)
    stain[112:128, 92:108] = True
    growth = found.point_scores[found.taking_part] / clean.point_scores[clean.taking_part]
    assert growth[stain[found.taking_part]].min() > 1.3 * np.median(growth)


def test_pictures_are_stored_with_the_reference(detector: PointAD, reference: Reference, tmp_path: Path) -> None:
    reference.save(tmp_path / "plate.safetensors")
    loaded = Reference.load(tmp_path / "plate.safetensors")
    assert loaded.nbytes == reference.nbytes
    first, second = (detector.predict(SCAN, rgb=stained(), reference=one) for one in (reference, loaded))
    np.testing.assert_array_equal(first.point_scores, second.point_scores)


def test_a_scan_without_a_picture_is_refused_where_the_good_scans_have_them(
    detector: PointAD, reference: Reference
) -> None:
    with pytest.raises(InputError, match="has no RGB picture, and the good scans that it is compared with have them"):
        detector.predict(SCAN, reference=reference)


def test_a_picture_is_not_compared_where_a_good_scan_has_none(
    detector: PointAD, caplog: pytest.LogCaptureFixture
) -> None:
    partly = detector.make_reference([SCAN, OTHER], pictures=[picture(0), None])
    assert partly.color is None and "good scan 2 has no RGB picture" in caplog.text
    caplog.clear()
    prediction = detector.predict(SCAN, rgb=stained(), reference=partly)
    assert set(prediction.modality_scores) == {"point"}
    assert "is not compared: the good scans have none" in caplog.text
    alone = detector.predict(SCAN, reference=detector.make_reference([SCAN, OTHER]))
    np.testing.assert_array_equal(prediction.point_scores, alone.point_scores)


def test_copies_are_known_without_the_pictures_that_are_not_compared(detector: PointAD, reference: Reference) -> None:
    copy = Likeness.of(SCAN, stained())
    partly = detector.make_reference([OTHER, SCAN], pictures=[picture(0), None])
    assert partly.copied(copy) == "good scan 2" and reference.copied(copy) is None
    assert partly.copied(Likeness.of(OTHER)) == "good scan 1"
    with pytest.raises(InputError, match="good scan 3: holds the same points as good scan 1"):
        detector.make_reference([SCAN, OTHER, SCAN], pictures=[picture(0), picture(1), None])


def test_there_is_a_picture_for_each_scan_and_a_grid_for_each_picture(detector: PointAD) -> None:
    with pytest.raises(InputError, match="pictures: are fewer than the good scans"):
        detector.make_reference([SCAN, SCAN], pictures=[picture(0)])
    with pytest.raises(InputError, match="RGB picture: cannot be mapped to a cloud without a grid"):
        detector.make_reference([closed_shape(500)], pictures=[picture(0)])

"""Predictions with a reference: what it changes, what it is stored with, and what it refuses."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_scans import closed_shape, depth_scan

from pointad.errors import InputError
from pointad.inspection.predictor import PointAD
from pointad.reference.cues import cue_powers
from pointad.reference.likeness import Likeness
from pointad.reference.patch_bank import PatchBank
from pointad.reference.reference import Reference


def dented(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points with a dent, and which of them lie in it."""
    distance = np.linalg.norm(points - points[np.argmax(points[:, 0])], axis=1)
    return points * (1 - 0.15 * np.exp(-((distance / 4) ** 2)))[:, None], distance < 3


@pytest.fixture(scope="module")
def reference(detector: PointAD) -> Reference:
    return detector.make_reference(closed_shape(3000, seed) for seed in range(2))


def test_a_dent_stands_out_from_good_scans(detector: PointAD, reference: Reference) -> None:
    good = closed_shape(3000, 7)
    bad, inside = dented(good)
    clean, found = (detector.predict(points, reference=reference) for points in (good, bad))
    assert found.score > clean.score
    assert found.point_scores[inside].mean() > 1.4 * found.point_scores[~inside].mean()
    assert found.point_scores.shape == (3000,)


def test_organized_scans_have_a_map(detector: PointAD) -> None:
    scan = depth_scan()
    reference = detector.make_reference([scan])
    assert reference.good_scores == () and reference.heat_range is None
    prediction = detector.predict(scan, reference=reference)
    assert set(prediction.grid_maps) == {"point"} and prediction.grid_maps["point"].shape == (336, 336)
    assert prediction.score > 0 and prediction.grid_maps["point"].min() > 0


def test_the_prompts_say_the_same_with_and_without_good_scans(detector: PointAD, reference: Reference) -> None:
    points = closed_shape(3000, 7)
    alone, compared = detector.predict(points), detector.predict(points, reference=reference)
    np.testing.assert_array_equal(alone.view_scores, compared.view_scores)
    np.testing.assert_array_equal(alone.maps, compared.maps)


def test_a_stored_reference_is_the_same(detector: PointAD, reference: Reference, tmp_path: Path) -> None:
    reference.save(tmp_path / "made" / "shape.safetensors")
    loaded = Reference.load(tmp_path / "made" / "shape.safetensors")
    assert loaded.setting == reference.setting and loaded.good_scores == reference.good_scores
    points = closed_shape(3000, 7)
    first, second = (detector.predict(points, reference=one) for one in (reference, loaded))
    np.testing.assert_array_equal(first.point_scores, second.point_scores)


def test_good_scans_tell_their_own_scores(detector: PointAD, reference: Reference) -> None:
    assert len(reference.good_scores) == 2 and min(reference.good_scores) > 0
    assert sum(reference.powers.values()) == pytest.approx(1)
    assert reference.heat_range is not None
    low, high = reference.heat_range
    assert low < detector.predict(closed_shape(3000, 7), reference=reference).point_scores.max() < high


def test_other_settings_are_refused(detector: PointAD, reference: Reference) -> None:
    points = closed_shape(3000, 7)
    with pytest.raises(InputError, match=r"was made with other settings \(smoothing\); make the reference again"):
        detector.predict(points, reference=reference, sigma=6.0)
    with pytest.raises(InputError, match=r"other settings \(views, rendering rig\)"):
        detector.predict(points, reference=reference, rig="front")
    with pytest.raises(InputError, match="another kind of scan, without a pixel grid; this one is with a"):
        detector.predict(depth_scan(), reference=reference)


def test_a_reference_of_an_earlier_version_is_refused(detector: PointAD, reference: Reference, tmp_path: Path) -> None:
    older = dataclasses.replace(reference.setting, format=reference.setting.format - 1)
    dataclasses.replace(reference, setting=older).save(tmp_path / "shape.safetensors")
    stored = Reference.load(tmp_path / "shape.safetensors")
    with pytest.raises(InputError, match=r"\(version of the format\); make the reference again"):
        detector.predict(closed_shape(3000, 7), reference=stored)
    others = dict.fromkeys(reference.powers, 0.1)
    dataclasses.replace(reference, setting=older, powers=others).save(tmp_path / "shape.safetensors")
    with pytest.raises(InputError, match=r"shape\.safetensors: is from another version; make it again"):
        Reference.load(tmp_path / "shape.safetensors")


def test_a_damaged_reference_is_refused(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "shape.safetensors"
    reference.save(path)
    content = bytearray(path.read_bytes())
    place = content.find(reference.patches.descriptors.numpy().tobytes()[:64])
    assert place > 0
    content[place : place + 4096] = bytes(4096)  # what a power cut may leave of a file
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged \(its checksum differs\)"):
        Reference.load(path)


def test_patches_of_another_width_are_refused(detector: PointAD, reference: Reference, tmp_path: Path) -> None:
    """Only a changed file has them in spite of an equal setting."""
    patches = reference.patches
    wider = dataclasses.replace(patches, descriptors=torch.nn.functional.pad(patches.descriptors, (0, 8)))
    dataclasses.replace(reference, patches=wider).save(tmp_path / "shape.safetensors")
    changed = Reference.load(tmp_path / "shape.safetensors")
    with pytest.raises(InputError, match="holds patches of 9 views"):
        detector.predict(closed_shape(3000, 7), reference=changed)


def test_good_scans_that_do_not_go_together_are_refused(detector: PointAD) -> None:
    with pytest.raises(InputError, match="there is no good scan; give at least one"):
        detector.make_reference([])
    shapes = [closed_shape(800, seed) for seed in range(3)]
    shapes[2] = shapes[2] / 25.4
    with pytest.raises(
        InputError, match=r"good scan 3: its largest side is .* times as long\); give scans of one kind"
    ):
        detector.make_reference(shapes)
    with pytest.raises(InputError, match="good scan 2: is with a pixel grid, and the good scans before it are without"):
        detector.make_reference([shapes[0], depth_scan()])


def test_names_and_pictures_are_as_many_as_the_scans(detector: PointAD) -> None:
    scans, picture = [depth_scan(), depth_scan() * 1.01], np.zeros((*depth_scan().shape[:2], 3), dtype=np.uint8)
    for given, problem in (
        ({"names": ["a"]}, "names: are 1, fewer"),
        ({"names": ["a", "b", "c"]}, "names: are 3, more"),
        ({"pictures": [picture]}, "pictures: are fewer"),
        ({"pictures": [picture] * 3}, "pictures: are more"),
    ):
        with pytest.raises(InputError, match=problem):
            detector.make_reference(iter(scans), **given)


def test_a_good_scan_given_twice_is_refused(detector: PointAD) -> None:
    shapes = [closed_shape(800, seed) for seed in (0, 1, 0)]
    with pytest.raises(InputError, match="good scan 3: holds the same points as good scan 1; give every"):
        detector.make_reference(shapes)


def test_a_good_scan_in_two_precisions_is_refused(detector: PointAD) -> None:
    shapes = [closed_shape(800, seed) for seed in (0, 1, 0)]
    noise = np.random.default_rng(0).normal(0, 1e-4 * np.ptp(shapes[0]), shapes[0].shape)
    detector.make_reference([shapes[0], shapes[1], shapes[0] + noise])
    other_order = np.random.default_rng(0).permutation(shapes[2])
    with pytest.raises(InputError, match="good scan 3: holds the same points as good scan 1; give every"):
        detector.make_reference([*shapes[:2], np.round(other_order, 3).astype(np.float32)])


def test_a_stored_reference_knows_its_good_scans(reference: Reference, tmp_path: Path) -> None:
    reference.save(tmp_path / "shape.safetensors")
    loaded = Reference.load(tmp_path / "shape.safetensors")
    assert loaded.copied(Likeness.of(closed_shape(3000, 1).astype(np.float32))) == "good scan 2"
    assert loaded.copied(Likeness.of(closed_shape(3000, 7))) is None
    older = dataclasses.replace(reference, likenesses=())
    older.save(tmp_path / "older.safetensors")
    assert Reference.load(tmp_path / "older.safetensors").copied(Likeness.of(closed_shape(3000, 1))) is None
    cut = dataclasses.replace(reference, likenesses=reference.likenesses[:1])
    cut.save(tmp_path / "cut.safetensors")
    with pytest.raises(InputError, match="is damaged: its parts are inconsistent"):
        Reference.load(tmp_path / "cut.safetensors")


@pytest.mark.parametrize("changed", ["patches", "geometry", "powers"])
def test_files_that_would_give_no_finite_scores_are_refused(changed: str, reference: Reference, tmp_path: Path) -> None:
    bank = getattr(reference, changed)
    if changed == "powers":
        large = dict.fromkeys(bank, 1e30)
    elif changed == "patches":
        large = dataclasses.replace(bank, descriptors=bank.descriptors.float() * 1e30)
    else:
        large = dataclasses.replace(bank, descriptors=bank.descriptors * np.float32(1e30))
    dataclasses.replace(reference, **{changed: large}).save(tmp_path / "shape.safetensors")
    with pytest.raises(InputError, match=r"shape\.safetensors: is damaged: its parts are inconsistent"):
        Reference.load(tmp_path / "shape.safetensors")


@pytest.mark.parametrize("content", [b"", b"no reference", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_files_that_are_no_reference_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shape.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"shape\.safetensors: (is )?not a reference"):
        Reference.load(path)
    with pytest.raises(InputError, match="does not exist"):
        Reference.load(tmp_path / "missing.safetensors")


CHANGES: dict[str, dict[str, object]] = {
    "scores of more scans": {"good_scores": (0.1,) * 100},
    "no scores": {"good_scores": ()},
    "no extents": {"extents": ()},
    "negative extents": {"extents": (-1.0, -1.0)},
    "names of more scans": {"names": ("a", "b", "c"), "likenesses": ()},
    "contents of one": {"contents": ("a",)},
    "readings of one": {"readings": ((".xyz", "cloud"),)},
    "readings without extensions": {"readings": ("cloud",) * 2},
    "colours the other way round": {"heat_range": (1.0, 0.0)},
    "three ends of the colours": {"heat_range": (0.1, 0.2, 0.3)},
    "one end of the colours": {"heat_range": (0.1,)},
    "no powers": {"powers": {"prompts": 0.0, "patches": 0.0, "geometry": 0.0}},
    "powers of another number of scans": {"powers": cue_powers(3)},
    "powers of more than 1": {"powers": {"prompts": 1.0, "patches": 1.0, "geometry": 1.0}},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_facts_that_do_not_belong_together_are_refused(
    changes: dict[str, object], reference: Reference, tmp_path: Path
) -> None:
    changed = dataclasses.replace(reference, **changes)  # type: ignore[arg-type]
    changed.save(tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"a\.safetensors: is damaged"):
        Reference.load(tmp_path / "a.safetensors")


def test_tables_of_other_good_scans_are_refused(reference: Reference, tmp_path: Path) -> None:
    patches, geometry, likeness = reference.patches, reference.geometry, reference.likenesses[0]
    for change in (
        {"patches": dataclasses.replace(patches, owners=patches.owners + 1000)},
        {"patches": dataclasses.replace(patches, owners=patches.owners.float())},
        {"patches": dataclasses.replace(patches, descriptors=patches.descriptors.double())},
        {"patches": dataclasses.replace(patches, descriptors=patches.descriptors * 0)},
        {"patches": dataclasses.replace(patches, descriptors=patches.descriptors / 2)},
        {
            "patches": dataclasses.replace(
                patches, counts=(0, patches.counts[0] + patches.counts[1], *patches.counts[2:])
            )
        },
        {"patches": PatchBank(patches.descriptors[:0], (0,) * len(patches.counts), patches.owners[:0])},
        {"geometry": dataclasses.replace(geometry, descriptors=geometry.descriptors * 0)},
        {"geometry": dataclasses.replace(geometry, owners=geometry.owners - 1)},
        {"likenesses": (likeness, dataclasses.replace(likeness, values=likeness.values * np.nan))},
        {"likenesses": (likeness, dataclasses.replace(likeness, count=-5))},
        {"likenesses": (dataclasses.replace(likeness, values=likeness.values.astype(np.int64)),) * 2},
    ):
        dataclasses.replace(reference, **change).save(tmp_path / "a.safetensors")  # type: ignore[arg-type]
        with pytest.raises(InputError, match="is damaged: its parts are inconsistent"):
            Reference.load(tmp_path / "a.safetensors")


def test_half_precision_counts_as_any_other(detector: PointAD) -> None:
    scan = (depth_scan() * np.float32(100)).astype(np.float16)
    np.testing.assert_array_equal(
        detector.predict(scan).point_scores, detector.predict(scan.astype(float)).point_scores
    )

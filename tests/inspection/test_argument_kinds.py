"""Arguments of another kind than the documented one: an error of this library that names them, or the right result."""

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sample_scans import closed_shape, depth_scan

from pointad import PointAD, Reference
from pointad.errors import InputError
from pointad.inspection.preparation import AROUND_RIG
from pointad.rendering.views import View
from pointad.scans.files import read_scan

CLOUD = closed_shape(300)
ANYTHING: tuple[Any, ...] = (
    *(None, True, "abc", "", "4", b"4", float("nan"), float("inf"), -1, 0, 2.5, 10**400, 1j),
    *(np.int64(3), np.float32(2), np.array(3), np.array([3]), np.array([1.0, 2.0]), np.array("x"), np.array([])),
    *(torch.tensor(3), torch.ones(5, 3), [1, 2], [], (1,), {}, {1}, object(), Path("nowhere"), PointAD),
    *(np.ones((5, 3), complex), np.array([[1, None, 3]] * 5), np.array([["1", "2", "3"]] * 5), np.ones((5, 3), bool)),
)


def refused(call: Callable[[Any], object], values: tuple[Any, ...] = ANYTHING) -> list[Any]:
    """The values that were not taken; any other error than this library's own fails the test."""
    found = []
    for value in values:
        try:
            call(value)
        except InputError:
            found.append(value)
    return found


@pytest.fixture(scope="module")
def reference(detector: PointAD) -> Reference:
    return detector.make_reference([CLOUD], views=1)


@pytest.mark.parametrize(
    ("argument", "taken"),
    [
        ("rig", 0),
        ("views", 2),
        ("sigma", 4),  # 0, 2.5, and NumPy's 3 and 2
        ("smoothing", 0),
        ("visibility", 1),
        ("remove_table", 2),
        ("metres_per_unit", 3),
        ("keep_clusters", 1),
        ("seed", 3),
    ],
)
def test_how_scans_are_looked_at(detector: PointAD, reference: Reference, argument: str, taken: int) -> None:
    def check(value: Any) -> None:
        with pytest.raises(InputError) as caught:  # before the reference is compared, which was made of one view
            detector.check_reference(reference, **{"views": 9, argument: value})
        if caught.value.subject != "reference":
            raise caught.value

    assert len(ANYTHING) - len(refused(check)) == taken


def test_arrays_and_references(detector: PointAD) -> None:
    nothing, scan = ANYTHING[1:], depth_scan()
    assert refused(lambda value: detector.predict(value), ANYTHING) == list(ANYTHING)
    assert refused(lambda value: detector.predict(scan, rgb=value), nothing) == list(nothing)
    assert refused(lambda value: detector.predict(scan, colors=value), nothing) == list(nothing)
    assert refused(lambda value: detector.predict(CLOUD, views=1, reference=value), nothing) == list(nothing)
    assert refused(lambda value: detector.check_reference(value)) == list(ANYTHING)
    assert refused(lambda value: detector.make_reference(value)) == list(ANYTHING)
    assert refused(lambda value: detector.make_reference([CLOUD, scan], pictures=value), nothing) == list(nothing)


def test_empty_arrays(detector: PointAD) -> None:
    scan = depth_scan()
    for shape in ((0, 0, 3), (5, 0, 3)):
        with pytest.raises(InputError, match=r"points: are float64 of shape \(\d, 0, 3\)"):
            detector.predict(np.empty(shape))
    with pytest.raises(InputError, match=r"RGB picture: is uint8 of shape \(0, \d+, 3\)"):
        detector.predict(scan, rgb=np.zeros((0, scan.shape[1], 3), np.uint8))


def test_numbers_of_other_types_count_as_pythons(detector: PointAD) -> None:
    plain = detector.predict(CLOUD, views=2, sigma=2.0, seed=3)
    other = detector.predict(CLOUD.astype(">f8"), views=np.int64(2), sigma=np.float32(2), seed=np.uint8(3))  # type: ignore[arg-type]
    assert plain.score == other.score


def test_loading(detector: PointAD) -> None:
    for argument in ("path", "clip", "device", "clip_model", "quick_gelu"):
        values = [value for value in ANYTHING if value is not None]
        assert refused(lambda value, a=argument: PointAD.from_checkpoint(**{a: value}), tuple(values)) == values  # type: ignore[misc]
    backbone, features = detector._backbone, detector._text_features
    for argument in ("layers", "precision", "pictures_at_once"):
        refused(lambda value, a=argument: PointAD(backbone, features, **{a: value}))  # type: ignore[misc]
    with pytest.raises(InputError, match=r"compiled 'False': is neither True nor False"):
        PointAD(backbone, features, compiled="False")  # type: ignore[arg-type]
    assert PointAD(backbone, features, layers=np.array([2, 1])).encoder.layers == (2, 1)  # type: ignore[arg-type]


def test_what_a_detector_is_made_of(detector: PointAD) -> None:
    backbone, features = detector._backbone, detector._text_features
    assert refused(lambda value: PointAD(value, features)) == list(ANYTHING)
    assert refused(lambda value: PointAD(backbone, value)) == list(ANYTHING)
    for factor in (float("nan"), 0.0, 1e30, 1e-30):  # lengths beyond single precision would leave no direction
        with pytest.raises(InputError, match="text features: hold values that are not finite, or have no direction"):
            PointAD(backbone, features * factor)
    for kind in (torch.float64, torch.float16):
        with pytest.raises(InputError, match=f"text features: are {kind} of shape .*; give torch.float32"):
            PointAD(backbone, features.to(kind))
        with pytest.raises(InputError, match=f"backbone: holds {kind} numbers; give it in torch.float32"):
            PointAD(copy.deepcopy(backbone).to(kind), features)


def test_paths(reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(Reference.load) == list(ANYTHING)
    assert refused(read_scan) == list(ANYTHING)
    written = len(ANYTHING) - len(refused(reference.save))
    assert written == len(list(tmp_path.iterdir())) == 3  # "abc", "4" and nowhere


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(AROUND_RIG)])
def test_rigs_and_views(field: str) -> None:
    refused(lambda value: dataclasses.replace(AROUND_RIG, **{field: value}))
    for value in ("abc", object()):
        with pytest.raises(InputError):
            dataclasses.replace(AROUND_RIG, **{field: value})
    for name in ("point_size", "gt_point_size"):  # a point larger than its window was written beside the picture
        with pytest.raises(InputError, match=f"{name} 9: is not a valid size; give a number above 0, at most 8"):
            dataclasses.replace(AROUND_RIG, window=8, gt_window=8, **{"point_size": 8, "gt_point_size": 8, name: 9})
    refused(lambda value: View(value, 0))
    refused(lambda value: View("x", value))
    assert View("x", np.float32(15)) == View("x", 15)  # type: ignore[arg-type]


def test_good_scans_are_a_list(detector: PointAD) -> None:
    """An organized scan by itself is three-dimensional too: its rows would be taken for scans."""
    for single in (CLOUD, depth_scan()):
        with pytest.raises(InputError, match=r"good scans: are one array of shape .*; give a list of scans"):
            detector.make_reference(single)
    for names in (3, "abc", {"a"}):
        with pytest.raises(InputError, match="names: are a"):
            detector.make_reference([CLOUD], names=names)  # type: ignore[arg-type]


def test_what_references_compare(reference: Reference) -> None:
    assert refused(reference.copied) == list(ANYTHING) == refused(reference.compare)
    with pytest.raises(InputError, match=r"scan: is a ndarray; give a .*Observation; for points, call PointAD.predict"):
        reference.compare(CLOUD)  # type: ignore[arg-type]


@pytest.mark.parametrize("views", [0, 10, [View("x", 1), View("x", 1)]])
def test_errors_about_views_name_the_argument(detector: PointAD, views: Any) -> None:
    with pytest.raises(InputError) as caught:
        detector.predict(CLOUD, views=views)
    assert caught.value.subject.startswith("views")


def test_errors_name_the_good_scan(detector: PointAD) -> None:
    for bad, problem in (
        (CLOUD[:50], r"good scan 2: holds 50 points"),
        (CLOUD[:, :2], r"good scan 2, points: are float64 of shape"),
    ):
        with pytest.raises(InputError, match=problem):
            detector.make_reference([CLOUD, bad], views=1)
    with pytest.raises(InputError, match=r"b\.ply: holds 50 points"):
        detector.make_reference([CLOUD, CLOUD[:50]], views=1, names=["a.ply", "b.ply"])

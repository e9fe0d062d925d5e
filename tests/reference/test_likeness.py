"""Which scans are taken for one recording, and which never are."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from sample_scans import closed_shape, depth_scan

from pointad.reference.likeness import Likeness

Form = Callable[[np.ndarray], np.ndarray]


def digits(points: np.ndarray, count: int) -> np.ndarray:
    return np.vectorize(lambda value: float(f"{value:.{count}g}"))(points)


FORMS: dict[str, Form] = {
    "double precision": lambda points: points,
    "single precision": lambda points: points.astype(np.float32),
    "two decimals": lambda points: points.round(2),
    "three decimals": lambda points: points.round(3),
    "cut off at four decimals": lambda points: np.floor(points * 1e4) / 1e4,
    "six digits": lambda points: digits(points, 6),
    "metres, six decimals": lambda points: (points / 1000).round(6),
    "inches, four decimals": lambda points: (points / 25.4).round(4),
    "centred": lambda points: (points - points.mean(axis=0)).astype(np.float32),
    "another order": lambda points: np.random.default_rng(1).permutation(points).round(3),
    "with holes": lambda points: np.concatenate([np.full((5, 3), np.nan), points, np.zeros((2, 3))]),
}


def scan(count: int = 2000) -> np.ndarray:
    points = closed_shape(count, 3)
    return points * (80 / np.ptp(points, axis=0).max())


@pytest.mark.parametrize("offset", [0.0, 1234.5])
def test_one_recording_is_known_in_every_form(offset: float) -> None:
    own = {name: Likeness.of(form(scan() + offset)) for name, form in FORMS.items()}
    if offset:  # six digits of such numbers are too few
        own = {name: likeness for name, likeness in own.items() if "digits" not in name}
    else:
        assert own["double precision"].is_same_recording(Likeness.of(digits(scan(), 5)))
    assert not [pair for pair in permutations(own, 2) if not own[pair[0]].is_same_recording(own[pair[1]])]


@pytest.mark.parametrize("noise", [1e-3, 1e-4, 1e-5])
def test_two_scans_of_one_part_in_one_pose_are_two(noise: float) -> None:
    """The noise is a part of the largest side: a micrometre on ten centimetres, at last."""
    points, rng = scan(20_000), np.random.default_rng(0)
    one, other = (points + rng.normal(0, noise * 80, points.shape) for _ in range(2))
    first = [Likeness.of(form(one)) for form in FORMS.values()]
    second = [Likeness.of(form(other)) for form in FORMS.values()]
    assert not any(a.is_same_recording(b) for a in first for b in second)


def test_scans_in_coordinates_of_the_earth_are_two() -> None:
    """Far from the origin single precision is coarse, and these are no numbers of single precision."""
    points = scan(20_000) / 80 + [4.1e6, 1.0e6, 4.8e6]
    one, other = (points + np.random.default_rng(seed).normal(0, 1e-3, points.shape) for seed in range(2))
    assert not Likeness.of(one).is_same_recording(Likeness.of(other))
    assert Likeness.of(one).is_same_recording(Likeness.of(one[::-1] * 1000))


def test_frames_of_a_camera_that_moves_a_few_pixels_by_its_smallest_step_are_two() -> None:
    still = depth_scan().round(3)
    moved = still.copy()
    inside = np.argwhere(np.isfinite(still).all(axis=-1) & (still[..., 2] != 0))
    for row, column in inside[:: max(1, len(inside) // 200)]:
        moved[row, column, 2] += 0.001
    assert Likeness.of(still).is_same_recording(Likeness.of(still.astype(np.float32)))
    assert not Likeness.of(still).is_same_recording(Likeness.of(moved))


@pytest.mark.parametrize("form", ["single precision", "three decimals", "six digits"])
def test_a_defect_of_a_few_points_makes_another_scan(form: str) -> None:
    points = scan(20_000)
    dented = points.copy()
    dented[np.argsort(np.linalg.norm(points - points[7], axis=1))[:20]] *= 0.97
    assert not Likeness.of(points).is_same_recording(Likeness.of(FORMS[form](dented)))


def test_other_pictures_make_other_scans() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    own = Likeness.of(scan(), picture)
    assert own.is_same_recording(Likeness.of(scan().astype(np.float32), picture.copy()))
    assert not own.is_same_recording(Likeness.of(scan(), picture + np.uint8(1)))
    assert not own.is_same_recording(Likeness.of(scan())) and not own.is_same_recording(replace(own, count=7))


def test_scans_of_a_flat_part_in_few_steps_are_two_and_one_recording_stays_one() -> None:
    rows, columns = np.mgrid[:200, :200] * 0.1
    scans = []
    for seed in range(8):
        heights = 100 + np.random.default_rng(seed).normal(0, 0.0005, rows.shape)
        scans.append(np.stack([columns, rows, heights], axis=-1).round(3).reshape(-1, 3))
    own = [Likeness.of(points) for points in scans]
    assert not [pair for pair in permutations(range(8), 2) if own[pair[0]].is_same_recording(own[pair[1]])]
    shuffled = np.random.default_rng(0).permutation(scans[0])
    for form in (shuffled, shuffled.astype(np.float32), (shuffled - [7, 0, 3]).round(3), (shuffled / 1000).round(6)):
        assert own[0].is_same_recording(Likeness.of(form)) and Likeness.of(form).is_same_recording(own[0])

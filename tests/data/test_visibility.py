"""The closed form of the never-seen rule against the goldens and against the rule told point by point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointad.data.visibility import fill_never_seen
from pointad.errors import InputError

CASES = 48


def fill_point_by_point(visible: np.ndarray, non_zero: np.ndarray) -> np.ndarray:
    """The rule as it is told: every unseen point looks at its neighbours, one after the other."""
    filled = visible.copy()
    points = [int(point) for point in np.flatnonzero(non_zero)]
    seen = visible.any(axis=0)
    for position, point in enumerate(points):
        if seen[point]:
            continue
        later = [other for other in points[position + 1 :] if seen[other]]
        following, distance = (later[0], later[0] - point) if later else (points[0], points[-1] - point)
        if position > 0 and point - points[position - 1] < distance:
            filled[:, point] = filled[:, points[position - 1]]
        else:
            filled[:, point] = filled[:, following]
    return filled


@pytest.mark.parametrize("case", range(CASES))
def test_golden_cases(case: int, golden_units: dict[str, np.ndarray]) -> None:
    flags, non_zero, expected = (
        golden_units[f"fill/{case:02d}/{name}"].astype(bool) for name in ("flags", "nonzero", "flags_filled")
    )
    np.testing.assert_array_equal(fill_never_seen(flags, non_zero), expected)
    np.testing.assert_array_equal(fill_point_by_point(flags, non_zero), expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    points=st.integers(1, 80),
    views=st.integers(1, 4),
    seen_share=st.sampled_from([0.01, 0.05, 0.2, 0.6]),
    hole_share=st.sampled_from([0.0, 0.3, 0.8]),
)
@settings(max_examples=300, deadline=None)
def test_agrees_with_the_rule_told_point_by_point(
    seed: int, points: int, views: int, seen_share: float, hole_share: float
) -> None:
    generator = np.random.default_rng(seed)
    non_zero = generator.random(points) >= hole_share
    visible = (generator.random((views, points)) < seen_share) & non_zero
    if not visible.any():
        point = generator.integers(points)
        non_zero[point] = visible[generator.integers(views), point] = True
    untouched = visible.copy()
    filled = fill_never_seen(visible, non_zero)
    np.testing.assert_array_equal(filled, fill_point_by_point(visible, non_zero))
    np.testing.assert_array_equal(visible, untouched)
    assert filled[:, non_zero].any(axis=0).all()
    assert not filled[:, ~non_zero].any()


def test_run_between_two_seen_points_is_handed_along_up_to_its_last() -> None:
    visible = np.zeros((2, 7), bool)
    visible[0, 0] = visible[1, 6] = True
    filled = fill_never_seen(visible, np.ones(7, bool))
    np.testing.assert_array_equal(filled[0], [1, 1, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(filled[1], [0, 0, 0, 0, 0, 1, 1])


def test_points_after_the_last_seen_one_compare_with_the_first_point() -> None:
    visible = np.zeros((2, 6), bool)
    visible[0, 0] = visible[1, 2] = True
    filled = fill_never_seen(visible, np.ones(6, bool))
    np.testing.assert_array_equal(filled[0], [1, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(filled[1], [0, 1, 1, 1, 0, 0])


def test_nothing_seen_is_an_error() -> None:
    with pytest.raises(InputError, match="no view sees any point"):
        fill_never_seen(np.zeros((9, 5), bool), np.ones(5, bool))

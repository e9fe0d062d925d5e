"""Farthest-point sampling of clouds with repeated points, and in any unit."""

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.sampling import farthest_points

POINTS = np.random.default_rng(0).normal(size=(300, 3))


def test_no_point_is_chosen_twice() -> None:
    """There are 30 different places, and 200 points are wanted: the first ones are all places, the others the rest."""
    repeated = np.repeat(POINTS[:30], 10, axis=0)
    chosen = farthest_points(repeated, 200)
    assert len(set(chosen.tolist())) == 200
    assert len(np.unique(repeated[chosen[:30]], axis=0)) == 30
    np.testing.assert_array_equal(np.sort(farthest_points(np.ones((50, 3)), 50)), np.arange(50))


@pytest.mark.parametrize("unit", [1e-30, 1e-3, 1e19, 1e30])
def test_the_unit_does_not_matter(unit: float) -> None:
    chosen, reach = farthest_points(POINTS * unit, 100), np.full(len(POINTS), np.inf)
    for number in chosen:
        assert reach[number] >= (1 - 1e-5) * reach.max()
        reach = np.minimum(reach, np.linalg.norm(POINTS - POINTS[number], axis=1))


@pytest.mark.parametrize("count", [0, -1, 301])
def test_as_many_as_there_are_can_be_chosen(count: int) -> None:
    with pytest.raises(InputError, match="count"):
        farthest_points(POINTS, count)
    assert farthest_points(POINTS[:1], 1).tolist() == [0]

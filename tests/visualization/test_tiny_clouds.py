"""Pages show clouds of any size that is inspected, also of less than single precision holds."""

import re

import numpy as np
import pytest

from pointad.visualization.cloud_viewer import cloud_fragment


@pytest.mark.parametrize("size", [1e-299, 1e-60, 1e-30, 1e300])
def test_the_size_of_a_cloud_plays_no_part(size: float) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    (drawn, expected) = (
        re.search(r'"positions":"([^"]+)"', cloud_fragment(cloud)) for cloud in (points * size, points)
    )
    assert drawn is not None and expected is not None
    assert drawn[1] == expected[1]

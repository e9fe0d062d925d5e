"""Good scans of another kind are told from the others by their bends."""

import numpy as np
import pytest
from sample_scans import closed_shape, ring

from pointad.errors import InputError
from pointad.reference.agreement import check_extents, warn_of_another_kind
from pointad.reference.geometry_bank import ScanGeometry, describe_geometry, gather_geometry


def told(clouds: list[np.ndarray], caplog: pytest.LogCaptureFixture) -> str:
    scans: list[ScanGeometry] = [describe_geometry(points, None) for points in clouds]
    warn_of_another_kind(scans, gather_geometry(scans, 10**8), [f"scan {number}" for number in range(len(scans))])
    return caplog.text


@pytest.mark.parametrize("place", [0, 2])
def test_another_shape_of_the_same_size_is_named(place: int, caplog: pytest.LogCaptureFixture) -> None:
    clouds = [closed_shape(2500, seed) for seed in range(4)]
    clouds[place] = ring(2500, 9)
    assert 0.8 < np.ptp(clouds[place]) / np.ptp(clouds[1]) < 1.3
    assert f"scan {place} may be another kind of object: its geometry is " in told(clouds, caplog)


def test_scans_of_one_kind_go_together(caplog: pytest.LogCaptureFixture) -> None:
    assert not told([closed_shape(2500, seed) for seed in range(4)], caplog)


def test_of_two_scans_neither_is_the_odd_one(caplog: pytest.LogCaptureFixture) -> None:
    assert not told([closed_shape(2500), ring(2500, 9)], caplog)


@pytest.mark.parametrize(
    ("extents", "named"),
    [([1.0, 1.6], "a"), ([1.6, 1.0], "a"), ([1.0, 1.0, 1.6], "c"), ([3.0, 2.9, 1.9, 3.1], "c"), ([1e3, 1.0, 1.0], "a")],
)
def test_a_good_scan_of_another_size_is_named(extents: list[float], named: str) -> None:
    with pytest.raises(InputError, match=f"^{named}: its largest side is "):
        check_extents(extents, "abcd")
    check_extents([1 + 0.4 * (extent > 1) for extent in extents], "abcd")
    check_extents(extents[:1], "abcd")

"""Arguments of scoring that gave wrong numbers without a word."""

from typing import Any

import numpy as np
import pytest
import torch

from pointad.data.visibility import fill_never_seen
from pointad.errors import InputError
from pointad.scoring.back_projection import back_project
from pointad.scoring.fusion import fuse, smooth, smoothing_matrix

MAPS = torch.rand(2, 3, 4, 5)
CORRESPONDENCES = torch.ones(2, 3, 6, 3, dtype=torch.int16)
POINTS = torch.ones(2, 6, dtype=torch.bool)


@pytest.mark.parametrize("sigma", [-1, float("nan"), float("inf"), 1e5, "4", None, True])
def test_widths_are_numbers_from_0_on(sigma: Any) -> None:
    with pytest.raises(InputError, match="sigma"):
        smooth(MAPS, sigma)
    with pytest.raises(InputError, match="sigma"):
        smoothing_matrix(5, sigma)


def test_no_width_is_no_smoothing() -> None:
    np.testing.assert_array_equal(smoothing_matrix(3, 0), np.eye(3))


def test_a_width_is_computed_once_however_many_maps_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    exponential = np.exp
    monkeypatch.setattr(np, "exp", lambda values: computed.append(len(values)) or exponential(values))
    maps = torch.rand(1, 5, 5, dtype=torch.float64)
    first = smooth(maps, 1999.0)
    smoothing_matrix(5, 1999.0)[:] = 0  # of the caller alone
    assert torch.equal(smooth(maps, 1999.0), first)
    assert computed == [2 * 4 * 1999 + 1]


@pytest.mark.parametrize("kind", [torch.int32, torch.uint8, torch.bool])
def test_maps_are_floating_point_numbers(kind: torch.dtype) -> None:
    with pytest.raises(InputError, match="maps"):
        smooth((MAPS * 9).to(kind), 1.0)
    with pytest.raises(InputError, match="maps"):
        back_project((MAPS * 9).to(kind), CORRESPONDENCES, POINTS)


@pytest.mark.parametrize("place", [(0, 5), (0, -1), (1, 4), (1, -1)])
def test_correspondences_lie_within_the_maps(place: tuple[int, int]) -> None:
    wrong = CORRESPONDENCES.clone()
    wrong[1, 2, 3, place[0]] = place[1]
    with pytest.raises(InputError, match="lie outside"):
        back_project(MAPS, wrong, POINTS)


@pytest.mark.parametrize(
    ("maps", "correspondences", "points"),
    [
        (MAPS[:1], CORRESPONDENCES, POINTS),
        (MAPS[:, :1], CORRESPONDENCES, POINTS),
        (MAPS, CORRESPONDENCES[..., :2], POINTS),
        (MAPS, CORRESPONDENCES, POINTS[:1]),
        (MAPS, CORRESPONDENCES, POINTS[:, :1]),
        (MAPS[0], CORRESPONDENCES, POINTS),
        (MAPS, CORRESPONDENCES.float(), POINTS),
    ],
)
def test_shapes_match(maps: torch.Tensor, correspondences: torch.Tensor, points: torch.Tensor) -> None:
    with pytest.raises(InputError, match="correspondences"):
        back_project(maps, correspondences, points)


def test_nothing_of_a_picture_is_ignored_or_repeated() -> None:
    maps, probabilities = torch.rand(2, 4, 4), torch.rand(2)
    for wrong in [
        (maps, probabilities, maps),
        (maps, probabilities, None, probabilities),
        (maps, probabilities[:1]),
        (maps, probabilities, maps[:1], probabilities),
        (maps[0], probabilities),
    ]:
        with pytest.raises(InputError):
            fuse(*wrong)


def test_visibility_has_a_flag_for_each_position() -> None:
    with pytest.raises(InputError, match="visibility"):
        fill_never_seen(np.ones((2, 3), bool), np.ones(2, bool))

"""Arrays of other types and shapes than documented, which were drawn as something else without a word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.inspection.defect_regions import defect_regions
from pointad.inspection.heat_cloud import write_heat_cloud
from pointad.visualization.cloud_viewer import cloud_fragment
from pointad.visualization.heat import outline, overlay
from pointad.visualization.sheets import sample_sheet, scores_in_views

GENERATOR = np.random.default_rng(0)
POINTS = GENERATOR.normal(size=(50, 3))
SCORES = GENERATOR.random(50)
PICTURE = np.zeros((6, 5, 3), np.uint8)


@pytest.mark.parametrize(
    "arguments",
    [
        {"colors": np.ones((50, 3))},
        {"colors": np.zeros(50, np.uint8)},
        {"colors": np.zeros((50, 4), np.uint8)},
        {"scores": SCORES[:, None]},
        {"scores": SCORES * np.nan},
        {"scores": SCORES, "heat_range": (0.0, np.inf)},
        {"marks": [((np.nan, 0, 0), "1")]},
        {"rotation": np.eye(2)},
    ],
)
def test_clouds(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        cloud_fragment(POINTS, **arguments)


@pytest.mark.parametrize("opacity", [-0.1, 2, np.nan, "1"])
def test_opacities_are_from_0_to_1(opacity: Any) -> None:
    with pytest.raises(InputError, match="opacity"):
        overlay(PICTURE, np.zeros((6, 5)), opacity)


def test_pictures_are_bytes() -> None:
    for draw in (
        lambda: overlay(PICTURE / 255, np.zeros((6, 5))),
        lambda: outline(PICTURE / 255, np.ones((6, 5))),
        lambda: outline(PICTURE, np.ones((5, 6))),
        lambda: sample_sheet("title", rgb=PICTURE / 255),
        lambda: sample_sheet("title", views=PICTURE[None, ..., 0] / 255),
    ):
        with pytest.raises(InputError):
            draw()


def test_points_lie_in_the_views() -> None:
    correspondences = np.ones((2, 3, 3), np.int16)
    assert np.isfinite(scores_in_views(correspondences, SCORES[:3], 8)).any()
    assert scores_in_views(correspondences[:0], SCORES[:3], 8).shape == (0, 8, 8)
    for places, scores, size in (
        (correspondences, SCORES[:4], 8),
        (correspondences - [2, 0, 0], SCORES[:3], 8),
        (correspondences, SCORES[:3], 1),
    ):
        with pytest.raises(InputError):
            scores_in_views(places, scores, size)


@pytest.mark.parametrize(
    ("points", "scores", "threshold"),
    [
        (POINTS, SCORES[:9], 0.0),
        (POINTS[:, :2], SCORES, 0.0),
        (POINTS * np.inf, SCORES, 0.0),
        (POINTS, SCORES * np.nan, None),
        (POINTS, SCORES, np.nan),
    ],
)
def test_regions_are_of_the_points(points: np.ndarray, scores: np.ndarray, threshold: float | None) -> None:
    with pytest.raises(InputError):
        defect_regions(points, scores, threshold)


def test_no_points_have_no_regions() -> None:
    assert defect_regions(POINTS[:0], SCORES[:0]) == []
    with pytest.raises(InputError, match="most_regions"):
        defect_regions(POINTS, SCORES, most_regions=-1)


def test_a_score_is_not_written_for_several_points(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="scores"):
        write_heat_cloud(tmp_path / "heat.ply", POINTS, SCORES[:1])
    assert not list(tmp_path.iterdir())

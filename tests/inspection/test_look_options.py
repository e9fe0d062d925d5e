"""Choices of views that are none: they were taken for all views, or ended in errors of Python's."""

from typing import Any

import numpy as np
import pytest

from pointad import PointAD
from pointad.data.view_subset import ViewChoice
from pointad.errors import InputError
from pointad.inspection.look_options import LookOptions
from pointad.rendering.views import View


@pytest.mark.parametrize(
    "choice",
    [
        ViewChoice(directions=()),
        ViewChoice(directions=("x0",)),  # type: ignore[arg-type]
        ViewChoice(directions=[View("x", 0)]),  # type: ignore[arg-type]
        ViewChoice(1, rig=("x0",)),  # type: ignore[arg-type]
    ],
)
def test_directions_are_views(choice: Any) -> None:
    with pytest.raises(InputError, match="are not views"):
        LookOptions.of("auto", choice, None, False, 1.0, "all", 0)


def test_text_features_are_those_that_were_given(detector: PointAD, cloud: np.ndarray) -> None:
    given = detector._text_features.clone()
    made = PointAD(detector._backbone, given)
    score, fingerprint = made.predict(cloud, views=1).score, made.fingerprint
    given.mul_(3).add_(1)
    assert (made.predict(cloud, views=1).score, made.fingerprint) == (score, fingerprint)

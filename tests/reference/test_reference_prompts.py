"""A reference is used with the prompts that it was made with, on whichever processor their features were computed."""

from dataclasses import replace

import pytest
import torch

from pointad.errors import InputError
from pointad.inspection.look_options import LookOptions
from pointad.inspection.referencing import Eyes
from pointad.reference.setting import ReferenceSetting, digest_of


def setting_with(features: torch.Tensor) -> ReferenceSetting:
    """What references made with these text features depend on."""
    options = LookOptions.of("auto", None, None, False, 1.0, "all", 111)
    eyes = Eyes("small", features, (2,), (1,), (1, 2), 168, options, 4.0, "surface", 4.0)
    return eyes.setting(organized=False)


@pytest.fixture
def features() -> torch.Tensor:
    """(2, 128); a number lies where rounding to four digits changes."""
    drawn = torch.nn.functional.normalize(torch.randn(2, 128, generator=torch.Generator().manual_seed(3)), dim=1)
    drawn[0, 5] = 0.01235
    return drawn


@pytest.mark.parametrize("moved", [1e-7, -1e-7, 1e-6, -1e-6])
def test_last_digits_of_another_processor_do_not_count(features: torch.Tensor, moved: float) -> None:
    setting_with(features).require(setting_with(features + moved))


def test_other_prompts_are_refused(features: torch.Tensor) -> None:
    own = setting_with(features)
    for others in (features.flip(0), features + 1e-4, features[:, :64], torch.zeros(2, 0)):
        with pytest.raises(InputError, match=r"other settings \(learned prompts\)"):
            setting_with(others).require(own)
    for told in ("", "features", "features AAAA", "features ?", "features " + 1368 * "/", "0" * 64):
        with pytest.raises(InputError, match=r"other settings \(learned prompts\)"):
            replace(own, prompts=told).require(own)


def test_references_with_a_digest_of_the_features_are_still_read(features: torch.Tensor) -> None:
    own = setting_with(features)
    replace(own, prompts=digest_of(features)).require(own)

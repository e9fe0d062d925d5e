"""What the tests of data sets share: a small CLIP that the programs take as it is."""

import pytest
from programs_clip import have_programs_take

from pointad.model.backbone import ClipBackbone


@pytest.fixture
def quick_backbone(golden_backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in this process take the small CLIP of the goldens, whatever weights they are asked for."""
    have_programs_take(golden_backbone, monkeypatch)

"""Programs in the tests' own process take a small CLIP, whatever weights they are asked for."""

import pytest

from pointad.model.backbone import ClipBackbone


def have_programs_take(backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is concluded from the weights' name either."""
    monkeypatch.setattr("pointad.commands.loading.load_backbone", lambda *_, **__: backbone)
    monkeypatch.setattr("pointad.model.checkpoint.text_width_of_names", lambda *_: None)

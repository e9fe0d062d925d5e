"""What is printed while and after samples are worked on holds nothing that a terminal obeys."""

from pathlib import Path
from typing import Any

import pytest
from hostile_names import HOSTILE
from reference.test_shots import dataset, outcomes

from pointad.commands.shots_outputs import origin_sentence
from pointad.data.export import FAILED, export_samples
from pointad.data.raw import RenderingOptions
from pointad.reference.shots import ShotOutcome
from pointad.scans.point_cloud import RawSample

EVIL = "\x1b[31m\x9b2J\x1b]0;title\x07\u202e"


def test_raw_scans_whose_names_are_refused(tmp_path: Path) -> None:
    for name in (*HOSTILE, EVIL + "x" * 200):
        path = Path("raw") / f"{name}.tiff"
        sample = RawSample("mvtec_pc_3d_rgb", "gear", "good", "..", 0, path)
        (outcome,) = export_samples([sample], tmp_path, RenderingOptions())
        assert outcome.status == FAILED and outcome.message.isprintable()


def test_classes_that_draw_their_good_scans_otherwise() -> None:
    origins = {EVIL: "test", "bear": "train"}
    found = [ShotOutcome("kite", name, 1, 0, origin, ("000",), {}) for name, origin in origins.items()]
    assert origin_sentence(found).isprintable()


def test_progress_of_few_shot_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = []

    def bar(items: Any, **options: Any) -> Any:
        titles.append(options["desc"])
        return items

    monkeypatch.setattr("pointad.reference.shots.tqdm", bar)
    assert outcomes(dataset({EVIL: 8}))[0].class_name == EVIL
    assert titles and all(title.isprintable() for title in titles)

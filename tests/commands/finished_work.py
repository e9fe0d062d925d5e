"""Folders as finished trainings and tests leave them, without training or testing anything."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pointad.commands import test as test_program
from pointad.commands import train as train_program
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.evaluation.companions import Companions, text_fingerprint
from pointad.evaluation.provenance import code_fingerprint, file_fingerprint
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import Provenance, RunRecord, TrainingRecord, epoch_of, to_json
from pointad.training.run_folder import checkpoint_file, read_origin, write_origin

CLASSES = ("gear", "leaf")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendered data sets and weights under names that tests refer to."""
    monkeypatch.chdir(tmp_path)
    for place in ("one/rendered", "moved/rendered"):
        make_data(Path(place))
    Path("a.pt").write_bytes(b"one")


def make_data(folder: Path) -> None:
    for name in CLASSES:
        for split in ("test", "train"):
            (folder / name / split / "good" / "2d_rendering").mkdir(parents=True)
        picture = folder / name / "test/good/2d_rendering/000.png"
        picture.write_text("a picture")
        os.utime(picture, (0, 0))
        (folder / f"{name}_meta.json").write_text(json.dumps({"train": {}, "test": {name: [entry(name, "test")]}}))
    every = {name: [entry(name, "test")] for name in CLASSES}
    (folder / "all_meta.json").write_text(json.dumps({"train": {}, "test": every}))
    good = {name: [entry(name, "train")] for name in CLASSES}
    (folder / "good_scans.json").write_text(json.dumps({"train": good}))


def entry(name: str, split: str) -> dict[str, str]:
    """A sample in a list; only what tells where its files are."""
    return {"cls_name": name, "d2_render_img_path": f"rendered/{name}/{split}/good/2d_rendering/000"}


def training(*words: str) -> TrainSettings:
    """Of what a command line asks for."""
    given = ["--data_path", "one/rendered", "--clip_weights", "a.pt", "--save_path", "out", "--train_class", "gear"]
    flags = train_program.build_parser().parse_args([*given, *words])
    return train_program.looked_at(flags, TrainSettings.from_flags(flags))


def train(*words: str) -> TrainSettings:
    """Leave what a training would leave."""
    settings = training(*words)
    settings.save_path.mkdir(parents=True, exist_ok=True)
    checkpoint = checkpoint_file(settings.save_path, settings.epochs)
    checkpoint.write_text(f"prompts {' '.join(words)}")
    assert settings.given is not None
    record = TrainingRecord(training_class=settings.train_class, inputs=settings.given.inputs)
    write_origin(checkpoint, to_json(record), settings.epochs)
    return settings


def testing(*words: str) -> TestSettings:
    """Of what a command line asks for."""
    given = ["--data_path", "one/rendered", "--clip_weights", "a.pt", "--save_path", "tested", "--skip_finished"]
    flags = test_program.build_parser().parse_args([*given, *words])
    return test_program.looked_at(flags, TestSettings.from_flags(flags))


def test(*words: str) -> TestSettings:
    """Leave what a test would leave."""
    settings = testing(*words)
    assert settings.given is not None
    for path in settings.checkpoints or (None,):
        run = RunRecord(
            inputs=settings.given.inputs,
            backbone_fingerprint="of a.pt",
            clip_weights="a.pt",
            provenance=Provenance(code=code_fingerprint()),
        )
        folder = settings.save_path
        if path is not None:
            told = TrainingRecord.from_json(read_origin(path))
            fingerprint, epoch = file_fingerprint(path), epoch_of(path, told)
            run = replace(run, checkpoint_fingerprint=fingerprint, epoch=epoch, training=told)
            run = replace(run, training_class=settings.train_class or told.training_class)
            folder = folder / str(told.training_class) if settings.several else folder
        for name in [f"{shots}-shot" for shots in settings.shots] or ["."]:
            (folder / name).mkdir(parents=True, exist_ok=True)
            nothing = text_fingerprint(b"")
            files = Companions(nothing, nothing, settings.save_maps, settings.visualize)
            Results({"leaf": {"point": {"image_auroc": 1.0}}}, run, files=files).save(folder / name / "results.json")
            for table in ("scores.csv", "curves.json"):
                (folder / name / table).touch()
            for made, is_asked in {"maps": settings.save_maps, "visualization": settings.visualize}.items():
                if is_asked:
                    (folder / made).mkdir(exist_ok=True)
    return settings


test.__test__ = testing.__test__ = False  # type: ignore[attr-defined]  # helpers, whatever pytest makes of the name


@pytest.fixture
def prompts() -> list[str]:
    """The flag with two learned sets of prompts."""
    for name in CLASSES:
        train("--train_class", name, "--save_path", name)
    return ["--checkpoint_path", *(f"{name}/epoch_15.pth" for name in CLASSES)]

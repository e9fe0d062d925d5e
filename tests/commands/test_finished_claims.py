"""What records of finished runs say is compared in full, shown in short, and never believed where it says nothing."""

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path

import pytest
from finished_work import in_a_folder, prompts, test, testing, train, training

from pointad.commands import shots_outputs
from pointad.commands.finished_runs import untested
from pointad.commands.finished_trainings import is_trained
from pointad.commands.prompt_names import prompts_name
from pointad.errors import InputError
from pointad.evaluation.results import Results

__all__ = ["in_a_folder", "prompts"]  # fixtures

ENSEMBLE = ["--prompts", "ensemble"]


def change(path: Path, **inputs: object) -> None:
    """Other inputs in a record."""
    content = json.loads(path.read_text())
    record = content.get("run", content)
    record["inputs"] = {**record["inputs"], **inputs}
    path.write_text(json.dumps(content))


def flags_of(path: Path) -> dict[str, str]:
    content = json.loads(path.read_text())
    return dict(content.get("run", content)["inputs"]["flags"])


def test_flags_of_later_versions_count_once_they_are_given() -> None:
    test(*ENSEMBLE)
    results = Path("tested/results.json")
    flags = flags_of(results)
    del flags["sigma"]
    change(results, flags=flags)
    assert untested(testing(*ENSEMBLE)) is None
    with pytest.raises(InputError, match=r"--sigma was not known, now 2\.0"):
        untested(testing(*ENSEMBLE, "--sigma", "2"))


def test_flags_that_this_version_does_not_know_are_told(caplog: pytest.LogCaptureFixture) -> None:
    train()
    origin = Path("out/epoch_15.json")
    change(origin, flags={**flags_of(origin), "elsewhere": "null"})
    assert is_trained(training()) and "elsewhere" not in caplog.text
    change(origin, flags={**flags_of(origin), "elsewhere": '"x"'})
    assert is_trained(training())
    assert "--elsewhere was x in an earlier run; this version does not know it" in caplog.text


@pytest.mark.parametrize(
    "words", [["--normals", "exact"], ["--visibility", "nearest"], ["--correspondence", "truncated"]]
)
def test_defaults_that_are_given_tell_no_results_apart(words: list[str]) -> None:
    Path("raw/gear/test").mkdir(parents=True)
    given = [*ENSEMBLE, "--render", "on_the_fly", "--data_path", "raw"]
    test(*given)
    assert untested(testing(*given, *words)) is None


def test_defaults_of_few_shot_tests_may_be_given(prompts: list[str]) -> None:
    given = [*prompts, "--shots", "1"]
    test(*given)
    assert untested(testing(*given, "--seed", "111", "--draws", "5", "--good_from", "train")) is None


def test_results_are_not_taken_for_those_of_a_command_without_prompts(prompts: list[str]) -> None:
    """It is refused later, for lack of prompts."""
    test(*prompts[:2])
    settings = testing()
    assert untested(settings) == settings


def test_prompts_of_unknown_origin_are_told_apart_by_the_class_that_their_folder_names(prompts: list[str]) -> None:
    """The published ones say nothing else about the class that is left out."""
    test(*prompts[:2])
    results = Path("tested/results.json")
    content = json.loads(results.read_text())
    content["run"] |= {"training": None, "training_class": "gear"}
    content["classes"]["gear"] = content["classes"]["leaf"]
    results.write_text(json.dumps(content))
    for name in ("gear/gear", "gear/leaf", "gear/elsewhere"):
        Path(name).mkdir()
        shutil.copy("gear/epoch_15.pth", name)
        tested = untested(testing("--checkpoint_path", f"{name}/epoch_15.pth")) is None
        assert tested == (name == "gear/gear")
    content["run"]["training_class"] = None
    results.write_text(json.dumps(content))
    assert untested(testing("--checkpoint_path", "gear/elsewhere/epoch_15.pth")) is None
    assert untested(testing("--checkpoint_path", "gear/gear/epoch_15.pth")) is not None


def test_a_folder_called_like_weights_is_left_to_whoever_loads_them() -> None:
    Path("laion2b_s32b_b82k").mkdir()
    Path("openai").mkdir()
    for name in ("openai", "laion2b_s32b_b82k"):
        shutil.rmtree("out", ignore_errors=True)
        train("--clip_weights", name)
        assert is_trained(training("--clip_weights", name))


@pytest.mark.parametrize("words", [[], ["--clip_model", "ViT-L-14-336-quickgelu"], ["--clip_model", "ViT-B-16"]])
def test_published_weights_that_a_user_put_into_a_folder_count_by_their_content(words: list[str]) -> None:
    words = ["--clip_weights", "openai", *words]
    train(*words)
    assert is_trained(training(*words))
    Path("checkpoints").mkdir()
    local = Path("checkpoints", "ViT-B-16.pt" if "ViT-B-16" in words else "ViT-L-14-336px.pt")
    local.write_bytes(b"one")
    assert not is_trained(training(*words))
    train(*words)
    assert is_trained(training(*words))
    local.write_bytes(b"two")
    assert not is_trained(training(*words))


def test_prompts_of_other_code_are_told(caplog: pytest.LogCaptureFixture) -> None:
    train()
    assert is_trained(training()) and "code" not in caplog.text
    origin = Path("out/epoch_15.json")
    record = json.loads(origin.read_text())
    origin.write_text(json.dumps({**record, "provenance": {"code": "0123"}}))
    assert is_trained(training())
    assert "out/epoch_15.pth: was learned with other code (0123); use --restart to train again" in caplog.text


@pytest.mark.parametrize("beside", ["epoch_5.json", "run.json", "epoch_4.json"])
def test_what_prompts_to_start_from_were_learned_from_counts(beside: str) -> None:
    """Wherever it stands: the classes before are in no mean."""
    Path("first").mkdir()
    for name in ("epoch_5.pth", "epoch_4.pth"):
        Path("first", name).write_bytes(b"prompts")
    digest = hashlib.sha256(b"prompts").hexdigest()
    words = ["--init_checkpoint", "first/epoch_5.pth"]
    train(*words)
    for name in ("gear", "leaf"):
        assert is_trained(training(*words))
        Path("first", beside).write_text(json.dumps({"training_class": name, "sha256": digest}))
        assert not is_trained(training(*words))
        train(*words)


def test_views_are_told_as_they_are_given() -> None:
    test(*ENSEMBLE, "--views", "x-45", "x0")
    assert untested(testing(*ENSEMBLE, "--views", "x-45", "x0")) is None
    with pytest.raises(InputError, match=r"\(--views was x-45 x0, now x-45 y15\)"):
        untested(testing(*ENSEMBLE, "--views", "x-45", "y15"))


def test_remedies_name_what_the_scripts_take(prompts: list[str]) -> None:
    test(*ENSEMBLE)
    with pytest.raises(
        InputError, match=r"choose another --save_path \(in scripts: SAVE\), or remove that results\.json"
    ):
        untested(testing(*ENSEMBLE, "--sigma", "2"))
    Path("one/rendered/gear/test/good/2d_rendering/000.png").write_text("another picture")
    train_words = ["--save_path", "gear"]
    with pytest.raises(InputError, match=r"--save_path \(in scripts: SAVE or TRAINED\), or give --restart"):
        is_trained(training(*train_words))


@pytest.mark.parametrize("gone", ["scores.csv", "curves.json"])
def test_results_whose_tables_are_missing_or_others_are_made_again(gone: str) -> None:
    test(*ENSEMBLE)
    Path("tested", gone).write_text("of another test")
    assert untested(testing(*ENSEMBLE)) is not None
    Path("tested", gone).unlink()
    assert untested(testing(*ENSEMBLE)) is not None


@pytest.mark.parametrize(("flag", "folder"), [("--save_maps", "maps"), ("--visualize", "visualization")])
def test_maps_and_pictures_that_were_removed_are_made_again(flag: str, folder: str) -> None:
    test(*ENSEMBLE, flag)
    shutil.rmtree(Path("tested", folder))
    assert untested(testing(*ENSEMBLE, flag)) is not None


LONG = "x" * 1_000_000
CRAFTED = [
    {"flags": {"sigma": LONG}},
    {"flags": {"sigma": "[" * 100_000}},
    {"flags": {"sigma": "9" * 5000}},
    {"flags": {"sigma": '"\\u001b[31m\\n"', "\x1b[2J": '"x"'}},
    {"named": {f"\x1b[2J{LONG}": LONG}},
    {"folder": f"\x1b[2J{LONG}", "data": "0"},
    {"flags": {LONG: '"x"'}, "data": "0"},
]


@pytest.mark.parametrize("inputs", CRAFTED, ids=range(len(CRAFTED)))
def test_crafted_records_are_shown_in_one_short_line(
    inputs: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    test(*ENSEMBLE)
    change(Path("tested/results.json"), **inputs)
    with pytest.raises(InputError, match=r"was made (with|from) other (flags|data)") as caught:
        untested(testing(*ENSEMBLE))
    for line in (str(caught.value), *caplog.messages):
        assert line.isprintable() and len(line) < 3000


@pytest.mark.parametrize(
    "inputs", [{"flags": [1]}, {"flags": {"sigma": 4.0}}, {"weights": 1}, {"data": {}}, {"named": 1}]
)
def test_records_of_other_types_are_refused_or_made_again(inputs: dict[str, object]) -> None:
    test(*ENSEMBLE), train()
    change(Path("tested/results.json"), **inputs)
    assert untested(testing(*ENSEMBLE)) is not None
    change(Path("out/epoch_15.json"), **inputs)
    with pytest.raises(InputError, match=r"out/epoch_15\.json"):
        is_trained(training())


@pytest.mark.parametrize("told", [{"data": None}, {"flags": None, "data": None, "weights": None, "named": None}])
def test_records_that_do_not_tell_their_data_are_not_believed(
    told: dict[str, None], caplog: pytest.LogCaptureFixture
) -> None:
    test(*ENSEMBLE), train()
    change(Path("tested/results.json"), **told)
    change(Path("out/epoch_15.json"), **told)
    assert untested(testing(*ENSEMBLE)) is not None and not is_trained(training())
    with caplog.at_level(logging.INFO):
        assert untested(testing(*ENSEMBLE), "of a.pt") is not None
    assert "tested/results.json: does not say what it was made from; tested again" in caplog.text


def test_what_is_kept_is_told_once(prompts: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """Where something is left to test, all is looked at again once the folder is this run's own."""
    test(*prompts)
    shutil.rmtree("tested/leaf")
    with caplog.at_level(logging.INFO):
        settings = testing(*prompts)
        assert untested(settings) is not None and untested(settings, "of a.pt") is not None
    assert caplog.messages == ["already tested (tested/gear/results.json), kept"]


def test_prompts_that_are_no_regular_file_are_not_waited_for(prompts: list[str]) -> None:
    test(*prompts[:2])
    origin = Path("gear/epoch_15.json").read_text()
    for path in (Path("gear/epoch_15.pth"), Path("pipe.pth")):
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        path.with_suffix(".json").write_text(origin)
        with pytest.raises(InputError, match=rf"{path}: is a pipe"):
            untested(testing("--checkpoint_path", str(path)))
        with pytest.raises(InputError, match=rf"{path}: is a pipe"):
            prompts_name(path)


def test_results_of_few_shot_tests_appear_after_their_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is killed between them is not taken for a finished one."""
    written: list[str] = []
    monkeypatch.setattr(
        shots_outputs, "write_together", lambda contents: written.extend(each.name for each in contents)
    )
    monkeypatch.setattr(shots_outputs, "results_of", lambda *_: {("gear", 1): Results({})})
    settings = testing("--prompts", "ensemble", "--shots", "1")
    shots_outputs.write_outcomes([], {}, settings)
    assert written == ["shots.csv", "shots.json", "results.json"]

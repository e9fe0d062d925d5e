"""Finished trainings and tests are told from missing ones and from those of other flags, data, prompts or weights."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from finished_work import in_a_folder, make_data, prompts, test, testing, train, training

from pointad.commands.finished_runs import untested
from pointad.commands.finished_trainings import is_trained
from pointad.errors import InputError
from pointad.evaluation.provenance import code_fingerprint
from pointad.files.locks import FOLDER_LOCK, own_folder
from pointad.model.model_folder import SETTINGS_BESIDE

__all__ = ["in_a_folder", "prompts"]  # fixtures

ROOT = Path(__file__).resolve().parents[2]


def test_a_finished_training_is_known_without_pytorch(caplog: pytest.LogCaptureFixture) -> None:
    assert not is_trained(training())
    train()
    with caplog.at_level(logging.INFO):
        assert is_trained(training())
    assert "out/epoch_15.pth already exists; use --restart to train again" in caplog.text
    assert not is_trained(training("--restart")) and not is_trained(training("--epoch", "20"))
    Path("out/epoch_15.json").unlink()
    assert not is_trained(training())


def test_a_finished_command_loads_no_pytorch() -> None:
    train(), test("--prompts", "ensemble")
    words = {"train.py": ["--train_class", "gear", "--save_path", "out"]}
    words["test.py"] = ["--prompts", "ensemble", "--save_path", "tested", "--skip_finished"]
    for program, flags in words.items():
        command = [sys.executable, "-X", "importtime", ROOT / program, "--data_path", "one/rendered"]
        done = subprocess.run([*command, "--clip_weights", "a.pt", *flags], capture_output=True, text=True, check=True)
        assert "already" in done.stderr and "| torch\n" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        *(["--device", "cuda"], ["--num_workers", "3"], ["--print_freq", "2"], ["--save_freq", "5"], ["--resume"]),
        ["--data_path", "moved/rendered"],
    ],
)
def test_places_tell_no_trainings_apart(words: list[str]) -> None:
    train()
    assert is_trained(training(*words))


@pytest.mark.parametrize(
    "words",
    [
        *(
            ["--depth", "3"],
            ["--seed", "5"],
            ["--train_class", "leaf"],
            ["--feature_cache", "x"],
            ["--batch_size", "2"],
        ),
        *(["--losses", "d3_point_loss"], ["--clip_weights", "b.pt"], ["--clip_weights", "openai"], ["--views", "3"]),
    ],
)
def test_other_trainings_are_left_to_the_program_that_knows_the_difference(words: list[str]) -> None:
    """As the same weights may come as another file, and a flag may be given its default."""
    Path("b.pt").write_bytes(b"two")
    train()
    assert not is_trained(training(*words))


@pytest.mark.parametrize("flag", ["--init_checkpoint", "--rig"])
def test_other_content_of_files_that_flags_name(flag: str) -> None:
    named, other = (Path(name + (".json" if flag == "--rig" else ".pth")) for name in ("named", "elsewhere"))
    words = [flag, str(named), *(["--render", "on_the_fly"] if flag == "--rig" else [])]
    named.write_text('{"views": ["x-40", "x0"]}')
    train(*words)
    shutil.copy(named, other)
    assert is_trained(training(*words)) and is_trained(training(*words, flag, str(other)))
    named.write_text('{"views": ["x-40", "x0", "x40"]}')
    assert not is_trained(training(*words))


def test_prompts_learned_from_other_data_of_the_same_names_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    train()
    picture = Path("one/rendered/gear/test/good/2d_rendering/000.png")
    picture.write_text("another picture")
    with pytest.raises(InputError, match=r"out/epoch_15\.pth: was made from other data"):
        is_trained(training())
    picture.write_text("A picture")  # of the same size, of a data set that is looked into
    with pytest.raises(InputError, match=r"out/epoch_15\.pth: was made from other data"):
        is_trained(training())
    picture.write_text("a picture")  # as a larger one, which is not looked into everywhere
    os.utime(picture, (2**32, 2**32))
    assert is_trained(training())
    assert f"{picture.resolve()} was changed since out/epoch_15.pth was made; choose another --save_path" in caplog.text


def test_good_scans_and_what_lies_beside_the_samples_are_no_other_data() -> None:
    train()
    data = Path("one/rendered")
    (data / "gear/train/good/2d_rendering/000.png").touch()
    (data / "results/train").mkdir(parents=True)
    (data / "results/train/log.txt").touch()
    (data / "gear/.hidden").touch()
    (data / "notes").mkdir()
    (data / "notes/mine.txt").touch()
    assert is_trained(training())


def test_raw_data_are_told_by_where_they_lie_or_what_they_hold(caplog: pytest.LogCaptureFixture) -> None:
    for place in ("raw", "copy"):
        (Path(place) / "gear" / "test").mkdir(parents=True)
        (Path(place) / "gear" / "test" / "000.ply").touch()
    words = ["--render", "on_the_fly", "--data_path"]
    train(*words, "raw")
    Path("link").symlink_to("raw")
    assert is_trained(training(*words, "link")) and is_trained(training(*words, "copy"))
    Path("raw/gear/test/notes.txt").touch()
    assert is_trained(training(*words, "raw"))
    assert "files in" in caplog.text and "were added, removed or changed since" in caplog.text
    Path("copy/gear/test/001.ply").touch()
    with pytest.raises(InputError, match="other data"):
        is_trained(training(*words, "copy"))


def test_all_files_that_describe_weights_are_known() -> None:
    from pointad.model import hugging_face, open_clip_configuration, siglip_tokenizer

    names = {open_clip_configuration.CONFIGURATION_NAME, hugging_face.CONFIGURATION_NAME}
    names |= {hugging_face.PREPROCESSOR_NAME, hugging_face.PROCESSOR_NAME}
    names |= {siglip_tokenizer.TOKENIZERS_FILE, *siglip_tokenizer.SENTENCEPIECE_FILES}
    assert names == set(SETTINGS_BESIDE)


@pytest.mark.parametrize("beside", ["open_clip_config.json", "config.json"])
def test_weights_are_told_by_what_lies_beside_them_too(beside: str) -> None:
    Path("clip").mkdir()
    shutil.copy("a.pt", "clip/open_clip_model.safetensors")
    words = ["--clip_weights", "clip/open_clip_model.safetensors"]
    train(*words)
    assert is_trained(training(*words)) and is_trained(training("--clip_weights", "clip"))
    Path("clip", beside).write_text("{}")
    assert not is_trained(training(*words))


def test_all_parts_of_weights_count() -> None:
    Path("clip/.cache").mkdir(parents=True)
    index = {"weight_map": {"x": "model-1.safetensors", "y": "model-2.safetensors"}}
    Path("clip/model.safetensors.index.json").write_text(json.dumps(index))
    for part in set(index["weight_map"].values()):
        Path("clip", part).write_bytes(b"one")
    for words in (["--clip_weights", "clip"], ["--clip_weights", "clip/model.safetensors.index.json"]):
        shutil.rmtree("out", ignore_errors=True)
        Path("clip/model-2.safetensors").write_bytes(b"one")
        train(*words)
        Path("clip/.cache/note").touch()
        assert is_trained(training(*words))
        Path("clip/model-2.safetensors").write_bytes(b"two")
        assert not is_trained(training(*words))


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    Path("one/rendered/gear/test/around").symlink_to(tmp_path / "one/rendered/gear")
    train()
    assert is_trained(training())


def test_only_prompts_without_results_are_left_to_test(prompts: list[str], caplog: pytest.LogCaptureFixture) -> None:
    settings = testing(*prompts)
    assert untested(settings) == settings
    test(*prompts)
    with caplog.at_level(logging.INFO):
        assert untested(testing(*prompts)) is None
    assert "already tested (tested/gear/results.json), kept" in caplog.text
    shutil.rmtree("tested/leaf")
    left = untested(testing(*prompts))
    assert left is not None and left.several and left.checkpoints == (Path("leaf/epoch_15.pth"),)


def test_prompts_that_were_trained_again_are_tested_again(prompts: list[str]) -> None:
    test(*prompts)
    train("--train_class", "leaf", "--save_path", "leaf", "--learning_rate", "0.1")
    left = untested(testing(*prompts))
    assert left is not None and left.checkpoints == (Path("leaf/epoch_15.pth"),)
    origin = Path("gear/epoch_15.json")
    origin.write_text(json.dumps({**json.loads(origin.read_text()), "training_dataset": "eye_pc_3d_rgb"}))
    left = untested(testing(*prompts))  # they may count as prompts of other data now
    assert left is not None and len(left.checkpoints) == 2


def test_two_sets_of_prompts_of_one_name_are_refused(prompts: list[str]) -> None:
    train("--save_path", "other")
    with pytest.raises(InputError, match="two checkpoints of gear"):
        untested(testing(*prompts, "other/epoch_15.pth"))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("shots", [[], ["--shots", "1", "2"]])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sigma", "2"], r"was made with other flags \(--sigma was 4.0, now 2.0\)"),
        (["--rig", "named.json"], "was made with other flags"),
        (["--data_path", "other/rendered"], "was made from other data"),
    ],
)
def test_results_of_something_else_are_refused(
    prompts: list[str], words: list[str], message: str, shots: list[str], several: bool
) -> None:
    Path("named.json").write_text('{"views": ["x-40", "x0"]}')
    make_data(Path("other/rendered"))
    Path("other/rendered/leaf/test/good/2d_rendering/000.png").write_text("another picture")
    given = [*(prompts if several else prompts[:2]), *shots]
    test(*given)
    assert untested(testing(*given)) is None
    if "--rig" in words:
        words = [*words, "--render", "on_the_fly"]
    with pytest.raises(InputError, match=message):
        untested(testing(*given, *words))


def test_what_changes_no_figure_tells_no_results_apart(prompts: list[str]) -> None:
    test(*prompts)
    assert untested(testing(*prompts, "--device", "cuda", "--batch_size", "3", "--seed", "5")) is None
    test(*prompts, "--shots", "1")
    with pytest.raises(InputError, match="--seed was 111, now 5"):
        untested(testing(*prompts, "--shots", "1", "--seed", "5"))


def test_good_scans_are_other_data_to_few_shot_tests_only(prompts: list[str]) -> None:
    test(*prompts), test(*prompts, "--shots", "1")
    Path("one/rendered/gear/train/good/2d_rendering/001.png").touch()
    assert untested(testing(*prompts)) is None
    with pytest.raises(InputError, match="was made from other data"):
        untested(testing(*prompts, "--shots", "1"))


def test_results_of_another_epoch_are_refused(prompts: list[str]) -> None:
    test(*prompts[:2])
    train("--save_path", "gear", "--epoch", "5")
    with pytest.raises(InputError, match="the prompts of epoch 15, not 5"):
        untested(testing("--checkpoint_path", "gear/epoch_5.pth"))


def test_the_same_weights_in_another_file_are_known_once_they_are_loaded() -> None:
    test("--prompts", "ensemble")
    Path("b.pt").write_bytes(b"the same, as another file")
    settings = testing("--prompts", "ensemble", "--clip_weights", "b.pt")
    assert untested(settings) == settings
    assert untested(settings, "of a.pt") is None
    with pytest.raises(InputError, match="was made with other weights"):
        untested(settings, "of others")


@pytest.mark.parametrize("flag", ["--save_maps", "--visualize"])
def test_maps_and_pictures_that_are_missing_are_made(flag: str) -> None:
    words = ["--prompts", "ensemble"]
    test(*words)
    assert untested(testing(*words, flag)) is not None
    test(*words, flag)
    assert untested(testing(*words, flag)) is None and untested(testing(*words)) is None
    Path("tested/unfinished.csv").touch()  # by a later test that was killed
    assert untested(testing(*words)) is not None


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_results_that_tell_nothing_are_made_again(content: str) -> None:
    words = ["--prompts", "ensemble"]
    test(*words)
    Path("tested/results.json").write_text(content)
    assert untested(testing(*words)) is not None


def test_results_of_other_code_are_told(caplog: pytest.LogCaptureFixture) -> None:
    words = ["--prompts", "ensemble"]
    test(*words)
    path = Path("tested/results.json")
    path.write_text(path.read_text().replace(code_fingerprint(), "0123"))
    assert untested(testing(*words)) is None
    assert "tested/results.json: was made with other code (0123); remove it to test again" in caplog.text


def test_what_is_finished_keeps_no_lock_of_a_killed_run(prompts: list[str]) -> None:
    train(), test(*prompts)
    for folder in ("out", "tested", "tested/gear", "tested/leaf"):
        Path(folder, FOLDER_LOCK).write_text('{"process": 1, "host": "ended"}')
    assert is_trained(training())
    assert untested(testing(*prompts)) is None
    assert not list(Path().rglob(FOLDER_LOCK))


def test_what_is_finished_keeps_the_lock_of_another_run() -> None:
    train()
    with own_folder(Path("out")):
        assert is_trained(training())
        assert Path("out", FOLDER_LOCK).is_file()

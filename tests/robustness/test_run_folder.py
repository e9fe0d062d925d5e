"""A folder of a training holds one run, and every checkpoint says what it was learned from."""

import json
import os
import shutil
from pathlib import Path

import pytest
from robustness.invocation import assert_one_error_line, invoke

from pointad.errors import InputError
from pointad.evaluation.protocol import protocol_of
from pointad.evaluation.provenance import file_fingerprint
from pointad.evaluation.run_record import RunRecord, TrainingRecord
from pointad.training.run_folder import check_folder, check_restart, origin_file, read_origin, write_origin

FACTS = {"training_class": "cookie", "training_dataset": "mvtec_pc_3d_rgb", "seed": 5, "epochs": 6}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "epoch_6.pth"
    path.parent.mkdir()
    path.write_bytes(b"prompts")
    write_origin(path, FACTS, 6)
    return path


def test_the_file_beside_a_checkpoint_counts_more_than_run_json(checkpoint: Path) -> None:
    (checkpoint.parent / "run.json").write_text(json.dumps({**FACTS, "training_class": "dowel"}))
    assert read_origin(checkpoint)["training_class"] == "cookie"
    origin_file(checkpoint).unlink()
    assert read_origin(checkpoint)["training_class"] == "dowel"
    (checkpoint.parent / "run.json").unlink()
    assert read_origin(checkpoint) == {}


def test_a_checkpoint_beside_those_of_another_run_is_not_taken_for_one_of_them_in_silence(
    checkpoint: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (checkpoint.parent / "run.json").write_text(json.dumps({**FACTS, "training_class": "dowel"}))
    renamed = shutil.copy(checkpoint, checkpoint.with_name("best.pth"))
    assert read_origin(Path(renamed))["training_class"] == "cookie" and not caplog.text
    foreign = checkpoint.with_name("foreign.pth")
    foreign.write_bytes(b"others")
    assert read_origin(foreign)["training_class"] == "dowel"
    assert "foreign.pth: no file says what it was learned from" in caplog.text


def test_a_renamed_checkpoint_is_known_by_the_file_that_kept_its_name(checkpoint: Path, tmp_path: Path) -> None:
    """Else nothing would say that its class was learned from, and a test would count it as unseen."""
    renamed = checkpoint.rename(checkpoint.with_name("prompts.pth"))
    assert read_origin(renamed)["training_class"] == "cookie"
    origin_file(renamed).write_text('{"note": "someone\'s own"}')
    assert read_origin(renamed)["training_class"] == "cookie"
    elsewhere = tmp_path / "alone"
    elsewhere.mkdir()
    assert read_origin(renamed.rename(elsewhere / "prompts.pth")) == {}


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another run"])
def test_a_link_has_the_origin_of_its_checkpoint(beside: bool, checkpoint: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest" / "best.pth"
    link.parent.mkdir()
    link.symlink_to(checkpoint)
    if beside:
        (link.parent / "run.json").write_text(json.dumps({**FACTS, "training_class": "dowel"}))
    assert read_origin(link)["training_class"] == "cookie"
    origin_file(checkpoint).unlink()
    assert read_origin(link).get("training_class") == ("dowel" if beside else None)


def test_a_log_that_leads_elsewhere_is_not_written(two_samples: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "profile").write_text("of another folder")
    (tmp_path / "out" / "log.txt").symlink_to(tmp_path / "profile")
    for script in ("train.py", "test.py"):
        ending = invoke(script, "--data_path", two_samples, "--save_path", tmp_path / "out")
        assert_one_error_line(ending, "log.txt", "symbolic link")
    (tmp_path / "out" / "log.txt").unlink()
    (tmp_path / "out" / "log.txt").hardlink_to(tmp_path / "profile")
    ending = invoke("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out")
    assert_one_error_line(ending, "log.txt", "hard link")
    assert (tmp_path / "profile").read_text() == "of another folder"


def test_a_pipe_in_place_of_a_log_is_not_waited_for(two_samples: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "log.txt")
    ending = invoke("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out")
    assert_one_error_line(ending, "log.txt", "is a pipe")


def test_the_file_of_another_checkpoint_is_refused(checkpoint: Path) -> None:
    checkpoint.write_bytes(b"others")
    with pytest.raises(InputError, match=r"epoch_6.json: describes a checkpoint other than"):
        read_origin(checkpoint)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "7", '{"training_class": 7}', '{"training_class": ["a"]}', '{"object_aware": "no"}'),
        *('{"losses": "x"}', '{"training_dataset": {}}', '{"seed": [1]}'),
    ],
)
@pytest.mark.parametrize("name", ["epoch_6.json", "run.json"])
def test_files_with_other_types_are_refused(content: str, name: str, checkpoint: Path) -> None:
    origin_file(checkpoint).unlink()
    (checkpoint.parent / name).write_text(content)
    with pytest.raises(InputError, match=name):
        read_origin(checkpoint)


def test_folders_of_another_run_are_refused(checkpoint: Path) -> None:
    with pytest.raises(InputError, match=r"without run\.json"):
        check_folder(checkpoint.parent, FACTS)
    (checkpoint.parent / "run.json").write_text(json.dumps(FACTS))
    check_folder(checkpoint.parent, {**FACTS, "epochs": 40})
    with pytest.raises(InputError, match="seed was 5, now 6"):
        check_folder(checkpoint.parent, {**FACTS, "seed": 6})
    check_folder(checkpoint.parent.parent, FACTS)  # no checkpoint there


def test_nothing_is_replaced_on_the_word_of_another_run_json(checkpoint: Path) -> None:
    (checkpoint.parent / "run.json").write_text('{"mine": 1}')
    for check in (lambda: check_folder(checkpoint.parent, FACTS), lambda: check_restart(checkpoint.parent)):
        with pytest.raises(InputError, match=r"run.json: does not describe a training"):
            check()
    checkpoint.unlink()
    with pytest.raises(InputError, match="would be replaced"):
        check_folder(checkpoint.parent, FACTS)


def test_restart_discards_trainings_only(checkpoint: Path) -> None:
    with pytest.raises(InputError, match=r"without run\.json, which --restart would remove"):
        check_restart(checkpoint.parent)
    (checkpoint.parent / "run.json").write_text(json.dumps(FACTS))
    check_restart(checkpoint.parent)
    check_restart(checkpoint.parent / "new")


@pytest.mark.usefixtures("ready_backbone")
def test_programs_leave_out_what_a_checkpoint_learned_from(
    data: Path, train_flags: tuple[object, ...], model_flags: tuple[object, ...], tmp_path: Path
) -> None:
    renamed = (data / "cookie_meta.json").read_text().replace('"cookie"', '"dowel"')
    (data / "dowel_meta.json").write_text(renamed)
    folder = tmp_path / "out"
    flags = ("--data_path", data, *train_flags, "--save_path", folder)
    assert invoke("train.py", *flags).code == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ending = invoke("train.py", *flags, "--train_class", "dowel")
    assert_one_error_line(ending, str(folder), "training_class (--train_class: cookie, now dowel)")
    changed = {name for name, content in before.items() if (folder / name).read_bytes() != content}
    assert changed <= {"log.txt"}

    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("epoch_1.pth", "epoch_1.json"):
        shutil.copy(folder / name, moved / name)
    tested = ("--data_path", data, *model_flags, "--views", 2, "--num_workers", 0, "--save_path", tmp_path / "test")
    assert_one_error_line(
        invoke("test.py", *tested, "--checkpoint_path", moved / "epoch_1.pth"), "other than the training class"
    )
    record = ("--train_class", "dowel", "--init_checkpoint", moved / "epoch_1.json")
    ending = invoke("train.py", "--data_path", data, *train_flags, *record, "--save_path", tmp_path / "from-record")
    assert_one_error_line(ending, "epoch_1.json", "not a checkpoint of learned prompts")
    contradiction = invoke("test.py", *tested, "--checkpoint_path", moved / "epoch_1.pth", "--train_class", "dowel")
    assert_one_error_line(contradiction, "epoch_1.pth", "was trained on cookie, not on dowel", "omit --train_class")

    # What the first prompts were learned from stays known when further ones begin with them.
    further = tmp_path / "further"
    flags = ("--data_path", data, *train_flags, "--train_class", "dowel", "--init_checkpoint", folder / "epoch_1.pth")
    origin = json.loads((moved / "epoch_1.json").read_text())
    (moved / "epoch_1.json").write_text(json.dumps({**origin, "backbone_fingerprint": "other"}))
    (data / "dowel_meta.json").write_text((data / "cookie_meta.json").read_text().replace("cookie", "dowel"))
    (data / "dowel").symlink_to(data / "cookie")
    ending = invoke("train.py", *flags, "--save_path", further, "--init_checkpoint", moved / "epoch_1.pth")
    assert ending.code == 0 and "epoch_1.pth was learned with another CLIP (clip_tiny) than this one" in ending.err
    told = json.loads((further / "epoch_1.json").read_text())
    assert told["learned_before"] == ["mvtec_pc_3d_rgb/cookie"]
    assert told["init_fingerprint"] == file_fingerprint(folder / "epoch_1.pth")
    record = RunRecord(
        dataset="mvtec_pc_3d_rgb",
        training_class="dowel",
        protocol="one-vs-rest",
        training=TrainingRecord.from_json(read_origin(further / "epoch_1.pth")),
    )
    protocol = protocol_of(record, ["bagel"])
    assert protocol.left_out == ("dowel", "cookie") and "after mvtec_pc_3d_rgb/cookie" in protocol.learned_from
    refused = invoke("test.py", *tested, "--checkpoint_path", further / "epoch_1.pth")
    assert_one_error_line(refused, "other than the training class")
    emptied = invoke("train.py", *flags, "--save_path", folder, "--restart")
    assert_one_error_line(emptied, "epoch_1.pth", "would be replaced by a result")
    assert (folder / "epoch_1.pth").is_file()


@pytest.mark.usefixtures("ready_backbone")
def test_a_class_that_only_the_folder_names_is_told(
    two_samples: Path, test_flags: tuple[object, ...], golden_weights: Path, tmp_path: Path
) -> None:
    prompts = [tmp_path / place / "cookie" / "prompts.pth" for place in "ab"]
    for path in prompts:
        path.parent.mkdir(parents=True)
        shutil.copy(golden_weights / "prompts.pth", path)
    flags = ("--data_path", two_samples, *test_flags, "--save_path", tmp_path / "out", "--checkpoint_path")
    ending = invoke("test.py", *flags, prompts[0])
    assert_one_error_line(ending, "other than the training class")
    assert f"{prompts[0]}: taken to be trained on cookie, as its folder is called" in ending.err
    shots = invoke("test.py", *flags, prompts[0], "--shots", 1)
    assert_one_error_line(shots, "other than the training class", str(prompts[0]))
    other = shutil.copy(golden_weights / "prompts.pth", tmp_path / "prompts.pth")
    for further in ((), ("--shots", 1)):  # of several, too: no results without a class
        ending = invoke("test.py", *flags, other, prompts[0], *further)
        assert_one_error_line(ending, "other than the training class", str(prompts[0]))
    assert not list((tmp_path / "out").rglob("*.json"))
    assert "taken to be" not in invoke("test.py", *flags, prompts[0], "--train_class", "cookie").err
    for path in prompts:
        write_origin(path, {**FACTS, "training_class": "bagel"}, 6)
    assert_one_error_line(invoke("test.py", *flags, *prompts), "two checkpoints of bagel, by training class or folder")

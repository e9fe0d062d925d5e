"""train.py in a folder that holds a training already: continued, left alone, started afresh, or refused."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from robustness.invocation import Ending, assert_one_error_line, invoke

from pointad.commands import training_run


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The folder that all runs of a test write into."""
    return tmp_path / "out"


@pytest.fixture
def train(
    two_samples: Path, train_flags: tuple[object, ...], output: Path, ready_backbone: None
) -> Callable[..., Ending]:
    """Runs train.py for one epoch on two samples, with further flags."""
    return lambda *flags: invoke("train.py", "--data_path", two_samples, "--save_path", output, *train_flags, *flags)


def rows(output: Path) -> list[str]:
    return (output / "losses.csv").read_text().splitlines()[1:]


def test_more_epochs_are_added(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    first = rows(output)
    ending = train("--epoch", 2)
    assert ending.code == 0 and "continuing after epoch 1" in ending.err
    assert rows(output)[: len(first)] == first and len(rows(output)) == 2 * len(first)
    assert (output / "epoch_2.pth").is_file()


def test_a_state_with_a_fingerprint_of_an_older_version_is_continued(
    train: Callable[..., Ending], output: Path
) -> None:
    assert train().code == 0
    kept = torch.load(output / "training_state.pt", weights_only=True)
    kept["state"]["content"] = kept["state"].pop("samples") - 1  # of the same samples
    torch.save(kept, output / "training_state.pt")
    ending = train("--epoch", 2)
    assert ending.code == 0 and "continuing after epoch 1" in ending.err


def test_epochs_that_other_code_learned_are_told(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    told = json.loads((output / "run.json").read_text())
    assert told["masks"] and told["earlier_code"] is None
    told["provenance"]["code"] = "0123abcd"
    (output / "run.json").write_text(json.dumps(told))
    ending = train("--epoch", 2)
    assert ending.code == 0 and "first epochs were learned with other code (0123abcd)" in ending.err
    for name in ("run.json", "epoch_2.json"):
        assert json.loads((output / name).read_text())["earlier_code"] == ["0123abcd"]
    for epochs in (3, 4):
        assert train("--epoch", epochs).code == 0
        continued = json.loads((output / "run.json").read_text())
        assert continued["earlier_code"] == ["0123abcd"] and continued["masks"] == told["masks"]
        (output / "run.json").unlink()  # the files beside the checkpoints still tell


def test_initial_prompts_may_be_moved_and_data_renamed(train: Callable[..., Ending], output: Path) -> None:
    """Data of one's own are called like their folder, so that --data_name stands for another folder here."""
    assert train("--save_path", output / "start").code == 0
    shutil.copytree(output / "start", output / "moved")
    first = ("--init_checkpoint", output / "start" / "epoch_1.pth", "--data_name", "scans")
    assert train(*first).code == 0
    further = ("--epoch", 2, "--data_name", "scans-2", "--init_checkpoint")
    ending = train(*further, output / "moved" / "epoch_1.pth")
    assert ending.code == 0 and "continuing after epoch 1" in ending.err
    ending = train("--epoch", 3, "--init_checkpoint", output / "epoch_2.pth")
    assert_one_error_line(ending, "epoch_2.pth", "would be replaced by a result")
    shutil.copy(output / "epoch_2.pth", output / "moved" / "epoch_2.pth")
    ending = train("--epoch", 3, "--init_checkpoint", output / "moved" / "epoch_2.pth")
    assert_one_error_line(ending, "init_fingerprint (content of --init_checkpoint: ")
    (output / "moved" / "epoch_1.json").unlink()
    (output / "moved" / "run.json").unlink()
    ending = train("--epoch", 3, "--init_checkpoint", output / "moved" / "epoch_1.pth")
    assert_one_error_line(ending, "differs in learned_before (beside --init_checkpoint: ['mvtec_pc_3d_rgb/cookie']")
    (output / "training_state.pt").unlink()  # its checkpoints are still those of the same run
    ending = train(*further, output / "start" / "epoch_1.pth")
    assert ending.code == 0 and "epoch_2.pth already exists" in ending.err
    assert train(*further, output / "start" / "epoch_1.pth", "--epoch", 3).code == 0


def test_a_finished_training_is_left_alone(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    before = {path: path.read_bytes() for path in output.iterdir() if path.name != "log.txt"}
    ending = train("--resume")  # as older commands say
    assert ending.code == 0 and "epoch_1.pth already exists; use --restart to train again" in ending.err
    assert {path: path.read_bytes() for path in output.iterdir() if path.name != "log.txt"} == before


def test_lost_prompts_are_written_again(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    written = (output / "epoch_1.pth").read_bytes()
    (output / "epoch_1.pth").unlink()
    assert train().code == 0
    assert (output / "epoch_1.pth").read_bytes() == written
    (output / "epoch_1.json").unlink()  # as after a kill between the two
    assert train().code == 0
    assert json.loads((output / "epoch_1.json").read_text())["epoch"] == 1


def test_prompts_of_another_epoch_are_not_those_of_the_last(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    for suffix in ("pth", "json"):
        shutil.copy(output / f"epoch_1.{suffix}", output / f"epoch_2.{suffix}")
    assert_one_error_line(train("--epoch", 2), "epoch_2.json", "describes the prompts of epoch 1")


@pytest.mark.parametrize("cut_off_at", ["write_losses", "save_training_state", "save_checkpoint"])
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_training_that_is_cut_off_between_its_files_leaves_all_of_them(
    cut_off_at: str, epoch: int, train: Callable[..., Ending], output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train("--epoch", 2).code == 0
    whole = {path.name: path.read_bytes() for path in output.iterdir() if path.suffix in (".pth", ".pt", ".csv")}
    shutil.rmtree(output)
    write, calls = getattr(training_run, cut_off_at), []

    def cut_off(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == epoch:
            raise KeyboardInterrupt
        write(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(training_run, cut_off_at, cut_off)
        assert train("--epoch", 2).code == 130
    assert train("--epoch", 2).code == 0
    assert {name: (output / name).read_bytes() for name in whole if (output / name).is_file()} == whole


def test_names_that_finished_prompts_keep_are_told(train: Callable[..., Ending], output: Path) -> None:
    assert "keeps its" not in train("--name", "mine").err
    assert "keeps its" not in train("--name", "mine").err
    for flags in (("--name", "other"), ()):
        ending = train(*flags)
        assert "already exists" in ending.err and "epoch_1.pth: keeps its --name (mine); give another to" in ending.err


def test_restart_begins_with_the_first_epoch(train: Callable[..., Ending], output: Path) -> None:
    assert train("--epoch", 2).code == 0
    mine = [output / name for name in ("epoch_best.pth", "epoch_best.json", "epoch_2_mine.pth", "epoch_02.pth")]
    for path in mine:
        path.write_text("{}")
    ending = train("--restart", "--seed", 5)
    assert ending.code == 0 and f"restarting; the training in {output} is discarded" in ending.err
    assert {row.split(",")[0] for row in rows(output)} == {"1"}
    assert not (output / "epoch_2.pth").exists() and all(path.read_text() == "{}" for path in mine)
    assert "restarting" not in train("--restart", "--save_path", output / "new").err


def test_restart_removes_no_checkpoints_of_others(train: Callable[..., Ending], output: Path) -> None:
    output.mkdir()
    (output / "epoch_15.pth").write_bytes(b"released")
    assert_one_error_line(train("--restart"), "without run.json", "--restart would remove")
    assert (output / "epoch_15.pth").read_bytes() == b"released"


def test_restart_replaces_no_pipe(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    (output / "epoch_1.json").unlink()
    os.mkfifo(output / "epoch_1.json")
    assert_one_error_line(train("--restart"), "epoch_1.json", "is a pipe")
    assert (output / "epoch_1.pth").is_file() and (output / "epoch_1.json").is_fifo()


def test_other_flags_are_named_and_refused(train: Callable[..., Ending], output: Path) -> None:
    assert train().code == 0
    before = (output / "training_state.pt").read_bytes()
    ending = train("--seed", 5, "--batch_size", 7, "--epoch", 2)
    assert_one_error_line(ending, "batch_size (--batch_size: 4, now 7)", "seed (--seed: 111, now 5)")
    assert "--restart" in ending.errors[0] and "epochs" not in ending.errors[0]
    assert (output / "training_state.pt").read_bytes() == before


def test_interrupted_before_the_first_epoch(train: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pointad.commands.training_run.load_examples", interrupt)
        ending = train()
    assert ending.code == 130 and "run the same command again to continue" in ending.err
    assert train().code == 0


def test_samples_that_have_changed_are_not_learned_from_as_if_they_had_not(
    data: Path, train_flags: tuple[object, ...], output: Path, ready_backbone: None
) -> None:
    flags = ("--data_path", data, "--save_path", output, *train_flags)
    assert invoke("train.py", *flags).code == 0
    before = (output / "training_state.pt").read_bytes()
    for path in data.glob("cookie/test/hole/2d_gt/000/*.png"):
        inverted = 255 - np.asarray(Image.open(path))
        path.unlink()  # a link to the files of other tests
        Image.fromarray(inverted).save(path)
    ending = invoke("train.py", *flags, "--epoch", 2)
    assert_one_error_line(ending, "training samples: have changed since", "--restart")
    assert (output / "training_state.pt").read_bytes() == before
    assert invoke("train.py", *flags, "--epoch", 2, "--restart").code == 0

"""The protocol scripts tell finished runs from missing ones and from those of other flags, data, prompts or weights."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from protocol_scripts import programs, protocol


def test_finished_runs_are_skipped_and_say_so(workspace: Path) -> None:
    variables = {"ROWS": "ensemble pointad", "CLASSES": "gear leaf", "SEEDS": "1 2"}
    protocol(workspace, "one_vs_rest", **variables)
    calls, printed = protocol(workspace, "one_vs_rest", **variables)
    assert programs(calls) == ["scripts/report.py"]
    assert printed.count("already trained") == 4
    assert printed.count("already tested") == 5
    assert "run 7 of 7: pointad, seed 2" in printed


def test_finished_runs_of_data_that_changed_are_named(workspace: Path) -> None:
    mask = workspace / "data" / "carrot" / "gt" / "000.png"
    mask.parent.mkdir(parents=True)
    mask.touch()
    variables = {"DATA": "data", "CLASSES": "carrot", "ROWS": "pointad ensemble"}
    os.utime(mask, (0, 0))
    protocol(workspace, "one_vs_rest", **variables)
    _, printed = protocol(workspace, "one_vs_rest", **variables)
    assert "is newer" not in printed
    os.utime(mask, (2**32, 2**32))
    _, printed = protocol(workspace, "one_vs_rest", **variables)
    folder = "results/one_vs_rest/data"
    for made in (
        "pointad/seed_111/train/carrot/epoch_15.pth",
        "pointad/seed_111/test/carrot/results.json",
        "ensemble/test/results.json",
    ):
        assert (
            f"warning: data/carrot/gt/000.png is newer than {folder}/{made}; remove the older one to make it again\n"
            in printed
        )


def test_prompts_that_were_trained_again_are_tested_again(workspace: Path) -> None:
    variables = {"ROWS": "mine", "CLASSES": "gear leaf"}
    protocol(workspace, "one_vs_rest", FLAGS_mine="--learning_rate 0.01", **variables)
    refused, printed = protocol(workspace, "one_vs_rest", code=2, FLAGS_mine="--learning_rate 0.1", **variables)
    assert "was made with other flags" in printed and not refused
    row = workspace / "results/one_vs_rest/demo/mine/seed_111"
    shutil.rmtree(row / "train/gear")  # as the message says
    shutil.rmtree(row / "train/leaf")
    for results in row.glob("test/*/results.json"):
        os.utime(results, (1e9, 1e9))
    calls, _ = protocol(workspace, "one_vs_rest", FLAGS_mine="--learning_rate 0.1", **variables)
    assert programs(calls) == ["train.py", "train.py", "test.py", "scripts/report.py"]


@pytest.mark.parametrize("script", ["one_vs_rest", "train"])
def test_runs_with_other_weights_are_not_taken_for_finished_ones(workspace: Path, script: str) -> None:
    variables = {"ROWS": "pointad", "CLASSES": "gear leaf"}
    (workspace / "a.pt").write_bytes(b"one")
    (workspace / "b.pt").write_bytes(b"two")
    protocol(workspace, script, CLIP_WEIGHTS="a.pt", **variables)
    refused, printed = protocol(workspace, script, code=2, CLIP_WEIGHTS="b.pt", **variables)
    assert "was made with other weights" in printed and not refused
    (workspace / "moved.pt").write_bytes(b"one")
    calls, _ = protocol(workspace, script, CLIP_WEIGHTS="moved.pt", **variables)
    assert "train.py" not in programs(calls)


@pytest.mark.parametrize("script", ["one_vs_rest", "train"])
@pytest.mark.parametrize(("first", "then"), [("", "a.pt"), ("a.pt", "")])
def test_the_default_weights_are_other_weights_too(workspace: Path, script: str, first: str, then: str) -> None:
    variables = {"ROWS": "pointad", "CLASSES": "gear"}
    (workspace / "a.pt").write_bytes(b"one")
    protocol(workspace, script, CLIP_WEIGHTS=first, **variables)
    refused, printed = protocol(workspace, script, code=2, CLIP_WEIGHTS=then, **variables)
    assert "was made with other weights" in printed and not refused
    calls, _ = protocol(workspace, script, CLIP_WEIGHTS=first or "demo", **variables)
    assert "train.py" not in programs(calls)


def test_only_what_is_missing_runs(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", ROWS="pointad", CLASSES="gear leaf")
    calls, _ = protocol(workspace, "one_vs_rest", ROWS="pointad", CLASSES="gear leaf walnut")
    assert programs(calls) == ["train.py", "test.py", "scripts/report.py"]
    assert "--train_class walnut" in calls[0]
    assert "pointad/seed_111/test/walnut" in calls[1] and "gear" not in calls[1]


def test_prompts_of_other_flags_are_not_taken(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", ROWS="pointad", CLASSES="gear")
    protocol(workspace, "one_vs_rest", "--device", "cuda", ROWS="pointad", CLASSES="gear")  # only the place differs
    calls, printed = protocol(workspace, "one_vs_rest", "--depth", "3", code=2, ROWS="pointad", CLASSES="gear")
    assert calls == [] and "was made with other flags (none); set" in printed


@pytest.mark.parametrize("row", ["ensemble", "pointad", "shots_1"])
def test_figures_of_other_data_are_not_taken(workspace: Path, row: str) -> None:
    variables = {"ROWS": row, "CLASSES": "gear", "SAVE": "results/same"}
    for place, samples in (("old", "1"), ("new", "2"), ("moved", "1")):  # as /a/rendered and /b/rendered
        (workspace / place / "rendered").mkdir(parents=True)
        (workspace / place / "rendered" / "all_meta.json").write_text(f'{{"gear": {samples}}}')
    calls, _ = protocol(workspace, "one_vs_rest", DATA="old/rendered", **variables)
    assert programs(calls)[-2] == "test.py"
    calls, printed = protocol(workspace, "one_vs_rest", DATA="new/rendered", code=2, **variables)
    assert calls == [] and "was made from other data" in printed
    calls, _ = protocol(workspace, "one_vs_rest", DATA="moved/rendered", **variables)
    assert "train.py" not in programs(calls)


@pytest.mark.parametrize("script", ["train", "scripts/one_vs_rest", "scripts/cross_dataset"])
def test_results_within_the_data_do_not_make_them_other_data(workspace: Path, script: str) -> None:
    """As for someone who works in the folder of the data."""
    data = workspace / "sets/mine"
    (data / "gear").mkdir()
    (data / "all_meta.json").write_text('{"gear": 1}')
    target = ["eye_pc_3d_rgb=."] if "cross" in script else []
    environment = {"PATH": "/usr/bin:/bin", "DATA": ".", "ROWS": "pointad", "CLASSES": "gear"}
    for _ in range(2):
        done = subprocess.run(
            ["bash", workspace / f"{script}.sh", *target], cwd=data, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert "already trained" in done.stdout
    assert {path.name for path in data.glob("results/*/*")} <= {"mine", "mine-mvtec_pc_3d_rgb"}


@pytest.mark.parametrize("row", ["ensemble", "pointad", "shots_1"])
def test_figures_of_other_pictures_under_the_same_names_are_not_taken(workspace: Path, row: str) -> None:
    variables = {"ROWS": row, "CLASSES": "gear", "SAVE": "results/same"}
    for place, content in (("one", "a picture"), ("other", "another picture"), ("moved", "a picture")):
        data = workspace / place / "rendered"
        for split in ("test", "train"):
            (data / "gear" / split / "good" / "2d_rendering").mkdir(parents=True)
        (data / "all_meta.json").write_text('{"gear": 1}')
        (data / "gear/test/good/2d_rendering/000.png").write_text(content)
        os.utime(data / "gear/test/good/2d_rendering/000.png", (0, 0))
    protocol(workspace, "one_vs_rest", DATA="one/rendered", **variables)
    calls, printed = protocol(workspace, "one_vs_rest", DATA="other/rendered", code=2, **variables)
    assert calls == [] and "was made from other data" in printed
    good = workspace / "moved/rendered/gear/train/good/2d_rendering/001.png"
    good.write_text("a good scan, rendered later")
    code = 2 if row.startswith("shots") else 0
    calls, printed = protocol(workspace, "one_vs_rest", DATA="moved/rendered", code=code, **variables)
    assert "train.py" not in programs(calls) and ("other data" in printed) == bool(code)


def test_raw_data_are_told_by_where_they_lie(workspace: Path) -> None:
    """However the folder is named: the same name may lead elsewhere, from another working folder or through a link."""
    variables = {"ROWS": "pointad ensemble", "CLASSES": "gear", "SAVE": "results/same"}
    (workspace / "raw").symlink_to("sets/mine")
    protocol(workspace, "one_vs_rest", DATA="raw", **variables)
    calls, _ = protocol(workspace, "one_vs_rest", DATA=str(workspace / "sets/mine"), **variables)
    assert programs(calls) == ["scripts/report.py"]
    (workspace / "raw").unlink()
    (workspace / "raw").symlink_to("sets/eye")
    calls, printed = protocol(workspace, "one_vs_rest", code=2, DATA="raw", **variables)
    assert calls == [] and "was made from other data" in printed


def test_a_refused_training_leaves_the_notes_of_the_finished_one(workspace: Path) -> None:
    variables = {"ROWS": "pointad", "CLASSES": "gear"}
    protocol(workspace, "one_vs_rest", "--depth", "3", EPOCH="2", **variables)
    calls, printed = protocol(workspace, "one_vs_rest", "--depth", "4", code=2, EPOCH="4", **variables)
    assert calls == [] and "train/gear: was made with other flags (--depth 3)" in printed
    calls, _ = protocol(workspace, "one_vs_rest", "--depth", "3", EPOCH="2", **variables)
    assert programs(calls) == ["scripts/report.py"]


def test_where_nothing_was_made_flags_may_change(workspace: Path) -> None:
    variables = {"ROWS": "pointad", "CLASSES": "gear"}
    protocol(workspace, "one_vs_rest", code=2, EPOCH="2", FAIL_AT="test.py", **variables)
    calls, _ = protocol(workspace, "one_vs_rest", EPOCH="4", **variables)
    assert programs(calls) == ["train.py", "test.py", "scripts/report.py"]


def test_good_scans_that_are_rendered_later_are_other_data_to_few_shot_tests_only(workspace: Path) -> None:
    data = workspace / "sets/mine"
    (data / "all_meta.json").write_text('{"gear": 1}')
    variables = {"DATA": "sets/mine", "CLASSES": "gear", "ROWS": "pointad shots_1"}
    protocol(workspace, "one_vs_rest", **{**variables, "ROWS": "pointad"})
    (data / "good_scans.json").write_text("1")
    calls, _ = protocol(workspace, "one_vs_rest", **variables)
    assert programs(calls) == ["test.py", "scripts/report.py"] and "--shots 1" in calls[0]
    (data / "good_scans.json").write_text("2")
    _, printed = protocol(workspace, "one_vs_rest", code=2, **variables)
    assert "shots_1/seed_111/test: was made from other data" in printed


def test_figures_of_other_flags_or_epochs_are_not_taken(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", ROWS="ensemble")
    calls, printed = protocol(workspace, "one_vs_rest", "--image_size", "224", code=2, ROWS="ensemble")
    assert calls == [] and "was made with other flags" in printed
    protocol(workspace, "one_vs_rest", ROWS="pointad", CLASSES="gear")
    (prompts,) = workspace.glob("results/**/epoch_15.pth")
    shutil.copy(prompts, prompts.with_name("epoch_5.pth"))
    calls, printed = protocol(workspace, "one_vs_rest", code=2, ROWS="pointad", CLASSES="gear", EPOCH="5")
    assert calls == [] and "epoch 15, now" in printed


@pytest.mark.parametrize(("flag", "separator"), [("--init_checkpoint", " "), ("--rig", "=")])
def test_other_content_of_files_that_flags_name(workspace: Path, flag: str, separator: str) -> None:
    named = workspace / "named.json"
    named.write_text("one")
    words = f"{flag}{separator}named.json".split()
    protocol(workspace, "train", *words, CLASSES="gear")
    calls, printed = protocol(workspace, "train", *words, CLASSES="gear", TEST="no")
    assert calls == [] and "already trained" in printed
    named.write_text("other")
    calls, printed = protocol(workspace, "train", *words, code=2, CLASSES="gear", TEST="no")
    assert calls == [] and f"was made with other content of a file ({flag} " in printed


def test_prompts_of_another_seed_are_not_taken(workspace: Path) -> None:
    protocol(workspace, "train", CLASSES="gear")
    calls, printed = protocol(workspace, "train", code=2, CLASSES="gear", SEED="222")
    assert calls == [] and "seed 111, now" in printed


def test_notes_take_the_place_of_links_and_pipes(workspace: Path) -> None:
    folder = workspace / "results/one_vs_rest/demo/pointad/seed_111/train/gear"
    folder.mkdir(parents=True)
    (workspace / "precious").write_text("mine")
    (folder / "flags.txt").symlink_to(workspace / "precious")
    (folder / "weights.txt").symlink_to(workspace / "created")
    os.mkfifo(folder / "made_of.txt")
    variables = {"ROWS": "pointad", "CLASSES": "gear"}
    protocol(workspace, "one_vs_rest", **variables)
    assert (workspace / "precious").read_text() == "mine" and not (workspace / "created").exists()
    assert (folder / "made_of.txt").is_file() and not list(folder.glob("*.partial"))


def test_a_second_run_at_the_same_time_leaves_the_first_ones_notes(workspace: Path) -> None:
    """It writes its own before the program refuses to share the folder; the prompts would be taken for its own."""
    variables = {"ROWS": "pointad ensemble", "CLASSES": "gear"}
    protocol(workspace, "one_vs_rest", "--depth", "3", NOTED_MEANWHILE="--depth 4", **variables)
    notes = list(workspace.glob("results/**/flags.txt"))
    assert len(notes) == 3 and all(note.read_text() == "--depth\n3\n\n" for note in notes)


def test_what_killed_runs_left_of_their_notes_is_removed(workspace: Path) -> None:
    folder = workspace / "results/one_vs_rest/demo/ensemble/test"
    folder.mkdir(parents=True)
    for name in ("flags.txt.123.partial", "flags.txt.456.partial"):
        (folder / name).touch()
    os.utime(folder / "flags.txt.123.partial", (1e9, 1e9))
    protocol(workspace, "one_vs_rest", ROWS="ensemble")
    assert [path.name for path in folder.glob("*.partial")] == ["flags.txt.456.partial"]  # may be in use


def test_runs_at_the_same_time_do_not_move_each_others_files(workspace: Path) -> None:
    (workspace / "bin").mkdir()
    (workspace / "bin/mv").write_text('#!/bin/bash\nrm -f "${@: -1}.partial"\nexec /bin/mv "$@"\n')  # as the other does
    (workspace / "bin/mv").chmod(0o755)
    protocol(workspace, "one_vs_rest", ROWS="ensemble", PATH=f"{workspace}/bin:/usr/bin:/bin")
    assert not list(workspace.rglob("*.partial"))


def test_notes_that_were_cut_short_stop_nobody(workspace: Path) -> None:
    variables = {"ROWS": "ensemble"}
    protocol(workspace, "one_vs_rest", "--image_size", "224", code=2, FAIL_AT="test.py", **variables)
    for name in ("flags.txt", "made_of.txt"):
        (workspace / "results/one_vs_rest/demo/ensemble/test" / name).write_text("")
    calls, _ = protocol(workspace, "one_vs_rest", "--image_size", "224", **variables)
    assert programs(calls) == ["test.py", "scripts/report.py"]


def test_how_often_checkpoints_were_saved_tells_no_runs_apart(workspace: Path) -> None:
    protocol(workspace, "train", "--save_freq", "5", "--n_ctx", "8", CLASSES="gear")
    noted = workspace / "results/train/mvtec_pc_3d_rgb/gear/flags.txt"
    assert noted.read_text().split() == ["--n_ctx", "8"]
    noted.write_text("--save_freq\n5\n--n_ctx\n8\n\n")  # by an older version
    calls, printed = protocol(workspace, "train", "--n_ctx", "8", CLASSES="gear")
    assert "train.py" not in programs(calls) and "already trained" in printed
    _, printed = protocol(workspace, "train", "--save_freq", "5", "--n_ctx", "4", code=2, CLASSES="gear")
    assert "was made with other flags (--n_ctx 8)" in printed

"""The protocol scripts, run with a stand-in for python: which programs they call, and with what."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from protocol_scripts import programs, protocol


def test_demo_needs_no_variable(workspace: Path) -> None:
    calls, _ = protocol(workspace, "one_vs_rest")
    assert programs(calls) == ["test.py", *(["train.py"] * 3 + ["test.py"]) * 3, "scripts/report.py"]
    assert "--save_path results/one_vs_rest/demo/ensemble/test --skip_finished --prompts ensemble" in calls[0]
    assert all("--feature_cache results/features" in call for call in calls[:-1])
    assert all("--data_path" not in call for call in calls)
    main_row = [call for call in calls if "/pointad/" in call]
    assert "--train_class gear --seed 111" in main_row[0]
    assert "--depth" not in main_row[0] and "--save_maps" in main_row[-1]
    assert sum("--depth 1" in call for call in calls) == 3
    assert sum("--prompts object_aware" in call for call in calls) == 4


@pytest.mark.parametrize("name", ["train", "one_vs_rest", "cross_dataset"])
def test_a_shell_that_is_not_bash_hands_over_to_it(workspace: Path, name: str) -> None:
    calls, _ = protocol(workspace, name, "--view_fusion", "max", shell="sh", ROWS="pointad", CLASSES="gear")
    assert "train.py" in programs(calls) and "--view_fusion max" in calls[-2 if name != "train" else -1]


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("name", ["train", "test", "one_vs_rest", "cross_dataset"])
def test_a_link_to_a_script_starts_it(workspace: Path, name: str, shell: str) -> None:
    for below in ("", "scripts"):  # where a stranger could have put other ones
        (workspace / "sets" / below).mkdir(exist_ok=True)
        (workspace / "sets" / below / "checks.sh").write_text("touch of_a_stranger")
    script = f"{name}.sh" if name in ("train", "test") else f"scripts/{name}.sh"
    (workspace / "sets/first").symlink_to(workspace / script)
    (workspace / "sets/started").symlink_to("first")
    prompts = workspace / "sets/mine/gear/epoch_15.pth"
    prompts.parent.mkdir()
    prompts.touch()
    variables = {"ROWS": "pointad", "CLASSES": "gear", "CHECKPOINTS": "sets/mine", "PATH": "/usr/bin:/bin"}
    target = ["eye_pc_3d_rgb=sets/eye"] if name == "cross_dataset" else []
    done = subprocess.run([shell, "sets/started", *target], cwd=workspace, env=variables, check=False)
    assert done.returncode == 0
    assert "test.py" in programs((workspace / "calls.txt").read_text().splitlines())
    assert not (workspace / "of_a_stranger").exists() and (workspace / "results").is_dir()


def test_a_failure_stops_and_the_next_run_goes_on(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", code=2, ROWS="pointad", FAIL_AT="test.py")
    calls, _ = protocol(workspace, "one_vs_rest", ROWS="pointad")
    assert programs(calls) == ["train.py"] * 3 + ["test.py", "scripts/report.py"]


@pytest.mark.parametrize("name", ["train", "one_vs_rest", "cross_dataset"])
def test_an_interrupt_stops_although_the_program_ends_well(workspace: Path, name: str) -> None:
    """As when it comes just before or after the program; and a loop around the script ends as well."""
    target = ["eye_pc_3d_rgb=sets/eye"] if name == "cross_dataset" else []
    variables = {"ROWS": "pointad", "CLASSES": "gear leaf", "INTERRUPTED_AT": "train.py"}
    calls, _ = protocol(workspace, name, *target, code=-signal.SIGINT, **variables)
    assert programs(calls) == ["train.py"]


WAITING = """
import pathlib, signal, sys, time

def end(number, frame):
    with pathlib.Path("ended").open("a") as told:
        told.write(str(int(number)))
    time.sleep(0.5)
    sys.exit()

if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    for sent in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, end)
    pathlib.Path("begun").touch()
    time.sleep(600)
"""


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("to_all", [False, True])
def test_a_signal_reaches_the_program_before_the_script_ends(
    workspace: Path, sent: signal.Signals, to_all: bool
) -> None:
    """Batch systems send SIGTERM to the script alone or to all, terminals send Ctrl-C to all; none is told twice."""
    program = workspace / "waiting.py"
    program.write_text(WAITING)
    waits = f"exec {sys.executable} {program}"
    python = workspace / "python"
    python.write_text(
        python.read_text().replace('echo "$program', f'[ "$program" != train.py ] || {waits}\necho "$program')
    )
    variables = {"PATH": "/usr/bin:/bin", "CLASSES": "gear leaf"}
    script = subprocess.Popen(["bash", "train.sh"], cwd=workspace, env=variables, start_new_session=True)
    deadline = time.monotonic() + 120
    while not (workspace / "begun").exists() and time.monotonic() < deadline and script.poll() is None:
        time.sleep(0.01)
    os.killpg(script.pid, sent) if to_all else script.send_signal(sent)
    assert script.wait(120) == -sent
    assert (workspace / "ended").read_text() == str(int(sent))
    assert not (workspace / "calls.txt").exists()  # and nothing follows


def test_rows_become_flags(workspace: Path) -> None:
    rows = "pointad sigma_2 fusion_map views_3 losses_d2_pixel_loss+d3_point_loss"
    calls, _ = protocol(
        workspace, "one_vs_rest", "--device", "cuda", ROWS=rows, CLASSES="gear", MAPS="no", FEATURES="none"
    )
    training = [call for call in calls if call.startswith("train.py")]
    testing = [call for call in calls if call.startswith("test.py")]
    assert len(training) == 3  # sigma and fusion use the prompts of pointad
    assert "--views 3 --device cuda" in training[1]
    assert "--losses d2_pixel_loss d3_point_loss --device cuda" in training[2]
    assert ["--sigma 2" in call for call in testing] == [False, True, False, False, False]
    assert ["--fusion map" in call for call in testing] == [False, False, True, False, False]
    assert ["--views 3" in call for call in testing] == [False, False, False, True, False]
    assert "/pointad/seed_111/train/gear/epoch_15.pth" in testing[1]
    assert all("--device cuda" in call for call in training + testing)


@pytest.mark.parametrize("script", ["one_vs_rest", "cross_dataset"])
def test_few_shot_rows_take_the_prompts_of_the_main_row(workspace: Path, script: str) -> None:
    target = [] if script == "one_vs_rest" else ["eye_pc_3d_rgb=sets/eye"]
    variables = {"ROWS": "pointad shots_2", "CLASSES": "gear leaf", "SEEDS": "1 2", "MAPS": "no"}
    calls, printed = protocol(workspace, script, *target, **variables)
    testing = [call for call in calls if call.startswith("test.py")]
    assert sum(call.startswith("train.py") for call in calls) == 4
    assert ["--shots 2" in call for call in testing] == [False, False, True, True]
    for call, seed in zip(testing[2:], ("1", "2"), strict=True):
        assert f"--shots 2 --seed {seed}" in call and f"/shots_2/seed_{seed}/" in call
        assert f"/pointad/seed_{seed}/train/gear/epoch_15.pth" in call
    assert "run 12 of 12: shots_2, seed 2, gear leaf: testing" in printed


def test_real_data_take_the_classes_of_the_paper(workspace: Path) -> None:
    (workspace / "my.pt").touch()
    variables = {"DATASET": "real_pc_3d_rgb", "DATA": "sets/my scans", "ROWS": "pointad", "CLIP_WEIGHTS": "my.pt"}
    calls, _ = protocol(workspace, "one_vs_rest", **variables)
    for call, name in zip(calls, ("seahorse", "shell", "starfish"), strict=False):
        assert f"--train_class {name}" in call
    assert programs(calls) == ["train.py"] * 3 + ["test.py", "scripts/report.py"]
    assert all("--epoch 15" in call for call in calls[:3])
    assert calls[0].startswith("train.py --dataset real_pc_3d_rgb --data_path sets/my scans")
    assert all("--clip_weights my.pt" in call for call in calls[:-1])
    assert "--save_maps" not in calls[-2]


def test_cross_dataset_demo_reuses_prompts(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", ROWS="pointad")
    calls, _ = protocol(workspace, "cross_dataset", ROWS="ensemble pointad")
    names = programs(calls)
    assert names[:2] == ["scripts/make_demo_data.py"] * 2  # which also renders, unless all is there
    assert names[2:] == ["test.py"] * 2 + ["train.py"] * 3 + ["test.py"] * 2 + ["scripts/report.py"]
    assert all("--save_path results/one_vs_rest/demo/pointad" in call for call in calls if call.startswith("train"))
    assert f"--dataset real_pc_3d_rgb --data_path {workspace}/data/demo/real3d/rendered" in calls[-2]
    assert "results/one_vs_rest/demo/pointad/seed_111/train/gear/epoch_15.pth" in calls[-2]


def test_cross_dataset_takes_targets_and_flags(workspace: Path) -> None:
    calls, _ = protocol(
        workspace,
        "cross_dataset",
        "eye_pc_3d_rgb=sets/eye",
        "--device",
        "cpu",
        ROWS="pointad",
        DATA="sets/mvtec",
        CLASSES="carrot",
    )
    assert programs(calls) == ["train.py", "test.py", "scripts/report.py"]
    assert calls[0].startswith("train.py --dataset mvtec_pc_3d_rgb --data_path sets/mvtec --train_class carrot")
    assert calls[1].startswith("test.py --dataset eye_pc_3d_rgb --data_path sets/eye")
    assert "--device cpu" in calls[0] and "--device cpu" in calls[1]


@pytest.mark.parametrize(
    ("name", "variables", "message"),
    [
        ("one_vs_rest", {"ROWS": "pointad mood"}, "unknown row mood"),
        ("one_vs_rest", {"DATASET": "other", "DATA": "/data"}, "other: is not a known data set"),
        ("one_vs_rest", {"DATASET": "minishift_pc_3d", "DATA": "/data"}, "has no default training classes"),
        ("cross_dataset", {"DATA": "/data"}, "no target"),
    ],
)
def test_mistakes_are_one_line(workspace: Path, name: str, variables: dict[str, str], message: str) -> None:
    calls, printed = protocol(workspace, name, code=2, **variables)
    assert calls == []
    assert message in printed and printed.count("\n") == 1


def test_runs_are_counted(workspace: Path) -> None:
    _, printed = protocol(workspace, "one_vs_rest", ROWS="ensemble pointad", CLASSES="gear leaf", SEEDS="1 2")
    runs = [line for line in printed.splitlines() if line.startswith("run ")]
    assert [line.split(":")[0] for line in runs] == [f"run {number} of 7" for number in range(1, 8)]


def test_an_idea_of_ones_own_is_a_row(workspace: Path) -> None:
    flags = "--view_fusion max --learning_rate 0.01"
    calls, _ = protocol(workspace, "one_vs_rest", ROWS="mine", CLASSES="gear", FLAGS_mine=flags, FEATURES="none")
    assert f"--name mine {flags}" in calls[0]
    assert "--name mine --view_fusion max" in calls[1] and "--learning_rate" not in calls[1]  # test.py learns nothing
    calls, _ = protocol(workspace, "one_vs_rest", ROWS="view_fusion_top2", CLASSES="gear")
    assert all("--view_fusion top2" in call for call in calls[:2])


def test_the_demos_prompts_take_the_demos_weights_on_any_target(workspace: Path) -> None:
    calls, _ = protocol(workspace, "cross_dataset", "eye_pc_3d_rgb=sets/eye", ROWS="pointad", CLASSES="gear")
    assert programs(calls) == ["train.py", "test.py", "scripts/report.py"]
    assert all("--clip_weights demo" in call for call in calls[:2])


@pytest.mark.parametrize(
    "flags",
    [
        ["--render", "on_the_fly"],
        ["--views", "3"],
        ["--views", "x-15", "x0", "x15"],
        ["--feature_cache", "a cache"],
        ["--view_fusion", "max", "--features_list", "4", "8"],
    ],
)
def test_train_hands_its_flags_on(workspace: Path, flags: list[str]) -> None:
    calls, _ = protocol(workspace, "train", *flags, "--learning_rate", "0.01", DATA="sets/mine", CLASSES="gear leaf")
    assert programs(calls) == ["train.py", "train.py", "test.py"]
    said = " ".join(flags)
    assert f"{said} --learning_rate 0.01" in calls[0]
    assert calls[-1].endswith(said) and "--learning_rate" not in calls[-1]


def test_train_tests_the_epoch_that_it_trained(workspace: Path) -> None:
    calls, _ = protocol(workspace, "train", "--epoch", "1", CLASSES="gear", SAVE="out")
    assert "--epoch 1 " in calls[0]
    assert "--checkpoint_path out/gear/epoch_1.pth" in calls[1] and "--epoch" not in calls[1]


def test_train_trains_again_when_it_is_told_to(workspace: Path) -> None:
    variables = {"CLASSES": "gear", "TEST": "no"}
    protocol(workspace, "train", **variables)
    calls, _ = protocol(workspace, "train", "--restart", "--depth", "3", **variables)
    assert programs(calls) == ["train.py"] and calls[0].endswith("--restart --depth 3")


def test_train_keeps_a_test_folder_a_class(workspace: Path) -> None:
    for name in ("gear", "leaf"):
        calls, _ = protocol(workspace, "train", CLASSES=name, SAVE="out")
        assert f"--save_path out/test/{name}" in calls[-1]
    protocol(workspace, "train", CLASSES="gear leaf", SAVE="out")
    found = sorted(path.parent.name for path in (workspace / "out" / "test").rglob("results.json"))
    assert found == ["gear", "leaf"]


def test_finished_tests_are_kept_by_the_program_that_knows_them(workspace: Path) -> None:
    """Of all classes at once, in the same folders however many are left."""
    variables = {"ROWS": "ensemble pointad shots_2", "CLASSES": "gear leaf", "SEEDS": "1"}
    calls, _ = protocol(workspace, "one_vs_rest", **variables)
    again, _ = protocol(workspace, "one_vs_rest", **variables)
    assert again == calls
    testing = [call for call in calls if call.startswith("test.py")]
    assert len(testing) == 3 and all("--skip_finished" in call for call in testing)
    calls, _ = protocol(workspace, "train", CLASSES="gear")
    assert "--skip_finished" not in calls[-1]  # whoever asks for a test gets its tables


@pytest.mark.parametrize("script", ["train", "one_vs_rest", "cross_dataset"])
def test_scripts_write_nothing_themselves(workspace: Path, script: str) -> None:
    """What a second run wrote before a program refuses its folder would be taken for the first one's."""
    target = ["eye_pc_3d_rgb=sets/eye"] if script == "cross_dataset" else []
    variables = {"ROWS": "ensemble pointad", "CLASSES": "gear leaf"}
    before = set(workspace.rglob("*"))
    protocol(workspace, script, *target, **variables)
    written = {path.name for path in set(workspace.rglob("*")) - before if path.is_file()}
    assert written == {"calls.txt", "epoch_15.pth", "results.json"}


@pytest.mark.parametrize("script", ["train", "one_vs_rest", "cross_dataset"])
@pytest.mark.parametrize(("streams", "told"), [(">/dev/full", True), (">&-", True), (">/dev/full 2>&1", False)])
def test_outputs_that_take_nothing_end_in_one_line(workspace: Path, script: str, streams: str, told: bool) -> None:
    target = "eye_pc_3d_rgb=sets/eye" if script == "cross_dataset" else ""
    path = f"{script}.sh" if script == "train" else f"scripts/{script}.sh"
    variables = {"PATH": "/usr/bin:/bin", "ROWS": "pointad", "CLASSES": "gear"}
    command = f"bash {path} {target} {streams}"
    done = subprocess.run(["bash", "-c", command], cwd=workspace, env=variables, capture_output=True, text=True)
    assert done.returncode == 2 and not (workspace / "calls.txt").exists()
    assert (
        done.stderr.startswith("error: standard output: cannot be written") is told and done.stderr.count("\n") == told
    )


@pytest.mark.parametrize("script", ["train", "test", "one_vs_rest"])
def test_notes_that_nothing_takes_stop_nobody(workspace: Path, script: str) -> None:
    prompts = workspace / "checkpoints/demo/gear/epoch_15.pth"
    prompts.parent.mkdir(parents=True)
    prompts.touch()
    path, flag = (f"{script}.sh", "--save_path=x") if script == "test" else (f"{script}.sh", "")
    path = path if script != "one_vs_rest" else f"scripts/{path}"
    variables = {"PATH": "/usr/bin:/bin", "ROWS": "pointad", "CLASSES": "gear", "SEED": "5", "SEEDS": "5"}
    done = subprocess.run(["bash", "-c", f"bash {path} {flag} 2>&-"], cwd=workspace, env=variables)
    assert done.returncode == 0 and (workspace / "calls.txt").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--epoch", "x"], "--epoch"), (["--save_path", "x"], "set SAVE"), (["--vews", "3"], "--vews")],
)
def test_train_checks_flags_before_anything_runs(workspace: Path, flags: list[str], message: str) -> None:
    calls, printed = protocol(workspace, "train", *flags, code=2)
    assert calls == [] and message in printed

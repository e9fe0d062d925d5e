"""The protocol scripts, run with a stand-in for python: which programs they call, and with what."""

import os
import shutil
from pathlib import Path

import pytest
from protocol_scripts import make_workspace, programs, protocol


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path)


def test_demo_needs_no_variable(workspace: Path) -> None:
    calls, _ = protocol(workspace, "one_vs_rest")
    assert programs(calls) == ["test.py", *(["train.py"] * 3 + ["test.py"]) * 3, "scripts/report.py"]
    assert "--save_path results/one_vs_rest/demo/ensemble/test --prompts ensemble" in calls[0]
    assert all("--feature_cache results/features" in call for call in calls[:-1])
    assert all("--data_path" not in call for call in calls)
    main_row = [call for call in calls if "/pointad/" in call]
    assert "--train_class gear --seed 111" in main_row[0]
    assert "--depth" not in main_row[0] and "--save_maps" in main_row[-1]
    assert sum("--depth 1" in call for call in calls) == 3
    assert sum("--prompts object_aware" in call for call in calls) == 4


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


def test_a_failure_stops_and_the_next_run_goes_on(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", code=2, ROWS="pointad", FAIL_AT="test.py")
    calls, printed = protocol(workspace, "one_vs_rest", ROWS="pointad")
    assert programs(calls) == ["test.py", "scripts/report.py"]
    assert printed.count("already trained") == 3


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
    calls, printed = protocol(workspace, script, *target, **variables)
    assert programs(calls) == ["scripts/report.py"] and printed.count("-shot/results.json), skipped") == 4
    calls, _ = protocol(workspace, script, *target, **{**variables, "CLASSES": "gear leaf pear", "SEEDS": "1"})
    (call,) = (call for call in calls if "--shots" in call)
    assert "/pear/epoch_15.pth" in call and "gear" not in call


def test_real_data_take_the_classes_of_the_paper(workspace: Path) -> None:
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
    calls, printed = protocol(workspace, "cross_dataset", ROWS="ensemble pointad")
    names = programs(calls)
    assert names[:4] == ["scripts/make_demo_data.py", "scripts/render_dataset.py"] * 2
    assert names[4:] == ["test.py"] * 4 + ["scripts/report.py"]
    assert f"--dataset real_pc_3d_rgb --data_path {workspace}/data/demo/real3d/rendered" in calls[-2]
    assert "results/one_vs_rest/demo/pointad/seed_111/train/gear/epoch_15.pth" in calls[-2]
    assert "already trained" in printed
    calls, _ = protocol(workspace, "cross_dataset", ROWS="ensemble pointad")
    assert programs(calls) == ["scripts/report.py"]


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


def test_prompts_of_other_flags_are_not_taken(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", ROWS="pointad", CLASSES="gear")
    protocol(workspace, "one_vs_rest", "--device", "cuda", ROWS="pointad", CLASSES="gear")  # only the place differs
    calls, printed = protocol(workspace, "one_vs_rest", "--depth", "3", code=2, ROWS="pointad", CLASSES="gear")
    assert calls == [] and "was made with other flags" in printed


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


def test_prompts_of_another_seed_are_not_taken(workspace: Path) -> None:
    protocol(workspace, "train", CLASSES="gear")
    calls, printed = protocol(workspace, "train", code=2, CLASSES="gear", SEED="222")
    assert calls == [] and "seed 111, now" in printed


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
    calls, _ = protocol(workspace, "train", "--depth", "3", **variables)
    assert not calls


def test_train_keeps_a_test_folder_a_class(workspace: Path) -> None:
    for name in ("gear", "leaf"):
        calls, _ = protocol(workspace, "train", CLASSES=name, SAVE="out")
        assert f"--save_path out/test/{name}" in calls[-1]
    protocol(workspace, "train", CLASSES="gear leaf", SAVE="out")
    found = sorted(path.parent.name for path in (workspace / "out" / "test").rglob("results.json"))
    assert found == ["gear", "leaf"]


def test_train_names_data_that_changed(workspace: Path) -> None:
    mask = workspace / "data" / "carrot" / "gt" / "000.png"
    mask.parent.mkdir(parents=True)
    mask.touch()
    variables = {"DATA": "data", "CLASSES": "carrot", "SAVE": "mine"}
    protocol(workspace, "train", **variables)
    os.utime(mask, (2**32, 2**32))
    _, printed = protocol(workspace, "train", **variables)
    assert "carrot/gt/000.png is newer than mine/carrot/epoch_15.pth; remove the older one to make it again" in printed


def test_train_stops_when_flags_changed(workspace: Path) -> None:
    protocol(workspace, "train", CLASSES="gear", SAVE="out")
    calls, printed = protocol(workspace, "train", "--losses", "d3_point_loss", code=2, CLASSES="gear", SAVE="out")
    assert calls == [] and "out/gear: was made with other flags" in printed


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--epoch", "x"], "--epoch"), (["--save_path", "x"], "set SAVE"), (["--vews", "3"], "--vews")],
)
def test_train_checks_flags_before_anything_runs(workspace: Path, flags: list[str], message: str) -> None:
    calls, printed = protocol(workspace, "train", *flags, code=2)
    assert calls == [] and message in printed


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


def test_notes_that_were_cut_short_stop_nobody(workspace: Path) -> None:
    variables = {"ROWS": "ensemble"}
    protocol(workspace, "one_vs_rest", "--image_size", "224", code=2, FAIL_AT="test.py", **variables)
    for name in ("flags.txt", "made_of.txt"):
        (workspace / "results/one_vs_rest/demo/ensemble/test" / name).write_text("")
    calls, _ = protocol(workspace, "one_vs_rest", "--image_size", "224", **variables)
    assert programs(calls) == ["test.py", "scripts/report.py"]

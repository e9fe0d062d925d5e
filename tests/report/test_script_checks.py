"""The protocol scripts refuse what would give wrong figures, files elsewhere or a late stop, before anything runs."""

import re
import subprocess
from pathlib import Path

import pytest
from protocol_scripts import make_workspace, programs, protocol

from pointad.data.raw import RenderingOptions
from pointad.data.rendering_settings import agree_on_settings
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord, TrainingRecord
from pointad.files.names import file_name

ROOT = Path(__file__).resolve().parents[2]
PROTOCOLS = ("one_vs_rest", "cross_dataset")
SMALL = {"ROWS": "pointad", "CLASSES": "gear", "FEATURES": "none"}
TARGET = "eye_pc_3d_rgb=sets/eye"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "two" / "below")


def refused(workspace: Path, script: str, *flags: str, **variables: str) -> str:
    """The message of a script that must stop before it calls or writes anything."""
    target = [TARGET] if script == "cross_dataset" else []
    (workspace / "calls.txt").unlink(missing_ok=True)
    top = workspace.parent.parent
    before = sorted(top.rglob("*"))
    calls, printed = protocol(workspace, script, *target, *flags, code=2, **variables)
    assert calls == [] and sorted(top.rglob("*")) == before
    return printed


@pytest.mark.parametrize(
    ("script", "variable"), [("train", "TEST"), ("one_vs_rest", "MAPS"), ("cross_dataset", "MAPS")]
)
def test_answers_are_yes_or_no(workspace: Path, script: str, variable: str) -> None:
    """TEST=true would train without a test, and end well."""
    printed = refused(workspace, script, **{**SMALL, variable: "true"})
    assert f"error: {variable}: true is neither yes nor no" in printed


@pytest.mark.parametrize(
    ("flags", "variables", "message"),
    [
        (["--seed", "5"], {}, "--seed: is set by this script; set SEEDS instead"),
        (["--see=5"], {}, "--seed: is set by this script; set SEEDS instead"),
        (["--epoch", "5"], {}, "set EPOCH instead"),
        (["--save_path=x"], {}, "set SAVE instead"),
        (["--train_dataset_name", "x"], {}, "set CLASSES instead"),
        (["--dataset", "folder"], {}, "set DATASET instead"),
        (["--train_data_p=x"], {}, "set DATA instead"),
        (["--name", "x"], {}, "set ROWS instead"),
        (["--feature_cache", "x"], {}, "set FEATURES instead"),
        (["--checkpoint_path", "x"], {}, "--checkpoint_path"),
        (["--learning_rate", "0.1"], {}, "unrecognized arguments: --learning_rate"),
        (["--device", "cpu\n--depth"], {}, "has a line break"),
        (["--help"], {}, "error: --help"),
        ([], {"ROWS": "mine", "FLAGS_mine": "--view_fusion max --epo 3"}, "set EPOCH instead"),
        ([], {"ROWS": "mine", "FLAGS_mine": "--vews 3"}, "--vews"),
        (["--views", "3"], {"ROWS": "pointad views_5"}, "--views: is set by the row views_5"),
        (["--depth=2"], {"ROWS": "coop"}, "--depth: is set by the row coop"),
        ([], {"ROWS": "mine", "FLAGS_mine": "--clip_weights openai", "CLIP_WEIGHTS": "demo"}, "is set by the row mine"),
        ([], {"ROWS": "mine", "FLAGS_mine": "--feature_cache x", "FEATURES": "y"}, "is set by the row mine"),
        ([], {"ROWS": "coop", "FLAGS_coop": "--depth 3"}, "FLAGS_coop: coop is a row already"),
        ([], {"ROWS": "pointad losses_mood"}, "argument --losses: invalid choice: 'mood'"),
        ([], {"ROWS": "pointad shots_2x"}, "argument --shots"),
    ],
)
def test_flags_that_a_protocol_sets_itself_are_refused(
    workspace: Path, flags: list[str], variables: dict[str, str], message: str
) -> None:
    assert message in refused(workspace, "one_vs_rest", *flags, **{**SMALL, **variables})


def test_flags_of_one_row_are_not_those_of_another(workspace: Path) -> None:
    protocol(workspace, "one_vs_rest", "--data_name", "my --sigma set", **{**SMALL, "ROWS": "pointad sigma_2"})
    printed = protocol(workspace, "one_vs_rest", **{**SMALL, "ROWS": "views_3 views_5 sigma_2 sigma_3"})[1]
    assert "is given twice" not in printed
    twice = {**SMALL, "ROWS": "losses_d2_pixel_loss+d2_pixel_loss losses_d2_image_loss"}
    assert "d2_pixel_loss is named twice" in refused(workspace, "one_vs_rest", **twice)


@pytest.mark.parametrize("script", ["train", "test", *PROTOCOLS])
def test_unknown_flags_are_told_in_one_line(workspace: Path, script: str) -> None:
    printed = refused(workspace, script, "--vews", "3", **SMALL)
    program = "test" if script == "test" else "train"
    meant = "unrecognized arguments: --vews; did you mean --views?"
    assert printed == f"error: flags of {program}.py: {meant}; see python {program}.py --help\n"


def test_the_other_protocol_refuses_them_too(workspace: Path) -> None:
    printed = refused(workspace, "cross_dataset", "--seed", "5", **SMALL)
    assert printed == "error: --seed: is set by this script; set SEEDS instead\n"


@pytest.mark.parametrize("script", ["train", "test", *PROTOCOLS])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EPOCH", "05"),
        ("EPOCH", "abc"),
        ("EPOCH", "0"),
        ("CLASSES", "gear ../../x"),
        ("CLASSES", "--restart"),
        ("CLASSES", ".hidden"),
        ("CLASSES", "gear leaf gear"),
        ("CLASSES", " "),
    ],
)
def test_names_and_numbers_are_checked_first(workspace: Path, script: str, variable: str, value: str) -> None:
    printed = refused(workspace, script, **{**SMALL, variable: value})
    assert printed.startswith(f"error: {variable}: ") and printed.count("\n") == 1


@pytest.mark.parametrize("name", ["a:b", "50%", "a*", "~x", "x.", "con", "NUL.old", "a\\b", 'a"b'])
@pytest.mark.parametrize("script", ["train", "one_vs_rest", "cross_dataset"])
def test_classes_whose_folders_test_py_would_call_otherwise_are_refused(
    workspace: Path, script: str, name: str
) -> None:
    """One class would be tested in another folder than several, and reports would count both."""
    assert file_name(name) != name
    printed = refused(workspace, script, **{**SMALL, "CLASSES": f"gear {name}"})
    assert printed.startswith(
        f"error: CLASSES: {name} cannot be the name of a folder on every system; give it to train"
    )
    assert printed.count("\n") == 1


@pytest.mark.parametrize("name", ["größe", "console", "a[b]", "x~", "(a)", "a$b"])
def test_classes_whose_folders_are_called_like_them_are_trained(workspace: Path, name: str) -> None:
    assert file_name(name) == name
    calls, _ = protocol(workspace, "train", **{**SMALL, "CLASSES": name})
    assert f"--train_class {name} " in calls[0]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("SEEDS", value) for value in ("1 02", "-1", " ", "1 2 1")),
        *(("ROWS", value) for value in ("views_5/../../x", " ")),
    ],
)
def test_rows_and_seeds_are_checked_first(workspace: Path, variable: str, value: str) -> None:
    printed = refused(workspace, "one_vs_rest", **{**SMALL, variable: value})
    assert printed.startswith(f"error: {variable}: ") and printed.count("\n") == 1


def test_targets_stay_below_the_results(workspace: Path) -> None:
    printed = refused(workspace, "cross_dataset", "../../x_pc_3d=sets/eye", **SMALL)
    assert printed.startswith("error: the targets: ../../x_pc_3d ") and printed.count("\n") == 1


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["eye_pc_3d_rgb=sets/mvtec"], "the targets: eye_pc_3d_rgb is named twice"),
        (["real_pc_3d_rgb=sets/nowhere"], "the target real_pc_3d_rgb: sets/nowhere does not exist"),
        (["other_pc_3d=sets/mvtec"], "argument --dataset: invalid choice: 'other_pc_3d'"),
        (["real_pc_3d_rgb="], "the target real_pc_3d_rgb: names no folder"),
        (["folder:x=sets/mine"], "the target folder:x: sets/mine was rendered from eye_pc_3d_rgb; write"),
    ],
)
def test_targets_are_checked_before_prompts_are_learned(workspace: Path, targets: list[str], message: str) -> None:
    agree_on_settings(workspace / "sets/mine", "eye_pc_3d_rgb", RenderingOptions())
    assert message in refused(workspace, "cross_dataset", *targets, **SMALL)


@pytest.mark.parametrize("script", ["train", "one_vs_rest"])
def test_data_and_their_classes_are_looked_for_first(workspace: Path, script: str) -> None:
    (workspace / "sets/mine/all_meta.json").write_text('{"test": {"leaf": [{"specie_name": "gear"}]}}')
    variables = {**SMALL, "CLASSES": "leaf gear"}
    assert "sets/mine: has no class gear" in refused(workspace, script, DATA="sets/mine", **variables)
    assert "DATA: sets/nowhere does not exist" in refused(workspace, script, DATA="sets/nowhere", **variables)


def test_what_needs_no_prompts_needs_no_class(workspace: Path) -> None:
    (workspace / "sets/mine/all_meta.json").write_text('{"test": {"bolt": []}}')
    calls, _ = protocol(workspace, "one_vs_rest", DATA="sets/mine", ROWS="ensemble")
    assert programs(calls) == ["test.py", "scripts/report.py"]


@pytest.mark.parametrize(("script", "test"), [("one_vs_rest", "test"), ("cross_dataset", "eye_pc_3d_rgb")])
@pytest.mark.parametrize("below", ["", "2-shot/"])
def test_results_of_another_epoch_are_looked_for_first(workspace: Path, script: str, test: str, below: str) -> None:
    """Training would take hours before test.py refuses them."""
    made = workspace / f"out/pointad/seed_1/{test}/gear/{below}results.json"
    made.parent.mkdir(parents=True)
    results = Results({"gear": {"point": {"image_auroc": 0.5}}}, RunRecord(epoch=2, training=TrainingRecord()))
    results.save(made)
    variables = {**SMALL, "SAVE": "out", "SEEDS": "1"}
    printed = refused(workspace, script, EPOCH="3", **variables)
    stated = f"error: {made.relative_to(workspace)}: was made with the prompts of epoch 2, not 3; choose another SAVE"
    assert printed.startswith(stated) and printed.count("\n") == 1
    target = [TARGET] if script == "cross_dataset" else []
    for others in ({"EPOCH": "2"}, {"EPOCH": "3", "SEEDS": "2"}, {"EPOCH": "3", "CLASSES": "leaf"}):
        calls, _ = protocol(workspace, script, *target, **{**variables, **others})
        assert "train.py" in programs(calls)
        results.save(made)  # the stand-in leaves its own


@pytest.mark.parametrize("flags", [["--epoch", "05"], ["--epoch=+5"]])
def test_train_takes_epochs_as_files_name_them(workspace: Path, flags: list[str]) -> None:
    assert refused(workspace, "train", *flags, CLASSES="gear").startswith("error: EPOCH: ")


def test_a_row_is_not_tested_without_its_flags(workspace: Path) -> None:
    variables = {**SMALL, "ROWS": "mine", "FLAGS_mine": "--view_fusion max"}
    calls, _ = protocol(workspace, "one_vs_rest", code=2, FAIL_AT="scripts/shared_flags.py", **variables)
    assert "test.py" not in programs(calls)  # the flags could be read at first, and no longer once a program had run


@pytest.mark.parametrize("script", ["train", *PROTOCOLS])
def test_weights_are_looked_for_first(workspace: Path, script: str) -> None:
    message = "error: missing.pt: neither a file nor a name of CLIP weights; give the path of a file, demo or openai\n"
    assert refused(workspace, script, CLIP_WEIGHTS="missing.pt", **SMALL) == message


def test_names_of_weights_are_no_files(workspace: Path) -> None:
    """The last one counts, as in the programs."""
    name = "laion2b_s32b_b82k"
    calls, _ = protocol(workspace, "train", "--clip_weights", name, CLIP_WEIGHTS="missing.pt", TEST="no", **SMALL)
    assert f"--clip_weights {name}" in calls[0] and "missing.pt" not in calls[0]


def test_words_are_not_taken_for_patterns(workspace: Path) -> None:
    (workspace / "gear1").touch()
    flags = "--view_fusion max --scan_pattern scripts/*.sh"
    variables = {**SMALL, "ROWS": "mine", "CLASSES": "gear[1]\nleaf", "FLAGS_mine": flags}
    calls, _ = protocol(workspace, "one_vs_rest", **variables)
    assert "--train_class gear[1] " in calls[0] and calls[0].endswith(flags) and calls[-2].endswith(flags)
    calls, _ = protocol(workspace, "train", CLASSES="gear[1]\nleaf", SAVE="out")
    assert "--train_class gear[1] " in calls[0] and "--save_path out/test" in calls[-1]
    assert "out/test/gear" not in calls[-1]


@pytest.mark.parametrize("data", ["-delete", "raw/"])
def test_folders_of_data_are_no_flags_and_have_one_name(workspace: Path, data: str) -> None:
    picture = workspace / data / "gear" / "000.png"
    picture.parent.mkdir(parents=True)
    picture.touch()
    calls, _ = protocol(workspace, "one_vs_rest", DATA=data, **SMALL)
    folder = "./-delete" if data == "-delete" else "raw"
    assert f"--data_path {folder} " in calls[0]
    again, _ = protocol(workspace, "one_vs_rest", DATA=folder, **SMALL)
    assert again == calls and picture.exists()


def test_demo_targets_of_other_classes_are_not_taken(workspace: Path) -> None:
    for name in ("button", "pear"):
        (workspace / "data/demo/eyecandies/rendered" / name).mkdir(parents=True)
    (workspace / "data/demo/eyecandies/rendered/all_meta.json").touch()
    calls, printed = protocol(workspace, "cross_dataset", code=2, DEMO_TARGET_CLASSES="pear brick")
    assert (
        programs(calls) == ["scripts/make_demo_data.py"]  # which does nothing here
        and f"error: {workspace}/data/demo/eyecandies: holds the classes button pear, not brick pear" in printed
    )
    calls, _ = protocol(workspace, "cross_dataset", DEMO_TARGET_CLASSES="pear button", ROWS="ensemble")
    assert any("data/demo/eyecandies/rendered" in call for call in calls)


@pytest.mark.parametrize("flags", [["--seed", "5", "--epo", "2"], ["--seed=5", "--epoch=2"]])
def test_flags_and_variables_of_one_meaning_are_the_same(workspace: Path, flags: list[str]) -> None:
    protocol(workspace, "train", *flags, CLASSES="gear", TEST="no")
    calls = (workspace / "calls.txt").read_text()
    assert "--seed 5 --epoch 2 --save_path results/train/mvtec_pc_3d_rgb/gear" in calls
    again, _ = protocol(workspace, "train", CLASSES="gear", TEST="no", SEED="5", EPOCH="2")
    assert again == calls.splitlines()


def test_flags_that_replace_variables_are_told(workspace: Path) -> None:
    for name in ("gear", "leaf", "walnut"):
        (workspace / "checkpoints/demo" / name).mkdir(parents=True)
        (workspace / "checkpoints/demo" / name / "epoch_15.pth").touch()
    _, printed = protocol(workspace, "test")
    assert "note:" not in printed
    checkpoint = workspace / "checkpoints/demo/leaf/epoch_15.pth"
    flags = ["--save_p=there", "--checkpoint_p", str(checkpoint), "--train_data_path=here"]
    _, printed = protocol(workspace, "test", *flags)
    assert "note: --data_path is given, so DATA (the demo data) is ignored" in printed
    assert "note: --save_path is given, so SAVE (results/test/mvtec_pc_3d_rgb) is ignored" in printed
    assert "note: --checkpoint_path is given, so CHECKPOINTS, CLASSES and EPOCH are ignored" in printed
    _, printed = protocol(workspace, "one_vs_rest", SEED="5", **SMALL)
    assert "note: SEED is ignored here; SEEDS is used (111)\n" in printed
    _, printed = protocol(workspace, "one_vs_rest", TRAINED="elsewhere", **SMALL)
    assert "note: TRAINED is ignored here; prompts are searched and written in SAVE (results/" in printed


def test_a_test_of_other_prompts_or_none_needs_no_default_ones(workspace: Path) -> None:
    mine = workspace / "mine/epoch_3.pth"
    mine.parent.mkdir()
    mine.touch()
    variables = {"DATASET": "minishift_pc_3d", "DATA": "sets/mine"}  # without classes to learn from by default
    calls, _ = protocol(workspace, "test", "--checkpoint", str(mine), **variables)
    assert calls[0].count("--checkpoint") == 1 and calls[0].endswith(f"--checkpoint {mine}")
    calls, printed = protocol(workspace, "test", "--prompts=ensemble", **variables)
    assert "--checkpoint" not in calls[0]
    assert "note: --prompts ensemble is given, so CHECKPOINTS, CLASSES and EPOCH are ignored" in printed
    protocol(workspace, "test", code=2)
    protocol(workspace, "test", "--name", "a --prompts ensemble b", code=2, **variables)  # a name


def test_paths_start_where_the_script_is_called(workspace: Path) -> None:
    prompts = workspace / "sets/mine/prompts/gear/epoch_15.pth"
    prompts.parent.mkdir(parents=True)
    prompts.touch()
    away = workspace / "sets"
    variables = {**SMALL, "DATA": "eye", "CHECKPOINTS": "mine/prompts", "SAVE": "-out"}
    for script in ("test", "scripts/one_vs_rest"):
        done = subprocess.run(
            ["bash", f"../{script}.sh"], cwd=away, env={"PATH": "/usr/bin:/bin", **variables}, check=False
        )
        assert done.returncode == 0
    test, train = (away / "calls.txt").read_text().splitlines()[:2]
    assert "--data_path eye --checkpoint_path mine/prompts/gear/epoch_15.pth --save_path ./-out" in test
    assert train.startswith("train.py ") and "--save_path ./-out/" in train
    assert (away / "-out").is_dir() and not (workspace / "results").exists()


@pytest.mark.parametrize("script", ["train", *PROTOCOLS])
def test_folders_where_the_shell_looks_for_others_change_nothing(workspace: Path, script: str) -> None:
    (workspace / "sets/mine/all_meta.json").write_text('{"gear": 1}')
    (workspace / "sets/mine/gear").mkdir()
    target = [TARGET] if script == "cross_dataset" else []
    calls, printed = protocol(workspace, script, *target, CDPATH=f".:{workspace}", DATA="sets/mine", **SMALL)
    again, _ = protocol(workspace, script, *target, DATA="sets/mine", **SMALL)
    assert again == calls and "sets/mine\n" not in printed


# Of bash 4, or of the tools of GNU: macOS has bash 3.2, and those of BSD.
NOT_EVERYWHERE = (
    r"\bmapfile\b|\breadarray\b|declare -A|local -n|,,\}|\^\^\}|\|&|-printf|-quit|\bmv -\w*T|readlink -f|sed -i|date -d"
)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("*.sh")) + sorted(ROOT.glob("scripts/*.sh")), ids=lambda path: path.name
)
def test_scripts_take_only_what_older_shells_and_other_systems_have(path: Path) -> None:
    assert re.findall(NOT_EVERYWHERE, path.read_text()) == []

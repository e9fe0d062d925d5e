"""Targets of the cross-dataset protocol that say what they are called, as several data sets of one format must."""

from pathlib import Path

import pytest
from protocol_scripts import programs, protocol

OWN = {"DATASET": "folder", "DATA": "sets/mine", "CLASSES": "m8"}


def test_two_data_sets_of_one_format_are_tested_under_their_names(workspace: Path) -> None:
    targets = ("folder:bolts=sets/my scans", "folder:nuts=sets/eye", "eye_pc_3d_rgb=sets/eye")
    calls, _ = protocol(workspace, "cross_dataset", *targets, ROWS="ensemble pointad", DATA_NAME="screws", **OWN)
    (training,) = (call for call in calls if call.startswith("train.py"))
    assert "--dataset folder --data_path sets/mine --train_class m8" in training and "--data_name screws" in training
    tests = [call for call in calls if call.startswith("test.py")]
    assert ["--data_name bolts" in call for call in tests] == [True, False, False] * 2
    assert ["--data_name nuts" in call for call in tests] == [False, True, False] * 2
    assert [call.split()[2] for call in tests] == ["folder", "folder", "eye_pc_3d_rgb"] * 2
    assert not any("screws" in call for call in tests)
    folders = [call.split("--save_path ")[1].split()[0] for call in tests]
    assert [folder.removeprefix("results/cross_dataset/mine/") for folder in folders] == [
        *("ensemble/bolts", "ensemble/nuts", "ensemble/eye_pc_3d_rgb"),
        *(f"pointad/seed_111/{name}/m8" for name in ("bolts", "nuts", "eye_pc_3d_rgb")),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["folder:bolts=sets/eye", "folder:bolts=sets/mvtec"], "the targets: bolts is named twice"),
        (["folder:../x=sets/eye"], "the targets: ../x cannot be a folder name"),
        (["folder:=sets/eye"], "the targets:  cannot be a folder name"),
        (["folder:train=sets/eye"], "the targets: train is the folder of the prompts"),
        (["folder:bolts="], "the target folder:bolts: names no folder"),
        (["folder:bolts=sets/nowhere"], "the target folder:bolts: sets/nowhere does not exist"),
        (["other_pc_3d:x=sets/eye"], "invalid choice: 'other_pc_3d'"),
        (["folder:bolts=sets/eye", "--data_name", "x"], "--data_name: is set by this script; set DATA_NAME"),
    ],
)
def test_mistakes_in_names_are_told_before_anything_runs(workspace: Path, arguments: list[str], message: str) -> None:
    calls, printed = protocol(workspace, "cross_dataset", *arguments, code=2, ROWS="pointad", **OWN)
    assert programs(calls) == [] and message in printed

"""Which file of a folder belongs to which scan, where a pattern leaves it open."""

import os
from pathlib import Path

import pytest

from pointad.datasets.path_patterns import files_of_scans, scans_in_places
from pointad.errors import InputError


def matched(root: Path, pattern: str, names: list[str], files: list[str]) -> list[str]:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("0\n")
    found = files_of_scans(root, pattern, [{"id": name, "species": "dent"} for name in names])
    assert all(path is not None for path in found)
    return [path.relative_to(root).as_posix() if path is not None and path.exists() else "" for path in found]


@pytest.mark.parametrize(
    ("pattern", "names", "files", "expected"),
    [
        ("{id}*.txt", ["1"], ["10_m.txt"], [""]),
        ("{id}*.txt", ["1", "10"], ["10_m.txt"], ["", "10_m.txt"]),
        ("{id}*.txt", ["1", "10"], ["1_m.txt", "10_m.txt"], ["1_m.txt", "10_m.txt"]),
        ("{id}*.txt", ["1", "1_2"], ["1_m.txt", "1_2_m.txt"], ["1_m.txt", "1_2_m.txt"]),
        ("{id}_*.txt", ["1", "1_2"], ["1_2_m.txt"], ["", "1_2_m.txt"]),
        ("*{id}.txt", ["1", "11"], ["m_11.txt", "m_1.txt"], ["m_1.txt", "m_11.txt"]),
        ("*{id}*.txt", ["a"], ["._a.txt", "a.txt"], ["a.txt"]),
        ("{id}*/labels.txt", ["1", "2"], ["1/labels.txt", "20/labels.txt"], ["1/labels.txt", ""]),
        ("**/{id}*.txt", ["1", "2"], ["1.txt", "a/b/2_m.txt"], ["1.txt", "a/b/2_m.txt"]),
        ("**/{id}.txt", ["1", "2"], [".h/1.txt", "a/2.txt", "a/.h/2.txt"], ["", "a/2.txt"]),
        ("**/.h/{id}.txt", ["1"], ["a/.h/1.txt"], ["a/.h/1.txt"]),
        ("labels [1]//{id}?.txt", ["1"], ["labels [1]/1?.txt"], ["labels [1]/1?.txt"]),
        ("*{id}*.txt", ["1", "2", "1_2"], ["m_1_2.txt"], ["", "", "m_1_2.txt"]),
        ("{species}*.txt", ["1", "2"], ["dent_all.txt"], ["dent_all.txt", "dent_all.txt"]),
    ],
)
def test_no_scan_gets_the_file_of_another(
    tmp_path: Path, pattern: str, names: list[str], files: list[str], expected: list[str]
) -> None:
    assert matched(tmp_path, pattern, names, files) == expected


def test_a_file_of_two_scans_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"matches .*1_2\.txt for the scans 1 and 2; make it unambiguous"):
        matched(tmp_path, "*{id}*.txt", ["1", "2"], ["1_2.txt"])


def test_files_in_doubt_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    matched(tmp_path, "{id}*.txt", ["1", "2"], ["2_m.txt", "10_m.txt"])
    assert "finds no file that certainly belongs to 1 anomalous scan, such as 1: " in caplog.text
    assert "10_m.txt may be another scan's" in caplog.text


def test_different_texts_for_one_sign_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The file of a missing scan 1_2 may pass for that of scan 1."""
    matched(tmp_path, "m_{id}.*", ["1", "2"], ["m_1.txt", "m_2.npy"])
    assert not caplog.messages
    matched(tmp_path, "{id}*.txt", ["1", "2"], ["2_m.txt", "1_2_m.txt"])
    assert "* stands for 2 different texts, such as '_2_m' in 1_2_m.txt, '_m' in 2_m.txt" in caplog.text


def test_scans_in_linked_and_hidden_folders(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in (
        "every/dent/1.ply",
        "every/dent/2.PLY",
        "test/.trash/3.ply",
        "test/__MACOSX/4.ply",
        "test/good/._5.ply",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "test/dent").symlink_to(tmp_path / "every/dent")
    (tmp_path / "test/good/6.ply").symlink_to("/nowhere/6.ply")
    assert scans_in_places(tmp_path, "./test//{species}/{id}.ply") == {
        tmp_path / "test/dent/1.ply": {"species": "dent", "id": "1"}
    }
    assert caplog.messages == [
        f"{tmp_path}/test/good/6.ply: is a link that leads nowhere; skipped",
        "pattern ./test//{species}/{id}.ply: leaves out 1 file in another case, such as "
        f"{tmp_path}/test/dent/2.PLY",
    ]
    assert list(scans_in_places(tmp_path, "test/.{species}/{id}.ply")) == [tmp_path / "test/.trash/3.ply"]


@pytest.mark.parametrize(
    "pattern",
    ["**/{id}*.txt", "**/{id}.txt", "*/{species}/{id}*.txt", "{species}*/**/{id}.txt", "**/{species}/{id}.txt"],
)
def test_folders_are_listed_once_for_all_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    listed: list[object] = []
    for name in ("scandir", "listdir"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda place, real=real: listed.append(place) or real(place))
    counts = []
    for many in (3, 30):
        names = [f"{number:02}" for number in range(many)]
        files = [f"dent/dent/{name}.txt" for name in names]
        assert matched(tmp_path, pattern, names, files) == files
        counts.append(len(listed))
        listed.clear()
    assert counts[0] == counts[1]

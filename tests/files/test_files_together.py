"""Files that belong together are replaced together or not at all."""

from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter
from pointad.files.atomic import write_together


def test_the_last_file_is_renamed_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: list[str] = []
    replace = Path.replace

    def note(path: Path, target: Path) -> Path:
        renamed.append(target.name)
        assert len(list(tmp_path.iterdir())) == 3  # by then, all of them are written
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", note)
    write_together({tmp_path / name: name.encode() for name in ("scores", "curves", "results")})
    assert renamed == ["scores", "curves", "results"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: name for name in renamed}


def test_where_one_cannot_be_written_all_stay(tmp_path: Path) -> None:
    (tmp_path / "first").write_text("old")
    (tmp_path / "second").mkdir()
    with pytest.raises(InputError, match="second"):
        write_together({tmp_path / "first": b"new", tmp_path / "second": b"new"})
    assert (tmp_path / "first").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}


def test_a_test_whose_figures_cannot_be_written_leaves_the_scores_beside_them(tmp_path: Path) -> None:
    RunWriter(tmp_path, RunRecord()).finish()
    (tmp_path / "scores.csv").write_text("those of the figures")
    (tmp_path / "results.json").unlink()
    (tmp_path / "results.json").mkdir()
    with pytest.raises(InputError, match=r"results\.json"):
        RunWriter(tmp_path, RunRecord()).finish()
    assert (tmp_path / "scores.csv").read_text() == "those of the figures"

"""No sample's maps replace those of another whose name is written alike."""

from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter

ALIKE = [("bear", "hole", "a\nb"), ("bear", "hole", "a\\nb")]
CASES = [("bear", "hole", "x"), ("bear", "Hole", "x")]


def begin(folder: Path, names: list[tuple[str, str, str]], **options: bool) -> None:
    RunWriter(folder, RunRecord(), **options).begin(names)


@pytest.mark.parametrize("option", ["save_maps", "visualize"])
def test_names_that_are_written_alike_are_refused(option: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="would be one file") as caught:
        begin(tmp_path / "out", ALIKE, **{option: True})
    assert str(caught.value).isprintable()
    assert not (tmp_path / "out").exists()
    begin(tmp_path / "out", ALIKE)  # no such files are written
    begin(tmp_path / "out", ALIKE[:1], **{option: True})


def test_letter_case_counts_where_the_file_system_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path, CASES, save_maps=True)
    monkeypatch.setattr(
        Path,
        "exists",
        lambda path: any(  # as where letter case does not count
            path.name.lower() == other.name.lower() for other in path.parent.iterdir()
        ),
    )
    with pytest.raises(InputError, match=r"'bear'/'hole'/'x' and 'bear'/'Hole'/'x' would be one file"):
        begin(tmp_path, CASES, save_maps=True)

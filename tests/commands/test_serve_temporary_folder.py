"""The folder of uploads: one that a cleaner of temporary files removed is made again, and only for this user."""

import tempfile
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.serving import ask, form_of, serving

from pointad.commands.service.kept_references import KeptReferences
from pointad.commands.service.stored_files import StoredFile, write_all
from pointad.commands.service.uploads import SentFile


def sent(folder: Path) -> StoredFile:
    return StoredFile(folder, "scan", SentFile("a.ply", b"content"))


def test_a_folder_that_was_cleaned_up_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "pointad_x"
    write_all([sent(folder)])
    assert sent(folder).path.read_bytes() == b"content" and folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("planted", ["open folder", "link"])
def test_a_folder_of_somebody_else_gets_no_upload(planted: str, tmp_path: Path) -> None:
    folder, treasure = tmp_path / "pointad_x", tmp_path / "treasure"
    treasure.mkdir(mode=0o700)
    if planted == "link":
        folder.symlink_to(treasure)
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(OSError, match="not private"):
        write_all([sent(folder)])
    assert not list(treasure.iterdir()) and not list(folder.iterdir())


def test_large_forms_are_not_on_disk_while_they_are_received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body, headers = form_of(("file", "a.xyz", bytes(2_000_000)))
    with serving() as address:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        assert ask(f"{address}/predict", body, **headers)[0] == 200


def test_a_reference_that_was_cleaned_up_is_none(tmp_path: Path) -> None:
    kept = KeptReferences(tmp_path)
    name, path = kept.new()
    path.touch()
    kept.keep(name, path, {b"digest": "good.ply"})
    assert kept.path(name) == path
    path.unlink()
    assert kept.path(name) is None and len(kept) == 0 and not kept.good_in(path)

"""Where weights are looked for."""

import argparse
import errno
import logging
import os
import pwd
from pathlib import Path

import open_clip
import pytest

from pointad.commands.named_inputs import named_files
from pointad.model.weight_locations import (
    cache_folder,
    demo_checkpoints,
    demo_folder,
    locate,
    openai_file,
    weight_folders,
)
from pointad.model.weights import openai_url

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The working folder's ``checkpoints`` and the user's cache folder, neither of which is there yet."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("POINTAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "work" / "checkpoints", tmp_path / "cache"


def write(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_order_of_the_folders(folders: tuple[Path, Path]) -> None:
    assert weight_folders() == [folders[0], REPOSITORY / "checkpoints", folders[1]]


def test_in_the_repository_its_folder_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert weight_folders() == [REPOSITORY / "checkpoints", cache_folder()]


def test_cache_folder_without_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POINTAD_CACHE", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "pointad"
    monkeypatch.setenv("POINTAD_CACHE", "~/weights")
    assert cache_folder() == Path.home() / "weights"


def test_cache_folder_of_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a number that a container runs under."""
    monkeypatch.delenv("POINTAD_CACHE", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    assert not cache_folder().exists()
    assert locate("carrot.pth") == Path("carrot.pth")


def test_a_home_that_may_not_be_read_holds_nothing(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of the user who started the container."""
    stat = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if folders[1] in path.parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    assert locate("carrot.pth") == Path("carrot.pth")


@pytest.mark.parametrize("prefix", ["", "checkpoints/"])
def test_prompts_are_found_in_the_first_folder_that_has_them(
    folders: tuple[Path, Path], prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = "mvtec_pc_3d_rgb/carrot/epoch_15.pth"
    assert locate(prefix + name) == Path(prefix + name)  # nowhere
    in_cache = write(folders[1], name)
    with caplog.at_level(logging.INFO):
        assert locate(prefix + name) == in_cache
    assert str(in_cache) in caplog.text
    write(folders[0], name)
    assert locate(prefix + name).resolve() == folders[0] / name


def test_a_path_that_is_there_is_taken(folders: tuple[Path, Path]) -> None:
    write(folders[1], "epoch_15.pth")
    write(Path(), "epoch_15.pth")
    assert locate("epoch_15.pth") == Path("epoch_15.pth")
    missing = folders[0] / "epoch_15.pth"
    assert locate(missing) == missing


def test_the_demo_comes_along() -> None:
    assert (demo_folder() / "demo_clip.safetensors").is_file()
    assert [path.parent.name for path in demo_checkpoints()] == ["gear", "leaf", "walnut"]


def test_the_name_of_the_demo_is_not_said_to_be_its_prompts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        named_files(argparse.Namespace(clip_weights="demo"))
    assert "found as" not in caplog.text


def test_openai_files_are_found_by_the_names_that_they_were_published_under(folders: tuple[Path, Path]) -> None:
    for model in [name for name, tag in open_clip.list_pretrained() if tag == "openai"]:
        name = Path(openai_url(model)).name
        assert openai_file(model) is None
        second, first = write(folders[1], name), write(folders[0], name)
        assert openai_file(model) == first
        first.unlink()
        assert openai_file(model) == second
        second.unlink()

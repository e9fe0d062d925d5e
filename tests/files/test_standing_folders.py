"""Folders that are moved or removed while a run works in them, and replaced by those of another run."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from robustness.invocation import files_below

from pointad.commands.cache_upkeep import look_after, remove_damaged
from pointad.commands.training_outputs import save_checkpoint
from pointad.encoding.feature_cache import evict
from pointad.errors import InputError
from pointad.evaluation.run_record import TrainingRecord
from pointad.evaluation.sample_outputs import UNFINISHED_NAME, confirm
from pointad.files.atomic import atomic_path, write_together
from pointad.files.locks import own_folder
from pointad.files.standing_folders import refuse_replaced, standing_folder
from pointad.model.prompt_learner import PromptLearner
from pointad.training.run_folder import discard_training

GONE = "was removed, moved or replaced while this run worked in it"


def write(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("results")


def test_the_lock_of_another_run_in_a_folder_of_the_same_name_stays(tmp_path: Path) -> None:
    first = own_folder(tmp_path / "out")
    first.__enter__()
    (tmp_path / "out").rename(tmp_path / "moved")
    with own_folder(tmp_path / "out"):
        first.__exit__(None, None, None)
        with pytest.raises(InputError, match="in use by another run"), own_folder(tmp_path / "out"):
            pass
    assert not list((tmp_path / "out").iterdir())


def test_nothing_comes_among_the_files_of_another_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with own_folder(out):
        write(out / "epoch_1.pth")
        out.rename(tmp_path / "moved")
        with pytest.raises(InputError, match=f"out: {GONE}"):
            write(out / "epoch_2.pth")
        assert not out.exists()
        out.mkdir()
        with pytest.raises(InputError, match=f"out: {GONE}"):
            write_together({out / "results.json": b"{}", out / "scores.csv": b""})
        assert not list(out.iterdir())
        write(tmp_path / "elsewhere")
    write(out / "results.json")
    assert {path.name for path in (tmp_path / "moved").iterdir()} == {".lock", "epoch_1.pth"}


@contextlib.contextmanager
def replaced(folder: Path, content: dict[str, bytes]) -> Iterator[None]:
    """A run works in a folder, in whose place another one has come, of which everything must stay."""
    with own_folder(folder):
        folder.rename(folder.with_name(f"{folder.name}_moved"))
        for name, held in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(held)
        with pytest.raises(InputError, match=GONE):
            yield
        assert {name: (folder / name).read_bytes() for name in content} == content
        assert files_below(folder) == set(content)


def test_nothing_is_removed_from_among_the_files_of_another_run(tmp_path: Path) -> None:
    """What says where a checkpoint comes from goes first when it is replaced: that of the other run was lost."""
    learner = cast(PromptLearner, None)  # nothing comes to be saved
    with replaced(tmp_path / "training", {"epoch_3.json": b"{}", "epoch_3.pth": b"prompts"}):
        save_checkpoint(learner, tmp_path / "training", 3, TrainingRecord())
    with replaced(tmp_path / "restarted", {"epoch_1.json": b"{}", "epoch_1.pth": b"prompts", "losses.csv": b""}):
        discard_training(tmp_path / "restarted")
    with replaced(tmp_path / "test", {UNFINISHED_NAME: b"class,species,id\n", "log.txt": b""}):
        confirm(tmp_path / "test")


def test_no_features_are_removed_from_another_cache(tmp_path: Path) -> None:
    """They have the same names there, as names follow from the pictures."""
    entry = f"ab/{'ab' * 32}.safetensors"
    with replaced(tmp_path / "full", {entry: b"of the other cache"}):
        evict(tmp_path / "full", 0)
    with replaced(tmp_path / "checked", {entry: b"of the other cache"}):
        remove_damaged(tmp_path / "checked")


@pytest.mark.parametrize("comes_another", [False, True])
def test_a_cache_that_goes_while_it_is_checked(
    comes_another: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing in it had to be removed: what is counted afterwards is another one, or none."""
    cache = tmp_path / "cache"
    cache.mkdir()

    def check(folder: Path) -> int:
        folder.rename(tmp_path / "moved")
        if comes_another:
            folder.mkdir()
        return 0

    monkeypatch.setattr("pointad.commands.cache_upkeep.remove_damaged", check)
    with pytest.raises(InputError, match=f"cache: {GONE}"):
        look_after(cache, check=True, keep_bytes=None)


def test_a_folder_that_is_replaced_between_writing_and_renaming(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with own_folder(out):
        (out / "run.json").write_text("old")
        with pytest.raises(InputError, match=GONE), atomic_path(out / "run.json") as temporary:
            temporary.write_text("of the first run")
            shutil.copytree(out, tmp_path / "another")
            out.rename(tmp_path / "moved")
            (tmp_path / "another").rename(out)
    assert (out / "run.json").read_text() == "old"


def test_names_of_folders_are_compared_as_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    with standing_folder(Path("out")):
        shutil.rmtree("out")
        refuse_replaced(Path("outer/file"))
        with pytest.raises(InputError, match=GONE):
            refuse_replaced(tmp_path / "out" / "file")
    refuse_replaced(Path("out/file"))

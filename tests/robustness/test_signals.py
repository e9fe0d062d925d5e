"""Programs that are interrupted or terminated say so in one line, whatever they were doing."""

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from robustness.invocation import invoke, render
from safetensors import SafetensorError
from safetensors.torch import save_file

from pointad.commands.program import run
from pointad.compute.interrupts import held_interrupts, interrupt_behind, obey_the_parent
from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.layout import VIEWS
from pointad.data.loader import iterate_batches
from pointad.data.metadata import read_metadata
from pointad.data.rendered_scan import load_rendered
from pointad.encoding.feature_cache import FeatureCache, PictureFeatures
from pointad.errors import InputError
from pointad.files.safetensors_files import read_safetensors
from pointad.files.torch_files import read_torch_file


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)  # it comes long before


def fail_in_turn() -> None:
    try:
        send(signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("initialization failed") from None


class Closing:
    """Is interrupted while it is destroyed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        send(self.number)


def lose(number: int) -> None:
    Closing(number)
    time.sleep(5)  # it comes again long before


ENDINGS: dict[str, tuple[Callable[[], None], int, str]] = {
    "interrupted": (lambda: send(signal.SIGINT), 130, "interrupted"),
    "terminated": (lambda: send(signal.SIGTERM), 143, "terminated"),
    "library": (fail_in_turn, 130, "interrupted"),
    "destructor": (lambda: lose(signal.SIGINT), 130, "interrupted"),
    "destructor terminated": (lambda: lose(signal.SIGTERM), 143, "terminated"),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_one_line(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    action, status, word = ENDINGS[how]
    with pytest.raises(SystemExit) as leaving:
        run(lambda flags: action(), argparse.ArgumentParser(), [])
    assert leaving.value.code == status
    assert capsys.readouterr().err == f"{word}; run the same command again to continue\n"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_interrupt_at_the_very_end_is_late(capsys: pytest.CaptureFixture[str]) -> None:
    hook = sys.unraisablehook
    with pytest.raises(SystemExit) as leaving:
        run(lambda flags: Closing(signal.SIGINT) and None, argparse.ArgumentParser(), [])
    time.sleep(0.2)
    assert leaving.value.code == 0 and capsys.readouterr().err == "" and sys.unraisablehook is hook


@pytest.mark.parametrize("how", ["interrupted", "terminated", "destructor", "destructor terminated"])
def test_one_line_before_a_program_has_begun(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python loses an interrupt in destructors, and where an import gives back the lock of a module."""
    action, status, word = ENDINGS[how]
    monkeypatch.setattr("pointad.commands.train.build_parser", action)
    ending = invoke("train.py")
    assert (ending.code, ending.err) == (status, f"{word}; run the same command again to continue\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_held_interrupts_come_afterwards(number: int) -> None:
    def note(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, note)
    reached = False
    try:
        with pytest.raises(KeyboardInterrupt), held_interrupts():
            os.kill(os.getpid(), number)
            time.sleep(0.05)
            reached = True
        assert reached and signal.getsignal(number) is note
    finally:
        signal.signal(number, before)


def test_interrupts_held_in_a_destructor_come_later() -> None:
    class Closing:
        def __del__(self) -> None:
            with held_interrupts(afterwards=0.01):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)

    closing = Closing()
    with pytest.raises(KeyboardInterrupt):
        del closing
        time.sleep(5)


def test_interrupts_behind_errors() -> None:
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise InputError("loading", "a process died", "run again") from interrupt
    except InputError as error:
        assert isinstance(interrupt_behind(error), KeyboardInterrupt)
    assert interrupt_behind(InputError("loading", "a process died", "run again")) is None


def _print_errors_as_a_worker() -> None:
    obey_the_parent()
    for error in (ConnectionResetError("the parent is gone"), EOFError(), ValueError("a fault of the worker")):
        sys.excepthook(type(error), error, None)  # as multiprocessing's thread does


def test_workers_say_nothing_of_a_parent_that_is_gone(capfd: pytest.CaptureFixture[str]) -> None:
    worker = multiprocessing.get_context("fork").Process(target=_print_errors_as_a_worker)
    worker.start()
    worker.join()
    assert capfd.readouterr().err.splitlines() == ["ValueError: a fault of the worker"]


def test_a_terminal_interrupts_the_first_process_alone(two_samples: Path) -> None:
    """Ctrl-C reaches loading processes too, which must neither end before the first one nor say anything."""
    options = SampleOptions(view_indices=(0,), with_color=False, with_views_gt=False)
    dataset = MultiViewDataset(read_metadata(two_samples) * 3, load_rendered, options)
    batches = iterate_batches(dataset, num_workers=1)
    count = 0
    for _ in batches:
        count += 1
        for worker in multiprocessing.active_children():
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGINT)
    assert count == len(dataset)


def test_locks_of_finished_samples_do_not_stay(raw_archives: dict[str, Path], tmp_path: Path) -> None:
    source, output = raw_archives["mvtec_pc_3d_rgb"], tmp_path / "out"
    assert render("mvtec_pc_3d_rgb", source, output).code == 0
    lock = output / "gear" / "test" / "good" / VIEWS / ".000.lock"
    lock.touch()  # of a run that was killed
    assert "2 already finished" in render("mvtec_pc_3d_rgb", source, output).out
    assert not lock.exists()


@pytest.mark.usefixtures("ready_backbone")
def test_a_feature_cache_is_tidied_when_it_is_used(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    cache = FeatureCache(tmp_path / "cache", fingerprint="x", layers=[1], precision="fp32")
    cache.write("ab" * 32, PictureFeatures(torch.eye(3)[0], torch.eye(3, dtype=torch.float16)[None, :2]))
    left = tmp_path / "cache" / "ab" / f".{'ab' * 32}.0123456789ab.partial.safetensors"
    left.write_bytes(b"half")
    flags = ("--data_path", two_samples, *test_flags, "--feature_cache", tmp_path / "cache")
    assert invoke("test.py", *flags, "--save_path", tmp_path / "out").code == 0
    assert not left.exists()
    left.write_bytes(b"half")
    assert "removed 0 damaged" in invoke("scripts/feature_cache.py", tmp_path / "cache", "--check").out
    assert not left.exists()


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
@pytest.mark.usefixtures("ready_backbone")
def test_entries_of_a_feature_cache_that_are_no_files(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = FeatureCache(tmp_path / "cache", fingerprint="x", layers=[1], precision="fp32")
    features = PictureFeatures(torch.eye(3)[0], torch.eye(3, dtype=torch.float16)[None, :2])
    path = tmp_path / "cache" / "ab" / f"{'ab' * 32}.safetensors"

    def put() -> None:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            path.mkdir(exist_ok=True)
        else:
            os.mkfifo(path) if kind == "pipe" else path.symlink_to(path.name)

    put()
    assert cache.read("ab" * 32, (1, 2, 3)) is None and "its picture is encoded again" in caplog.text
    cache.write("ab" * 32, features)
    assert (cache.read("ab" * 32, (1, 2, 3)) is None) == (kind == "folder")
    if kind != "folder":
        put()
    ending = invoke("scripts/feature_cache.py", tmp_path / "cache", "--check")
    assert ending.code == 0 and f"removed {int(kind != 'folder')} damaged" in ending.out
    assert path.is_dir() == (kind == "folder") and not path.is_file()


class InterruptedFile:
    """As the library behaves: it takes an interrupt for an error of the file."""

    def __enter__(self) -> "InterruptedFile":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def keys(self) -> list[str]:
        return []

    def metadata(self) -> dict[str, str]:
        return {}

    def get_tensor(self, name: str) -> torch.Tensor:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        except KeyboardInterrupt:
            raise SafetensorError("could not read") from None
        return torch.zeros(1)


def test_features_that_are_read_during_an_interrupt_are_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ab" / f"{'ab' * 32}.safetensors"
    path.parent.mkdir()
    save_file({"global": torch.zeros(1)}, path)
    whole = path.read_bytes()
    for module in ("files.safetensors_files", "encoding.feature_cache"):
        monkeypatch.setattr(f"pointad.{module}.safe_open", lambda *_, **__: InterruptedFile(), raising=False)
    ending = invoke("scripts/feature_cache.py", tmp_path, "--check")
    assert (ending.code, ending.err) == (130, "interrupted; run the same command again to continue\n")
    assert path.read_bytes() == whole


@pytest.mark.parametrize("read", [read_safetensors, read_torch_file])
def test_weights_that_may_not_be_read(
    read: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The superuser may read everything, so the refusal is played."""
    path = tmp_path / "clip.safetensors"
    path.write_bytes(b"x" * 100)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\); check its permissions"):
        read(path, kind="weights", remedy="give others")


LEAVING = """
import argparse, atexit, logging
from pointad.commands.program import run

def main(flags):
    atexit.register(lambda: logging.getLogger("torch._subclasses").info("cache stats"))
    raise KeyboardInterrupt

run(main, argparse.ArgumentParser(), [])
"""


def test_pytorch_tells_nothing_when_its_import_was_interrupted() -> None:
    """It silences its own log at the end of the import."""
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, check=False)
    assert done.returncode == 130 and done.stderr == "interrupted; run the same command again to continue\n"

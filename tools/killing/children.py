"""Programs of this repository as child processes: fresh ones, or forks of a parent that has imported everything.

A fork runs the script's own code from its first line to its exit status, without the seconds that imports take, so that
thousands of runs can be killed. It leads a session of its own, as a program at a terminal does.
"""

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")
PAUSE_SECONDS = 0.01
"""How long a child stands still before the change of a file at which it is to be killed."""


@dataclass
class Child:
    """A running program."""

    pid: int  # also the number of its session and process group
    words: Path  # its standard error
    notice: int | None = None  # a pipe that becomes readable when the awaited change of a file is about to happen
    status: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self, seconds: float) -> int:
        """The exit status; a child that takes longer than so many seconds is killed.

        Raises:
            TimeoutError: it was.
        """
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL, group=True)
                os.waitpid(self.pid, 0)
                raise TimeoutError(f"process {self.pid} did not end in {seconds:.0f} s")
            time.sleep(0.002)
        if self.notice is not None:
            os.close(self.notice)
            self.notice = None
        assert self.status is not None
        return self.status

    def send(self, number: int, *, group: bool) -> None:
        """A signal to the program alone, or to its worker processes too, as Ctrl-C sends it."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it leads no group yet
                os.killpg(self.pid, number) if group else os.kill(self.pid, number)

    def left_behind(self, seconds: float) -> bool:
        """Whether worker processes of it are still there after so many seconds; then they are killed."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                os.killpg(self.pid, 0)
            except ProcessLookupError:
                return False
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
                return True
            time.sleep(0.05)


def start_fresh(command: Sequence[str], words: Path) -> Child:
    """Start a script in a new interpreter; its standard error goes into a file."""
    with words.open("wb") as error, Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(
            [sys.executable, *command], stdout=nowhere, stderr=error, cwd=ROOT, start_new_session=True
        )
    process.returncode = 0  # this module waits for it, not the destructor
    return Child(process.pid, words)


def start_forked(command: Sequence[str], words: Path, watched: Path, change: int | None = None) -> Child:
    """Run a script in a fork of this process, which must have one thread only.

    Args:
        command: the script and its flags.
        words: gets its standard error.
        watched: the folder whose changes count.
        change: how many changes of files below it happen before the child stands still for a moment and gives notice;
            None never does.
    """
    assert threading.active_count() == 1
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, words, reading)
    status = 70
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the program has begun
        os.setsid()
        os.close(reading)
        _send_outputs_to(words)
        counter = _ChangeCounter(watched, change, lambda: os.write(writing, b"x"))
        sys.addaudithook(counter)
        status = _run_script(command)
        (words.with_suffix(".changes")).write_text(str(counter.seen))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _send_outputs_to(words: Path) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    error = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for source, target in ((nowhere, 0), (nowhere, 1), (error, 2)):
        os.dup2(source, target)


def _run_script(command: Sequence[str]) -> int:
    """The exit status of a script, whatever way it ends; threads are waited for, as an interpreter does."""
    os.chdir(ROOT)
    sys.argv = [str(ROOT / command[0]), *command[1:]]
    status = 0
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the script is over; what follows stands for the interpreter's end
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


class _ChangeCounter:
    """An audit hook that counts the changes of files in a folder, and stands still at one of them."""

    def __init__(self, folder: Path, change: int | None, notify: Callable[[], object]) -> None:
        self.seen = 0
        self._folder = f"{folder}/"
        self._change = change
        self._notify = notify
        self._process = os.getpid()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            _, mode, flags = arguments
            if not (isinstance(flags, int) and flags & _WRITING_FLAGS) and not (isinstance(mode, str) and "w" in mode):
                return
        elif event not in _CHANGES:
            return
        if not f"{arguments[0]}/".startswith(self._folder) or os.getpid() != self._process:
            return
        self.seen += 1
        if self.seen == self._change:
            self._notify()
            time.sleep(PAUSE_SECONDS)

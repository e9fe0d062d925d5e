"""Places that programs do not expect to run in: each changes how a command is started, and says what may come of it."""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.killing.children import ROOT

NOBODY = "65534"
SMALL_DISK = 40  # kilobytes, less than any program writes
ODD_NAME = "Prüf stand 检 'q'"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr")


@dataclass
class Start:
    """How a program is started."""

    command: list[str]  # the script first
    output: Path  # the folder that it writes into
    python: list[str]
    root: Path = ROOT
    folder: Path = ROOT  # the working folder
    environment: dict[str, str] = field(default_factory=dict)
    limit: Callable[[], None] | None = None  # called in the new process
    close_output: bool = False


@dataclass(frozen=True)
class Place:
    """A kind of environment."""

    change: Callable[[Start, Path], contextlib.AbstractContextManager[None]]  # given a folder of its own
    may_refuse: bool = False  # one clear line and exit status 2 instead of the plain run's results


@contextlib.contextmanager
def full_disk(start: Start, folder: Path) -> Iterator[None]:
    """The output lies on a file system with a few kilobytes left."""
    content, size = folder / "content", sum(path.stat().st_size + 8192 for path in start.output.rglob("*"))
    shutil.copytree(start.output, content)
    with mounted(start.output, f"{size // 1024 + SMALL_DISK}k"):
        shutil.copytree(content, start.output, dirs_exist_ok=True)
        yield
        shutil.rmtree(content)
        shutil.copytree(start.output, content)
    shutil.rmtree(start.output)
    shutil.copytree(content, start.output)  # on a disk with room, as it was left


@contextlib.contextmanager
def mounted(where: Path, size: str) -> Iterator[None]:
    """A file system in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True)


@contextlib.contextmanager
def small_files(start: Start, folder: Path) -> Iterator[None]:
    """No file may have more than 4,096 bytes."""
    start.limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    yield


@contextlib.contextmanager
def read_only(start: Start, folder: Path) -> Iterator[None]:
    """The output folder lies on a file system that is mounted for reading, which binds the superuser too."""
    where = str(start.output)
    subprocess.run(["mount", "--bind", where, where], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", where], check=True)
        yield
    finally:
        subprocess.run(["umount", where], check=True)


@contextlib.contextmanager
def no_shared_memory(start: Start, folder: Path) -> Iterator[None]:
    """There is no /dev/shm: the program sees a folder of devices without it."""
    devices = folder / "dev"
    devices.mkdir()
    subprocess.run(["cp", "-a", *(f"/dev/{name}" for name in DEVICES), str(devices)], check=True)
    script = f"mount --bind '{devices}' /dev && exec \"$@\""
    start.python = ["unshare", "--mount", "sh", "-c", script, "sh", *start.python]
    yield


@contextlib.contextmanager
def few_descriptors(start: Start, folder: Path) -> Iterator[None]:
    """At most 64 open files."""
    start.limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    yield


@contextlib.contextmanager
def full_temporary_folder(start: Start, folder: Path) -> Iterator[None]:
    """TMPDIR names a file system without space."""
    full = folder / "tmp"
    full.mkdir()
    with mounted(full, f"{SMALL_DISK}k"):
        with contextlib.suppress(OSError):
            (full / "filling").write_bytes(bytes(10**6))
        start.environment["TMPDIR"] = str(full)
        yield


@contextlib.contextmanager
def another_folder(start: Start, folder: Path) -> Iterator[None]:
    """The working folder is not the repository's."""
    start.folder = folder
    yield


@contextlib.contextmanager
def another_user(start: Start, folder: Path) -> Iterator[None]:
    """A user who owns nothing but the output folder, and has no home."""
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(start.output)], check=True)
    start.python = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *start.python]
    asked = [*start.python, "-c", "import sys; print(sys.base_prefix, sys.version)"]  # its library may be another's
    if subprocess.run(asked, capture_output=True, text=True).stdout.strip() != f"{sys.base_prefix} {sys.version}":
        raise RuntimeError(f"another user cannot read this Python, {sys.base_prefix}: use one of the system's")
    start.environment |= {"HOME": "/nonexistent", "USER": "nobody"}
    start.folder = Path("/")
    yield


@contextlib.contextmanager
def plain_locale(start: Start, folder: Path) -> Iterator[None]:
    """Locale C without Python's UTF-8 mode, and names of files that it has no letters for."""
    odd = folder / "Prüf daten 检测"
    odd.symlink_to(start.output)
    start.command = [each.replace(str(start.output), str(odd)) for each in start.command]
    start.environment |= {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    yield


@contextlib.contextmanager
def odd_repository(start: Start, folder: Path) -> Iterator[None]:
    """The repository's path has spaces, quotes and letters beyond ASCII."""
    start.root = start.folder = folder / ODD_NAME
    copy_repository(start.root)
    yield


def copy_repository(target: Path) -> None:
    """The files that git knows or would know, and the environment of the original."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split(b"\0")):
        source = ROOT / os.fsdecode(name)
        if source.is_file():
            (target / os.fsdecode(name)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / os.fsdecode(name))
    if (ROOT / ".venv").exists():
        (target / ".venv").symlink_to((ROOT / ".venv").resolve())


@contextlib.contextmanager
def no_home(start: Start, folder: Path) -> Iterator[None]:
    """HOME is not set, and the user is not in the list of users."""
    start.python = ["env", "-u", "HOME", *start.python]
    yield


@contextlib.contextmanager
def closed_output(start: Start, folder: Path) -> Iterator[None]:
    """Standard output is closed from the beginning."""
    start.close_output = True
    yield


@contextlib.contextmanager
def long_temporary_folder(start: Start, folder: Path) -> Iterator[None]:
    """TMPDIR has a longer name than sockets may have."""
    long = folder / "temporary".ljust(120, "_")
    long.mkdir()
    start.environment["TMPDIR"] = str(long)
    yield


@contextlib.contextmanager
def lost_folder(start: Start, folder: Path) -> Iterator[None]:
    """The working folder has been removed."""
    lost = folder / "lost"
    start.python = ["sh", "-c", f"mkdir '{lost}' && cd '{lost}' && rmdir '{lost}' && exec \"$@\"", "sh", *start.python]
    yield


@contextlib.contextmanager
def deaf_to_children(start: Start, folder: Path) -> Iterator[None]:
    """SIGCHLD is ignored, as some launchers leave it: the kernel forgets the exit status of ended children."""
    start.python = ["env", "--ignore-signal=CHLD", *start.python]
    yield


@contextlib.contextmanager
def all_closed(start: Start, folder: Path) -> Iterator[None]:
    """Standard input and output are closed, so that files get their numbers."""
    start.python = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *start.python]
    yield


@contextlib.contextmanager
def without_docstrings(start: Start, folder: Path) -> Iterator[None]:
    """Python runs as with -OO: no assertions and no docstrings."""
    start.environment["PYTHONOPTIMIZE"] = "2"
    yield


@contextlib.contextmanager
def empty_path(start: Start, folder: Path) -> Iterator[None]:
    """PATH names no folder with programs, such as git."""
    start.environment["PATH"] = str(folder)
    yield


@contextlib.contextmanager
def little_memory(start: Start, folder: Path) -> Iterator[None]:
    """At most two gigabytes of addresses."""
    start.limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9))
    yield


PLACES = {
    "full disk": Place(full_disk, may_refuse=True),
    "files of 4 kB at most": Place(small_files, may_refuse=True),
    "read-only folder": Place(read_only, may_refuse=True),
    "no /dev/shm": Place(no_shared_memory),
    "64 open files": Place(few_descriptors, may_refuse=True),
    "TMPDIR full": Place(full_temporary_folder),
    "another working folder": Place(another_folder),
    "another user without a home": Place(another_user),
    "locale C, other letters": Place(plain_locale),
    "odd path of the repository": Place(odd_repository),
    "no HOME": Place(no_home),
    "standard output closed": Place(closed_output),
    "TMPDIR longer than a socket's name": Place(long_temporary_folder),
    "working folder removed": Place(lost_folder, may_refuse=True),
    "SIGCHLD ignored": Place(deaf_to_children),
    "standard input and output closed": Place(all_closed),
    "python -OO": Place(without_docstrings),
    "no programs in PATH": Place(empty_path),
    "2 GB of addresses": Place(little_memory, may_refuse=True),
}

"""Kernels, file systems, containers and interpreters unlike the usual ones."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.environments.missing_calls import OF_NEWER_KERNELS, without_calls
from tools.environments.places import Place, Start

_SHARE = Path(__file__).with_name("share.py")
_MOUNT_SECONDS = 20.0


@contextlib.contextmanager
def no_proc(start: Start, folder: Path) -> Iterator[None]:
    """Nothing is mounted on /proc, as in a bare chroot."""
    script = 'mount -t tmpfs tmpfs /proc && exec "$@"'
    start.python = ["unshare", "--mount", "sh", "-c", script, "sh", *start.python]
    yield


@contextlib.contextmanager
def first_process(start: Start, folder: Path) -> Iterator[None]:
    """Process 1 of a container, whose signals have no defaults and to which all orphans belong."""
    namespaces = ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
    start.python = ["unshare", *namespaces, *start.python]
    yield


@contextlib.contextmanager
def old_kernel(start: Start, folder: Path) -> Iterator[None]:
    """The kernel lacks the system calls of the last fifteen years."""
    start.limit = without_calls(list(OF_NEWER_KERNELS.values()))
    yield


@contextlib.contextmanager
def network_share(start: Start, folder: Path) -> Iterator[None]:
    """The output lies on what behaves like an SMB share."""
    store = folder / "store"
    shutil.move(start.output, store)
    start.output.mkdir()
    process = subprocess.Popen([sys.executable, str(_SHARE), str(store), str(start.output)])
    deadline = time.monotonic() + _MOUNT_SECONDS
    while not os.path.ismount(start.output):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError("the share could not be mounted: see the head of tools/environments/share.py")
        time.sleep(0.05)
    try:
        yield
    finally:
        subprocess.run(["umount", str(start.output)], check=True)
        process.wait()
    start.output.rmdir()
    shutil.move(store, start.output)


@contextlib.contextmanager
def read_only_repository(start: Start, folder: Path) -> Iterator[None]:
    """No file can be written beside the library's own, not even compiled ones."""
    where = str(start.root)
    script = f"mount --bind '{where}' '{where}' && mount -o remount,bind,ro '{where}' && cd '{where}' && exec \"$@\""
    start.python = ["unshare", "--mount", "sh", "-c", script, "sh", *start.python]
    start.environment["PYTHONDONTWRITEBYTECODE"] = ""
    yield


@contextlib.contextmanager
def strict_python(start: Start, folder: Path) -> Iterator[None]:
    """Python's development mode, in which warnings are errors."""
    start.environment |= {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}
    yield


@contextlib.contextmanager
def used_memory(start: Start, folder: Path) -> Iterator[None]:
    """Memory is never blank when it is given out."""
    start.environment |= {"MALLOC_PERTURB_": "165", "PYTHONMALLOC": "malloc"}
    yield


@contextlib.contextmanager
def no_permissions(start: Start, folder: Path) -> Iterator[None]:
    """The mask of new files takes all permissions away."""

    def limit() -> None:
        os.umask(0o777)

    start.limit = limit
    yield


@contextlib.contextmanager
def odd_variables(start: Start, folder: Path) -> Iterator[None]:
    """Variables of terminals, numbers of threads and places that hold nonsense."""
    nowhere = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "TORCH_HOME", "MPLCONFIGDIR")
    start.environment |= dict.fromkeys(nowhere, "/dev/null/x")
    start.environment |= {"COLUMNS": "1", "LINES": "0", "TERM": "", "FORCE_COLOR": "1", "TZ": ":/nonexistent"}
    start.environment |= {"MKL_NUM_THREADS": "many", "OMP_PROC_BIND": "x", "OMP_STACKSIZE": "1B", "KMP_AFFINITY": "x"}
    start.environment |= {"LC_ALL": "xx_YY.utf8", "PYTHONIOENCODING": "utf-16", "CUDA_VISIBLE_DEVICES": "many"}
    yield


SYSTEMS = {
    "no /proc": Place(no_proc, may_refuse=True),
    "process 1 of a container": Place(first_process),
    "an old kernel": Place(old_kernel),
    "an SMB share": Place(network_share),
    "read-only repository": Place(read_only_repository),
    "warnings are errors": Place(strict_python),
    "memory is never blank": Place(used_memory),
    "umask 777": Place(no_permissions),
    "variables with nonsense": Place(odd_variables),
}

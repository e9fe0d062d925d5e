"""Records which code ran, where and when."""

import datetime
import functools
import hashlib
import importlib.metadata
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from pointad.evaluation.run_record import Provenance
from pointad.files.digests import file_digest

LIBRARY = Path(__file__).resolve().parents[1]
PACKAGES = ("pointad", "torch", "torchvision", "open_clip_torch", "numpy", "scipy", "open3d", "Pillow")
# Packages of the library that do not affect the figures.
SILENT_ROOMS = frozenset({"demo", "inspection", "report", "visualization"})


def provenance(device: str, command: str | None = None) -> Provenance:
    """The provenance of this process.

    Args:
        device: where the tensors live, as a name.
        command: the command line, so that it can be run again.
    """
    revision, clean = git_state(LIBRARY)
    return Provenance(
        command=command,
        date=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        device=device,
        platform=platform.platform(),
        python=platform.python_version(),
        packages=package_versions(),
        revision=revision,
        clean=clean,
        code=code_fingerprint(),
    )


def package_versions() -> dict[str, str]:
    """Versions of the installed packages that affect the figures."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


@functools.cache
def code_fingerprint(library: Path = LIBRARY) -> str:
    """A fingerprint of the modules that affect the figures, from flags on; those that draw and gather do not count."""
    digest = hashlib.sha256()
    for path in sorted(library.rglob("*.py")):
        place = path.relative_to(library)
        if place.parts[0] not in SILENT_ROOMS:
            digest.update(place.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """The git revision of a package and whether its files are unmodified; None if the folder above has no repository.

    Repositories further up are not asked: they may be anyone's, and git runs what their configuration names.
    """
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None, None  # installed, or not in the repository
    revision, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain", "--", ".")
    return revision, None if changes is None else not changes


def fingerprint(lines: Iterable[str]) -> str:
    """A fingerprint of a list of texts, order included."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def file_fingerprint(path: Path) -> str:
    """A fingerprint of a file's content.

    Raises:
        InputError: this is no regular file, or cannot be read.
    """
    return file_digest(path).hex()[:16]


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of git on the repository in the folder above; None if there is none, or git is missing or fails."""
    root = folder.resolve().parent
    command = ["git", "--no-optional-locks", f"--git-dir={root / '.git'}", f"--work-tree={root}", "-C", str(folder)]
    try:
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

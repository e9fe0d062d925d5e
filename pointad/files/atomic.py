"""Atomic writing: files are written under a temporary name beside the target, then renamed."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from pointad.errors import InputError


def make_folder(path: str | Path) -> None:
    """Create a folder for outputs, with its parents, if it is missing.

    Raises:
        InputError: it cannot be created.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: not a valid path
        problem = f"cannot be created ({getattr(error, 'strerror', None) or error})"
        raise InputError(path, problem, "choose a writable folder with free space") from error


_LONGEST = 220  # bytes of a name that leave room for the marks of an unfinished file


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; it replaces the target if the block ends without an error.

    The folder is created if it is missing. The temporary name keeps the target's suffix, because writers choose
    their format by it, and is unique, so that two processes may write the same target: the last rename wins.
    If the block raises, the temporary file is removed and the target stays as it was.

    Args:
        path: the file to write.

    Raises:
        InputError: the folder cannot be created or written to, or the disk is full.
    """
    target = Path(path)
    # A long name has no room for the marks of an unfinished file.
    stem = target.stem if len(target.name.encode(errors="surrogatepass")) <= _LONGEST else target.stem[:20]
    temporary = target.with_name(f".{stem}.{secrets.token_hex(6)}.partial{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise InputError(
            target, f"cannot be written ({error.strerror or error})", "choose a writable folder with free space"
        ) from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)

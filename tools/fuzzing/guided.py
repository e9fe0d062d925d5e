"""Coverage-guided fuzzing of one format with atheris (https://github.com/google/atheris), in a process of its own."""

import hashlib
import os
import re
import shutil
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from tools.fuzzing.formats import Format
from tools.fuzzing.verdict import problem_of

MEMORY_GROWTH = 2**31  # bytes of address space beyond what the imports take
LARGEST = 16_384  # bytes of fuzzed content
SLOWEST = 60  # seconds; a file that takes longer is a finding
_STRUCTURED = 4  # of 5 changes keep the structure of the file
_LOG, _FOUND = "log.txt", "found"


class FindingError(Exception):
    """A reader ended as it must not."""


@dataclass(frozen=True)
class Outcome:
    """What fuzzing one format came to."""

    executions: int
    coverage: tuple[int, int]  # edges that the corpus reached, and that were reached in the end
    problem: str | None  # the finding, with which the run ended
    kept: Path | None  # the content that led to it


def fuzz(name: str, form: Format, corpus: Path, save_path: Path, seconds: int, seed: int) -> Outcome:
    """Fuzz one format until the time is over or something is found.

    Atheris ends its process, so that is a fork of this one, which must have imported and instrumented the library.

    Args:
        name: of the format.
        form: how its files are made and read.
        corpus: folder of content to begin with; nothing is written there.
        save_path: folder for findings and, in `corpus/<name>`, for content that reached new code.
        seconds: how long.
        seed: of the changes.
    """
    grown = save_path / "corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        folder = Path(scratch)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            try:
                _run(form, folder, [grown, corpus], seconds, seed)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)  # what is cleaned up in this process belongs to the other one
        os.waitpid(child, 0)
        log = (folder / _LOG).read_text(errors="replace")
        kept = None
        found = next(folder.glob(f"{_FOUND}*"), None)
        if found is not None:
            kept = save_path / f"{name}_{found.name.removeprefix(_FOUND)}"
            shutil.copy(found, kept)
    return Outcome(*_figures(log), _problem(log, kept), kept)


def file_of(form: Format, content: bytes, folder: Path) -> Path:
    """The file of fuzzed content, alone in a folder; what that held is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / form.file_name
    path.write_bytes(form.build(content))
    return path


def _run(form: Format, folder: Path, corpora: list[Path], seconds: int, seed: int) -> None:
    """Does not return."""
    import atheris

    log = os.open(folder / _LOG, os.O_CREAT | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def one(content: bytes) -> None:
        path = file_of(form, content, folder / "file")
        problem = problem_of(lambda: form.read(path), form.permitted, MEMORY_GROWTH)
        if problem is not None:
            (folder / f"{_FOUND}{hashlib.sha256(content).hexdigest()[:16]}").write_bytes(content)
            raise FindingError(problem)

    def mutate(content: bytes, largest: int, number: int) -> bytes:
        changed = form.mutate(content, number) if number % 5 < _STRUCTURED else None
        return atheris.Mutate(content, largest) if changed is None else changed[:largest]

    flags = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LARGEST}", f"-timeout={SLOWEST}"]
    flags += [f"-report_slow_units={SLOWEST}"]  # by default after 10 s, as a busy machine may need for any file
    flags += [f"-artifact_prefix={folder / _FOUND}", "-rss_limit_mb=0", "-print_final_stats=1", "-len_control=0"]
    atheris.Setup(["fuzz", *flags, *map(str, corpora)], one, custom_mutator=mutate)
    atheris.Fuzz()


def _figures(log: str) -> tuple[int, tuple[int, int]]:
    covered = [int(number) for number in re.findall(r"\bcov: (\d+)", log)]
    started = re.search(r"\bINITED\s+cov: (\d+)", log)
    counts = [
        int(number)
        for number in re.findall(r"^#(\d+)\s|number_of_executed_units: (\d+)", log, re.M)
        for number in number
        if number
    ]
    return max(counts, default=0), (int(started[1]) if started else 0, max(covered, default=0))


def _problem(log: str, kept: Path | None) -> str | None:
    told = re.findall(r"^(?:.*\.)?FindingError: (.*)$", log, re.M)
    if told:
        return told[-1]
    if kept is not None:
        return "ended without an error" if "timeout" not in log else f"took longer than {SLOWEST} s"
    return None if "stat::number_of_executed_units" in log else f"did not run: {log[-300:]}"

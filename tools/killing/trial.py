"""One trial: programs are started in one folder and killed; then one is run to the end, and everything is compared."""

import os
import random
import re
import select
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools.killing.children import PAUSE_SECONDS, Child, start_forked, start_fresh
from tools.killing.jobs import Job

LIMIT_SECONDS = 120.0
GONE_SECONDS = 12.0  # worker processes look for their parent every 5 seconds
LAST_WORDS = {
    signal.SIGINT: (130, "interrupted; run the same command again to continue"),
    signal.SIGTERM: (143, "terminated; run the same command again to continue"),
}


@dataclass(frozen=True)
class Undisturbed:
    """What runs of a job leave when nobody disturbs them."""

    seconds: float
    changes: int  # of files, by one process
    results: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """When and how a trial's programs are killed."""

    number: signal.Signals
    processes: int
    seconds: float  # after the start, if no change of a file is awaited
    change: int | None  # kill when this change is about to happen, ...
    late: float  # ... so many seconds later
    group: bool  # worker processes get the signal too
    everyone: bool  # all programs are killed, not the first alone
    fresh: bool  # in new interpreters


@dataclass
class Finding:
    """What went wrong in a trial."""

    problems: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)  # ended; their worker processes must end soon


def plan(dice: random.Random, number: signal.Signals, processes: int, known: Undisturbed, *, fresh: bool) -> Plan:
    """A random moment: half of them over the whole life of a run, half at changes of files."""
    at_change = not fresh and known.changes > 0 and dice.random() < 0.5
    return Plan(
        number=number,
        processes=processes,
        seconds=dice.uniform(0, known.seconds),
        change=dice.randint(1, known.changes) if at_change else None,
        late=dice.choice([0.0, dice.uniform(PAUSE_SECONDS, PAUSE_SECONDS + 0.005)]),
        group=dice.random() < 0.5,
        everyone=processes == 1 or dice.random() < 0.5,
        fresh=fresh,
    )


def undisturbed(job: Job, folder: Path, processes: int, *, fresh: bool = False) -> Undisturbed:
    """Run a job, several times at once if asked for, and measure it.

    Raises:
        RuntimeError: it did not end well.
    """
    job.prepare(folder)
    begun = time.monotonic()
    children = _start(job, folder, processes, None, fresh=fresh)
    statuses = [child.wait(LIMIT_SECONDS) for child in children]
    seconds = time.monotonic() - begun
    if 0 not in statuses:
        raise RuntimeError(f"ended with {statuses}: {children[0].words.read_text()[-2000:]}")
    counts = [child.words.with_suffix(".changes") for child in children]
    changes = max((int(path.read_text()) for path in counts if path.is_file()), default=0)
    alone = [child.words for child in children]
    for path in (*alone, *counts):
        path.unlink(missing_ok=True)
    return Undisturbed(seconds, changes, job.results(folder))


def trial(job: Job, folder: Path, how: Plan, expected: dict[str, str]) -> Finding:
    """Start, kill, run to the end, compare; the folder is removed when all is well."""
    finding = Finding()
    job.prepare(folder)
    children = _start(job, folder, how.processes, how.change, fresh=how.fresh)
    _await_moment(children[0], how)
    killed = children if how.everyone else children[:1]
    for child in killed:
        child.send(how.number, group=how.group)
    for index, child in enumerate(children):
        try:
            status = child.wait(LIMIT_SECONDS)
        except TimeoutError as error:
            finding.problems.append(str(error))
            continue
        said = child.words.read_text(errors="replace") if child.words.is_file() else ""  # killed before it was made
        if "entry import run_" in said:  # Python was still starting, and interrupted in its own words
            continue
        finding.problems += complaints(status, said, how, was_killed=child in killed)
        finding.words.append(f"process {index}, {status}: {said[-1500:]}")
    (last,) = _start(job, folder, 1, None, fresh=False)
    status = last.wait(LIMIT_SECONDS)
    if status != 0:
        finding.problems.append(f"the next run ended with {status}")
        finding.words.append(last.words.read_text(errors="replace")[-1500:])
    finding.problems += differences(job.results(folder), expected)
    finding.children = children
    for child in (*children, last):
        child.words.unlink(missing_ok=True)
        child.words.with_suffix(".changes").unlink(missing_ok=True)
    if not finding.problems:
        shutil.rmtree(folder)
    return finding


def _start(job: Job, folder: Path, processes: int, change: int | None, *, fresh: bool) -> list[Child]:
    children = []
    for index in range(processes):
        words = folder.with_name(f"{folder.name}.{time.monotonic_ns()}.{index}.words")
        command = job.command(folder, index)
        if fresh:
            children.append(start_fresh(command, words))
        else:
            children.append(start_forked(command, words, folder, change if index == 0 else None))
    return children


def _await_moment(child: Child, how: Plan) -> None:
    if how.change is None or child.notice is None:
        time.sleep(how.seconds)
        return
    deadline = time.monotonic() + LIMIT_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        if select.select([child.notice], [], [], 0.002)[0] and os.read(child.notice, 1):
            time.sleep(how.late)
            return


def complaints(status: int, said: str, how: Plan, *, was_killed: bool) -> list[str]:
    """What is wrong with how a program ended."""
    problems = [f"{word} on standard error" for word in ("Traceback", "Exception ignored") if word in said]
    allowed = {0} if how.processes == 1 else {0, 2}  # 2: the folder belongs to another run
    if was_killed and how.number == signal.SIGKILL:
        allowed.add(-signal.SIGKILL)
    elif was_killed:
        leaving, sentence = LAST_WORDS[how.number]
        allowed.add(leaving)
        if how.fresh or not said:  # Python itself starts or leaves
            allowed.add(-how.number)
        if status == leaving and len(re.findall(rf"^(?:.*\r)?{sentence}$", said, re.MULTILINE)) != 1:
            problems.append("its last line is missing")
    if status not in allowed:
        problems.append(f"ended with {status}")
    if status == 2 and len(re.findall(r"^(?:.*\r)?error: ", said, re.MULTILINE)) != 1:
        problems.append("exit status 2 without a line")
    return problems


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """What a folder has too little, too much or otherwise than expected."""
    return [
        *(f"missing: {name}" for name in sorted(expected.keys() - found.keys())),
        *(f"left over: {name}" for name in sorted(found.keys() - expected.keys())),
        *(f"different: {name}" for name in sorted(found.keys() & expected.keys()) if found[name] != expected[name]),
    ]

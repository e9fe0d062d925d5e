"""Run every program in environments that it does not expect, and compare with what plain runs leave.

    python tools/odd_environments.py --folder /tmp/odd                            # as root, on Linux
    python tools/odd_environments.py --folder /tmp/odd --places "full disk" --programs test train

In each environment a program must leave what a plain run leaves, byte for byte, or else end with exit status 2 and say
why without a traceback, where the environment leaves no choice (a full disk). Then the same command in a plain
environment must end well, with the plain run's results. Prints a table in Markdown. Exit status 1: something differed.

"another user" must be able to read the repository and this Python. "an SMB share" needs mfusepy, see
tools/environments/share.py.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["OMP_NUM_THREADS"] = "1"  # the order of sums depends on it

from tools.environments.places import PLACES as USUAL
from tools.environments.places import Place, Start
from tools.environments.systems import SYSTEMS
from tools.kill_runs import prepare
from tools.killing.jobs import Job, files

PLACES = {**USUAL, **SYSTEMS}
SAME, REFUSED = "same", "refused"
SECONDS = 300.0


@dataclass(frozen=True)
class Program:
    """A command on small inputs, and what counts of the folder it leaves."""

    command: Callable[[Path], list[str]]  # output folder -> script and flags
    prepare: Callable[[Path], None]
    results: Callable[[Path], dict[str, str]]


@dataclass(frozen=True)
class Ending:
    """How a program ended."""

    status: int
    said: str


def programs(inputs: Path) -> dict[str, Program]:
    """All programs; the inputs are those of the kill runs."""
    jobs = prepare(inputs)
    (inputs / "run").mkdir()
    subprocess.run([sys.executable, *jobs["test"].command(inputs / "run", 0)], check=True, capture_output=True)
    names = ("render in 2 processes", "train", "test", "predict", "cache", "upkeep of the cache")
    made = {name: alone(jobs[name]) for name in names}
    report = ["scripts/report.py", str(inputs / "run"), "--save_path"]
    made["report"] = Program(lambda out: [*report, str(out), "--html", str(out)], make, files)
    weights = str(inputs / "clip")
    serve = ["scripts/serve.py", "--clip_weights", weights, "--device", "cpu", "--port", str(free_port())]
    serve += ["--checkpoint_path", str(inputs / "train" / "epoch_3.pth")]
    made["serve"] = Program(lambda out: serve, make, lambda out: {})
    return made


def alone(job: Job) -> Program:
    """A program of the kill runs, by itself."""
    return Program(lambda out: job.command(out, 0), job.prepare, job.results)


def make(folder: Path) -> None:
    """An empty folder."""
    folder.mkdir(parents=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def run(start: Start) -> Ending:
    """Run a program to its end; a service until it answers."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **start.environment}
    command = [*start.python, str(start.root / start.command[0]), *start.command[1:]]
    output = subprocess.DEVNULL
    if start.close_output:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    process = subprocess.Popen(
        command,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=start.folder,
        env=environment,
        preexec_fn=start.limit,
        start_new_session=True,
    )
    if "scripts/serve.py" in start.command:
        _await_service(process, start.command[start.command.index("--port") + 1])
    try:
        _, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate()
        said += f"\n(did not end within {SECONDS:.0f} s)"
    return Ending(process.returncode, said)


def _await_service(process: "subprocess.Popen[str]", port: str) -> None:
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                assert json.load(answer)
        except OSError:
            time.sleep(0.2)
            continue
        os.killpg(process.pid, signal.SIGTERM)  # also to what started it in a container
        return


def outcome(name: str, program: Program, place: Place, folder: Path, expected: dict[str, str]) -> tuple[str, list[str]]:
    """How a program fares in a place, and what is wrong with that."""
    output, own = folder / "out", folder / "own"
    program.prepare(output)
    own.mkdir()
    start = Start(program.command(output), output, [sys.executable])
    with place.change(start, own):
        ending = run(start)
    problems = []
    if "Traceback" in ending.said:
        problems.append("traceback")
    if ending.status == 0:
        found, verdict = program.results(output), SAME
        if found != expected:
            problems.append(f"other results: {sorted(set(found.items()) ^ set(expected.items()))[:4]}")
    else:
        verdict = REFUSED
        if ending.status != 2 or not place.may_refuse:
            problems.append(f"ended with {ending.status}")
        if not any(word in ending.said for word in ("error: ", "failed: ")):
            problems.append("does not say why")
    again = Ending(0, "")
    if verdict == REFUSED:
        again = run(Start(program.command(output), output, [sys.executable]))
        if again.status != 0 or "Traceback" in again.said:
            problems.append(f"the next run ended with {again.status}: {again.said[-300:]}")
        elif (found := program.results(output)) != expected:
            problems.append(f"other results of the next run: {sorted(set(found.items()) ^ set(expected.items()))[:4]}")
    (folder / "said.txt").write_text(f"{name}\n{verdict}\n{problems}\n{ending.said}\n--- again\n{again.said}")
    return verdict, problems


def main() -> int:
    """Run everything and print the table; 1 when something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--places", nargs="+", choices=tuple(PLACES), default=tuple(PLACES), help="environments (default: all)"
    )
    parser.add_argument("--programs", nargs="+", help="programs to run (default: all)")
    parser.add_argument("--folder", type=Path, required=True, help="working folder; must not exist")
    flags = parser.parse_args()
    folder = flags.folder.resolve()
    folder.mkdir(parents=True)
    made = programs(folder / "inputs")
    names = flags.programs or list(made)
    expected = {}
    for name in names:
        output = folder / "plain" / name
        made[name].prepare(output)
        ending = run(Start(made[name].command(output), output, [sys.executable]))
        if ending.status:
            raise RuntimeError(f"{name} ended with {ending.status}: {ending.said[-2000:]}")
        expected[name] = made[name].results(output)
    wrong = 0
    print("|", *(f"| {name}" for name in names), "|\n|", "---|" * (len(names) + 1), flush=True)
    for place in flags.places:
        row = []
        for number, name in enumerate(names):
            where = folder / f"{list(PLACES).index(place)}_{number}"
            verdict, problems = outcome(name, made[name], PLACES[place], where, expected[name])
            row.append(verdict if not problems else f"**{verdict}**")
            if problems:
                wrong += 1
                print(f"{place}, {name}: {'; '.join(problems)} ({where}/said.txt)", file=sys.stderr, flush=True)
            else:
                shutil.rmtree(where / "out")
                shutil.rmtree(where / "own")
        print(f"| {place} |", " | ".join(row), "|", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

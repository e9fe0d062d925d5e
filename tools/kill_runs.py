"""Kill programs at random moments, run them again, and compare what they leave with what undisturbed runs leave.

    python tools/kill_runs.py --folder /tmp/kills            # every program: 3 moments of each signal and number
    python tools/kill_runs.py --folder /tmp/kills --programs train --moments 50 --processes 2

Each trial starts one, two or four processes on one folder, kills all of them or the first one (SIGKILL, SIGTERM or
SIGINT; in half of the trials their worker processes too), and runs the program once more. That run must end well; the
files must be those of undisturbed runs, byte for byte, with no file and no process left behind; a program that was
asked to end by SIGTERM or SIGINT must have said so in one line.

Half of the moments are spread over the life of a run. The others are changes of files: the program is stopped just
before it creates, renames or removes one, or within 5 ms after that. Most runs are forks of this process, which has
imported everything; they run the script's own code from its first line. Some are new interpreters (--fresh).
Exit status 1: something was different. Folders of such trials are kept.
"""

import argparse
import gc
import importlib
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["OMP_NUM_THREADS"] = "1"  # the order of sums depends on it, and a process with threads cannot be forked

from tools.killing.children import Child
from tools.killing.jobs import Job, jobs, make, render_command, write_inputs
from tools.killing.trial import GONE_SECONDS, Undisturbed, plan, trial, undisturbed

SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "INT": signal.SIGINT}
COMMANDS = (
    *("cache_upkeep", "evaluation_run", "inspection_run", "list_samples", "make_demo_data", "reference_run"),
    *("rendering_run", "render_scans", "report_run", "shots_run", "training_run"),
)
IMPORTED = (*(f"pointad.commands.{name}" for name in COMMANDS), "open3d", "imagecodecs", "torch._dynamo")
PROGRAMS = (
    *("render", "train", "test", "predict", "cache", "upkeep of the cache"),
    *("reference", "report", "views of a scan", "demo data"),
    *("render with good scans", "list", "few-shot test", "predict with good scans"),
)


def prepare(inputs: Path) -> dict[str, Job]:
    """All jobs, with the inputs that they need; made in forks, so that this process keeps its single thread."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            write_inputs(inputs)
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("the inputs could not be made")
    rendering = Job(make, lambda out, _: [*render_command(inputs, out), "--good_scans"], lambda _: {})
    undisturbed(rendering, inputs / "rendered", 1)
    (inputs / "cache").mkdir()
    made = jobs(inputs)
    undisturbed(made["train"], inputs / "train", 1)
    undisturbed(made["cache"], inputs / "encoded", 1)
    (inputs / "cache").rmdir()
    (inputs / "encoded" / "cache").rename(inputs / "cache")
    undisturbed(made["test"], inputs / "tested", 1)
    return jobs(inputs)


def measured(job: Job, folder: Path, processes: int, *, fresh: bool) -> Undisturbed:
    """Undisturbed runs of a job; of several processes, only the time is taken from them."""
    alone = undisturbed(job, folder / "alone", 1)
    if processes == 1 and not fresh:
        return alone
    together = undisturbed(job, folder / "together", processes, fresh=fresh)
    return Undisturbed(together.seconds, alone.changes, alone.results)


def run_cell(name: str, job: Job, folder: Path, processes: int, flags: argparse.Namespace, dice: random.Random) -> int:
    """All moments of one program with one signal after the other; how many trials went wrong."""
    known = measured(job, folder / "known", processes, fresh=False)
    slow = measured(job, folder / "slow", processes, fresh=True) if flags.fresh else known
    wrong = 0
    for signal_name in flags.signals:
        begun, failed = time.monotonic(), 0
        ended: list[Child] = []
        for index in range(flags.moments):
            fresh = index < flags.fresh
            how = plan(dice, SIGNALS[signal_name], processes, slow if fresh else known, fresh=fresh)
            place = folder / f"{signal_name}-{processes}-{index}"
            finding = trial(job, place, how, known.results)
            ended += finding.children
            if finding.problems:
                failed += 1
                print(f"{name}, {how}: {'; '.join(finding.problems[:8])}", flush=True)
                place.with_suffix(".txt").write_text("\n".join([str(how), *finding.problems, *finding.words]))
        outlived = sum(child.left_behind(GONE_SECONDS) for child in ended)
        if outlived:
            print(f"{name}: worker processes outlived {outlived} programs", flush=True)
        failed += outlived
        print(
            f"{name}, SIG{signal_name}, {processes} at once: {flags.moments - failed} of {flags.moments} well "
            f"({known.seconds:.2f} s, {known.changes} changes of files; {time.monotonic() - begun:.0f} s in all)",
            flush=True,
        )
        wrong += failed
    return wrong


def main() -> int:
    """Kill, run again, compare; 1 when something differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--programs", nargs="+", choices=PROGRAMS, default=PROGRAMS, help="programs to kill (default: all)"
    )
    parser.add_argument(
        "--signals", nargs="+", choices=tuple(SIGNALS), default=tuple(SIGNALS), help="signals (default: all)"
    )
    parser.add_argument(
        "--moments", type=int, default=3, help="trials per program, signal and number of processes (default: 3)"
    )
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1, 2, 4], help="processes at once (default: 1 2 4)"
    )
    parser.add_argument(
        "--fresh", type=int, default=0, help="how many of the moments use new interpreters (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--folder", type=Path, required=True, help="working folder; must not exist")
    flags = parser.parse_args()
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()  # what has been imported is not looked through, and copied, in every fork
    folder = flags.folder.resolve()
    folder.mkdir(parents=True)
    made = prepare(folder / "inputs")
    wrong = 0
    for name in flags.programs:
        for processes in flags.processes:
            dice = random.Random(f"{flags.seed} {name} {processes}")
            place = folder / name.replace(" ", "_") / str(processes)
            place.mkdir(parents=True)
            wrong += run_cell(name, made[name], place, processes, flags, dice)
    print(f"{wrong} trials ended differently")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

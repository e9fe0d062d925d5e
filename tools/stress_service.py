"""Measure how the service bears what clients do to it: slow, silent, large, endless, vanishing; on loopback alone.

    python tools/stress_service.py                     # starts scripts/serve.py with the demo weights, takes minutes
    python tools/stress_service.py --requests 500 --kinds row stuck
    python tools/stress_service.py --clip_weights clip.pt --checkpoint_path prompts.pth     # flags of the service

Prints a line of figures for each kind of client, how long /health took at most meanwhile, and the machine's load. The
number of connections and requests and the time are bounded; nothing leaves this machine. Exit status 1: a figure broke
its promise.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.stressing import clients
from tools.stressing.health import watched_health
from tools.stressing.running_service import RunningService

MOST_HEALTH_SECONDS = 1.0
MOST_STOP_SECONDS = 20.0


def kinds(requests: int) -> dict[str, Callable[[RunningService], str]]:
    """What is tried, under its name."""
    return {
        "at rest": clients.at_rest,
        "50 slow and 50 silent clients": clients.slow_and_silent,
        "100 half-open connections": clients.half_open,
        "20 scans of a million points at once": clients.many_large,
        "endless chunked bodies": clients.endless,
        "clients vanish in mid-upload and in mid-prediction": clients.vanishing,
        "foreign pages and names": clients.foreign_pages,
        "scans that crash the process": clients.crashing,
        "a scan that never ends (stuck)": clients.stuck,
        f"{requests} requests in a row": partial(clients.in_a_row, count=requests),
    }


def main() -> int:
    """Run all of it; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500, help="number of consecutive requests (default: 500)")
    parser.add_argument(
        "--kinds", nargs="*", help="kinds of clients to try, by words of their descriptions (default: all)"
    )
    arguments, flags = parser.parse_known_args()
    broken = 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory() as folder, RunningService(Path(folder) / "log.txt", *flags) as service:
        for name, measure in kinds(arguments.requests).items():
            if arguments.kinds is not None and not any(word in name for word in arguments.kinds):
                continue
            service.wait_until_free()
            with watched_health(service.address) as times:
                said = measure(service)
            broken += max(times) > MOST_HEALTH_SECONDS
            print(f"{name}: {said}; {_health(times)}", flush=True)
        service.wait_until_free()
        said, taken = clients.stopping(service)
        broken += taken > MOST_STOP_SECONDS
        print(f"SIGTERM during a prediction: {said}; load {os.getloadavg()[0]:.0f}", flush=True)
        log = service.log.read_text()
        broken += "Traceback" in log
        print(json.dumps({"tracebacks in the log": log.count("Traceback"), "broken promises": int(broken)}))
    return int(broken > 0)


def _end(number: int, _: FrameType | None) -> None:
    """Ends the service, too, by the way of all errors."""
    sys.exit(128 + number)


def _health(times: list[float]) -> str:
    median, late = sorted(times)[len(times) // 2], sum(taken > MOST_HEALTH_SECONDS for taken in times)
    figures = f"at most {max(times):.3f} s, median {median:.3f} s, {late} over a second"
    return f"/health {len(times)} times, {figures}; load {os.getloadavg()[0]:.0f}"


if __name__ == "__main__":
    sys.exit(main())

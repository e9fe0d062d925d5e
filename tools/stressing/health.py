"""Asks a service for /health ten times a second, and prints how many seconds each answer took.

    python tools/stressing/health.py http://127.0.0.1:8000

A process of its own, since clients that share one hold each other up. Ends with its standard input.
"""

import contextlib
import select
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator

PAUSE = 0.1


def health(address: str) -> float:
    """Seconds that /health took; infinite when it did not answer."""
    begun = time.perf_counter()
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=30) as answer:
            answer.read()
    except OSError:
        return float("inf")
    return time.perf_counter() - begun


@contextlib.contextmanager
def watched_health(address: str) -> Iterator[list[float]]:
    """Ask for /health while the block runs; the times are there when it has ended."""
    times: list[float] = []
    with (
        tempfile.TemporaryFile("w+") as written,  # a pipe that nobody reads meanwhile is full after some minutes
        subprocess.Popen([sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=written) as process,
    ):
        try:
            yield times
        finally:
            process.communicate()
            written.seek(0)
            times += map(float, written.read().split())


def main() -> None:
    """Ask until standard input is closed, and once more."""
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        print(health(sys.argv[1]))
    print(health(sys.argv[1]))


if __name__ == "__main__":
    main()

"""Inspectors without a model, which do what the uploaded file tells them; made in the service's second process.

Nothing here imports PyTorch, so that the process starts in a moment.
"""

import builtins
import json
import os
import signal
import time
from pathlib import Path

import numpy as np

from pointad.commands.service.child import REFERENCE, Model, Order
from pointad.commands.service.memory_limit import limit_memory
from pointad.errors import InputError
from pointad.files.atomic import atomic_path

MEGABYTE = 1_000_000


class ObedientInspector:
    """Does what the words of a file say, and answers with its process and how many scans that has seen.

    `sleep SECONDS`, `wait FILE` (until it is there), `loop` (without an end), `abort` (as native code does),
    `signal NUMBER`, `leave STATUS`, `raise NAME` (of a built-in error), `allocate MEGABYTES`; anything else, nothing.
    Of good scans it writes a file, and does what the first one says while it writes a second version.
    """

    model = Model("obedient", True)

    def __init__(self) -> None:
        self._seen = 0

    def inspect(self, order: Order) -> str:
        self._seen += 1
        if order.form == REFERENCE:
            Path(order.path).write_text("made")
            with atomic_path(order.path):
                self._obey(order.good[0][0])
        else:
            self._obey(order.path)
        paths = [order.path, order.reference, *(path for path, _ in order.good)]
        facts = {"file": order.name, "process": os.getpid(), "seen": self._seen, "paths": paths}
        return json.dumps(facts | {"copy_of": order.copy_of})

    def _obey(self, path: str) -> None:
        command, _, argument = Path(path).read_text(encoding="latin-1").partition(" ")
        match command:
            case "sleep":
                time.sleep(float(argument))
            case "wait":
                while not Path(argument).exists():
                    time.sleep(0.01)
            case "loop":
                while True:
                    pass
            case "abort":
                os.abort()
            case "signal":
                os.kill(os.getpid(), int(argument))
            case "leave":
                os._exit(int(argument))
            case "raise":
                raise getattr(builtins, argument)
            case "allocate":
                np.zeros(int(argument) * MEGABYTE, np.uint8).fill(1)


def limited_inspector(megabytes: int) -> ObedientInspector:
    """May take so much more memory than it has."""
    limit_memory(megabytes * MEGABYTE)
    return ObedientInspector()


def refusing_inspector(folder: Path) -> ObedientInspector:
    """Starts unless the folder holds `refuse`; crashes for `crash`, hangs for `hang`, is another for `replace`."""
    while (folder / "hang").exists():
        time.sleep(0.01)
    if (folder / "refuse").exists():
        raise InputError(folder / "weights.pt", "is missing", "put it there")
    if (folder / "crash").exists():
        os.kill(os.getpid(), signal.SIGSEGV)
    inspector = ObedientInspector()
    if (folder / "replace").exists():
        inspector.model = Model("obedient", True, fingerprint="of other weights")
    return inspector

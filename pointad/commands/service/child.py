"""What runs in the process that inspects: load the model once, then answer one order after another.

Orders and answers travel as bytes: an order is JSON, an answer one word and a text. What comes from this process is
never unpickled, for it reads files of strangers. The kernel ends it when it works too long, even if nothing else does.
"""

import json
import logging
import math
import multiprocessing
import os
import resource
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from pointad.commands.library_variables import unreadable_variables
from pointad.commands.program import LONGEST_LINE, log_to_standard_error
from pointad.commands.shortages import shortage
from pointad.errors import InputError, PointADError, short

logger = logging.getLogger(__name__)

READY, TAKEN, DONE, REFUSED, NO_MEMORY, FAULT = "ready", "taken", "done", "refused", "no memory", "fault"
FACTS, PAGE, REFERENCE = "facts", "page", "reference"
ALARM_GRACE = 5  # seconds after which the kernel ends a process that the web service should have ended


@dataclass(frozen=True)
class Model:
    """What a service tells about its model."""

    backbone_name: str
    is_demo: bool
    good_scans: int = 0  # that scans are compared with unless others are sent with them
    fingerprint: str = ""  # of everything that scores depend on: weights, prompts, good scans


@dataclass(frozen=True)
class Order:
    """One scan to be inspected."""

    path: str  # of the file; of a REFERENCE, the one to be written
    name: str  # what it is called
    form: str  # of the answer: FACTS (JSON), PAGE (HTML), or REFERENCE (JSON) for what is made of good scans
    good: tuple[tuple[str, str], ...] = ()  # paths and names of good scans
    reference: str = ""  # path of what was made of good scans before; without either, as the service was started
    copy_of: str = ""  # name of the good scan, if any, that holds the same as the file


@dataclass(frozen=True)
class Answer:
    """What became of an order, or of loading the model."""

    outcome: str
    text: bytes  # UTF-8: JSON or HTML when all went well, else a sentence


class Inspector(Protocol):
    """What inspects scans; made in this process, where it stays."""

    model: Model

    def inspect(self, order: Order) -> str:
        """The answer to an order; errors of any kind may be raised."""


def run(make: Callable[[], Inspector], connection: Connection, folder: Path, seconds: float) -> None:
    """The whole life of the process; it ends with the connection, or with the process that started it.

    Args:
        make: loads the model.
        connection: to the process that started this one.
        folder: of uploaded files; removed if that process dies.
        seconds: how long one order may take.
    """
    log_to_standard_error()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its memory on disk, for every scan that crashes it
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    try:
        _answer_orders(make, connection, seconds)
    except (EOFError, OSError):  # nobody is left to be answered
        pass
    finally:
        logging.shutdown()
        os._exit(0)  # no thread of a library may keep it alive


def _answer_orders(make: Callable[[], Inspector], connection: Connection, seconds: float) -> None:
    made: list[Inspector] = []

    def load() -> str:
        made.append(make())
        return json.dumps(asdict(made[0].model))

    loaded = _attempt(load, READY, "the model is not loaded")
    send_answer(connection, loaded)
    while loaded.outcome == READY:
        order = Order(**json.loads(connection.recv_bytes()))
        connection.send_bytes(TAKEN.encode())
        signal.alarm(math.ceil(seconds) + ALARM_GRACE)
        answer = _attempt(partial(made[0].inspect, order), DONE, "not inspected")
        signal.alarm(0)
        send_answer(connection, answer)
        del answer  # may be large


def _attempt(work: Callable[[], str], success: str, failure: str) -> Answer:
    try:
        return Answer(success, work().encode(errors="backslashreplace"))  # as JSON escapes what is no text
    except PointADError as error:
        if isinstance(error, InputError) and success == DONE:  # without the path, which is nobody's business
            subject = "" if Path(error.subject).is_absolute() else f"{error.subject}: "
            return Answer(REFUSED, short(f"{subject}{error.problem}; {error.remedy}", LONGEST_LINE).encode())
        return Answer(REFUSED, short(error, LONGEST_LINE).encode())
    except BaseException as error:  # a library that wants to leave may not
        if shortage(error) is not None:  # its memory is limited: too little even for the stack of a thread, perhaps
            return Answer(NO_MEMORY, b"too large for the memory of this machine")
        unreadable = unreadable_variables(error)
        if unreadable is not None:
            return Answer(REFUSED, short(unreadable, LONGEST_LINE).encode())
        logger.exception(failure)
        return Answer(FAULT, f"{failure} ({type(error).__name__})".encode())


def send_answer(connection: Connection, answer: Answer) -> None:
    """Send an answer, as `receive_answer` takes it."""
    connection.send_bytes(answer.outcome.encode())
    connection.send_bytes(answer.text)


def receive_answer(connection: Connection, most_bytes: int) -> Answer:
    """Wait for an answer.

    Raises:
        EOFError, OSError: the process ended, or sent more than it should.
    """
    return Answer(connection.recv_bytes(100).decode(errors="replace"), connection.recv_bytes(most_bytes))


def _end_with_parent(folder: Path) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

"""The process of the web service that inspects: what becomes of it and of the service when it fails, and at the end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.obedient_inspectors import ObedientInspector, limited_inspector, refusing_inspector
from commands.programs import ROOT
from commands.serving import command, health, is_running, received, sent, serving, upload_of, wait_until

from pointad.commands.service.connections import StoppableServer
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.listening import open_sockets, serve_on
from pointad.errors import PointADError


@pytest.fixture(scope="module")
def obedient() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.mark.parametrize(
    ("order", "status", "said"),
    [
        ("raise KeyError", 500, "KeyError"),
        ("raise RecursionError", 500, "RecursionError"),
        ("raise SystemExit", 500, "SystemExit"),
        ("raise KeyboardInterrupt", 500, "KeyboardInterrupt"),
        ("raise MemoryError", 413, "memory"),
    ],
)
def test_scans_that_make_the_predictor_fail(order: str, status: int, said: str, obedient: str) -> None:
    before = command(obedient, "nothing")[1]["process"]
    for _ in range(2):
        answered, facts = command(obedient, order)
        assert answered == status and "order.xyz" in facts["detail"] and said in facts["detail"]
    assert command(obedient, "nothing")[1]["process"] == before
    assert health(obedient)["waiting"] == 0


@pytest.mark.parametrize(
    ("order", "said"),
    [("abort", "SIGABRT"), ("leave 3", "exit status 3"), ("leave 0", "exit status 0"), ("signal 40", "signal 40")],
)
def test_scans_that_end_the_process_end_one_request(order: str, said: str, obedient: str) -> None:
    before = command(obedient, "nothing")[1]["process"]
    status, facts = command(obedient, order)
    assert status == 500 and "order.xyz" in facts["detail"] and said in facts["detail"]
    status, facts = command(obedient, "nothing")
    assert status == 200 and facts["process"] != before and not is_running(before)
    assert health(obedient)["ready"] is True


def test_scans_that_take_too_long_are_ended() -> None:
    with serving(predict_seconds=3.0) as address:
        before = command(address, "nothing")[1]["process"]
        status, facts = command(address, "loop")
        assert status == 504 and "3 s" in facts["detail"]
        wait_until(lambda: not is_running(before))
        wait_until(lambda: command(address, "nothing")[0] == 200)


def test_scans_of_senders_who_left_are_ended_too() -> None:
    with serving(predict_seconds=3.0) as address:
        before = command(address, "nothing")[1]["process"]
        sent(address, upload_of(b"loop")).close()
        wait_until(lambda: not is_running(before))
        wait_until(lambda: command(address, "nothing")[0] == 200)


def test_scans_that_take_too_much_memory_end_one_request() -> None:
    with serving(partial(limited_inspector, 300)) as address:
        before = command(address, "allocate 100")[1]["process"]
        status, facts = command(address, "allocate 1000")
        assert status == 413 and "memory" in facts["detail"]
        assert command(address, "allocate 100")[1]["process"] == before


def test_an_idle_process_that_is_killed_is_started_again(obedient: str) -> None:
    before = command(obedient, "nothing")[1]["process"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not is_running(before))
    wait_until(lambda: command(obedient, "nothing")[0] == 200)


@pytest.mark.parametrize("failure", ["refuse", "crash", "replace"])
def test_a_process_that_cannot_be_started_again_is_tried_again_later(
    failure: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(partial(refusing_inspector, tmp_path)) as address:
        (tmp_path / failure).touch()
        assert command(address, "abort")[0] == 500
        status, facts = command(address, "nothing")
        assert status == 503 and "at the moment" in facts["detail"] and health(address)["ready"] is False
        (tmp_path / failure).unlink()
        wait_until(lambda: health(address)["ready"])
        assert command(address, "nothing")[0] == 200
    assert any("next attempt" in record.message for record in caplog.records)


@pytest.mark.parametrize(("host", "is_open"), [("[::1]", False), ("localhost", False), ("0.0.0.0", True)])
def test_services_of_a_network_are_told(
    host: str, is_open: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoppableServer, "serve", lambda *_, **__: asyncio.sleep(0))
    sockets = open_sockets(host, 0)
    with caplog.at_level("INFO"):
        asyncio.run(serve_on(sockets, InspectionService(ObedientInspector), host))
    for each in sockets:
        each.close()
    assert ("anyone who can reach this address" in caplog.text) == is_open and "serving on http://" in caplog.text


@pytest.mark.parametrize(
    ("failure", "said"), [("refuse", r"weights\.pt: is missing; put it there"), ("crash", "SIGSEGV")]
)
def test_errors_of_the_model_end_the_start(failure: str, said: str, tmp_path: Path) -> None:
    (tmp_path / failure).touch()
    sockets = open_sockets("127.0.0.1", 0)
    service = InspectionService(partial(refusing_inspector, tmp_path))
    with pytest.raises(PointADError, match=said):
        asyncio.run(serve_on(sockets, service))
    for each in sockets:
        each.close()


PROGRAM = """
import asyncio, sys
from commands.obedient_inspectors import ObedientInspector
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.listening import open_sockets, serve_on

sockets = open_sockets("127.0.0.1", 0)
print(sockets[0].getsockname()[1], flush=True)
asyncio.run(serve_on(sockets, InspectionService(ObedientInspector, stop_seconds=3.0)))
"""


@pytest.mark.parametrize(
    ("ending", "times"), [(signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGINT, 3), (signal.SIGKILL, 1)]
)
def test_no_end_of_the_service_leaves_its_process_or_files_behind(
    ending: signal.Signals, times: int, tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "TMPDIR": str(tmp_path)}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    address = f"http://127.0.0.1:{int(program.stdout.readline())}"
    inspecting = command(address, "nothing")[1]["process"]
    connection = sent(address, upload_of(b"loop"))
    wait_until(lambda: list(tmp_path.glob("*/scan.xyz")))
    for _ in range(times):
        if ending == signal.SIGINT:
            os.killpg(program.pid, ending)  # as a terminal does: to all processes
        else:
            program.send_signal(ending)
        time.sleep(0.1)  # so that a second one comes while the first is obeyed
    errors = program.communicate(timeout=60)[1]
    assert program.returncode == (0 if ending != signal.SIGKILL else -ending) and "Traceback" not in errors
    wait_until(lambda: not is_running(inspecting))
    wait_until(lambda: not list(tmp_path.iterdir()))
    connection.close()


def answer_to(address: str) -> bytes:
    """What a request for /health is answered, or nothing where too many others are there."""
    try:
        return received(sent(address, b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"))
    except OSError:
        return b""


def test_few_open_files_are_not_used_up_by_silent_clients(tmp_path: Path) -> None:
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "TMPDIR": str(tmp_path)}
    program = subprocess.Popen(
        [sys.executable, "-c", few + PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    address = f"http://127.0.0.1:{int(program.stdout.readline())}"
    assert command(address, "nothing")[0] == 200
    silent = [sent(address) for _ in range(100)]
    assert any(b"HTTP/1.1 503 " in received(connection) for connection in silent[-20:])
    for connection in silent:
        connection.close()
    wait_until(lambda: b"HTTP/1.1 200 " in answer_to(address))
    program.terminate()
    errors = program.communicate(timeout=60)[1]
    assert program.returncode == 0 and "Traceback" not in errors


def test_the_web_service_needs_no_pytorch() -> None:
    code = "import sys, pointad.commands.service.listening; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

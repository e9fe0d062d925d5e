"""Runs the web service inside the tests, and talks to it as clients do."""

import asyncio
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from commands.obedient_inspectors import ObedientInspector

from pointad.commands.serve_settings import LOOPBACK
from pointad.commands.service.app import build_app
from pointad.commands.service.child import Inspector
from pointad.commands.service.connections import StoppableServer, configuration
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.listening import open_sockets


@contextmanager
def serving(make: Callable[[], Inspector] = ObedientInspector, host: str = LOOPBACK, **limits: float) -> Iterator[str]:
    """The service on a free port of an address; its own address on the web."""
    listening = open_sockets(host, 0)[0]
    started, stop = threading.Event(), threading.Event()
    service = InspectionService(make, **{"stop_seconds": 2.0, **limits})  # type: ignore[arg-type]
    running = _serve(service, host, listening, started, stop)
    thread = threading.Thread(target=asyncio.run, args=(running,), daemon=True)
    thread.start()
    while not started.wait(timeout=0.1):
        assert thread.is_alive()
    try:
        name, port = listening.getsockname()[:2]
        yield f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
    finally:
        stop.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


async def _serve(
    service: InspectionService, host: str, listening: socket.socket, started: threading.Event, stop: threading.Event
) -> None:
    try:
        await service.start()
        server = StoppableServer(configuration(build_app(service, host), service), service)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        started.set()
        while not stop.is_set():
            await asyncio.sleep(0.01)
        server.should_exit = True
        await running
    finally:
        await service.close()


def ask(address: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=body, headers=headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def command(address: str, order: str) -> tuple[int, dict[str, Any]]:
    """Have an obedient inspector do something; the status and facts of the answer."""
    status, text = ask(f"{address}/predict?name=order.xyz", order.encode())
    return status, json.loads(text)


def together(address: str, orders: list[str]) -> list[int]:
    """The sorted statuses of orders that are sent at the same time."""
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda order=order: found.append(command(address, order)[0])) for order in orders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def health(address: str) -> dict[str, Any]:
    """What the service says about itself."""
    return dict(json.loads(ask(f"{address}/health")[1]))


def wait_until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that happens soon on any machine, and fail where it never does."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sent(address: str, *pieces: bytes) -> socket.socket:
    """A connection on which these bytes were sent."""
    host, port = address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def received(connection: socket.socket) -> bytes:
    """All that is sent until the other side closes."""
    return b"".join(iter(partial(connection.recv, 5000), b""))


def head_of(path: str, *lines: str) -> bytes:
    """The head of a POST request."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def upload_of(order: bytes, name: str = "order.xyz") -> bytes:
    """A whole request."""
    return head_of(f"/predict?name={name}", f"Content-Length: {len(order)}") + order


def form_of(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form with several fields, each with a file's name or None, and its headers."""
    body = b""
    for field, name, content in parts:
        called = "" if name is None else f'; filename="{name}"'
        body += f'--edge\r\nContent-Disposition: form-data; name="{field}"{called}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def form_with(name: str, field: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """A form with one file, and its headers."""
    return form_of((field, name, content))


def is_running(process: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False

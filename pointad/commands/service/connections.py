"""Connections that cannot be kept open for nothing, and a server that stops within seconds."""

import asyncio
import contextlib
import json
import logging
import math
import re
import resource
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pointad.commands.service.guards import MOST_HEADERS, SECURITY_HEADERS
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.unread_bodies import UnreadBodies

REQUEST_SECONDS = 10.0
"""How long a connection may stay open without a complete request header."""
FEWEST_AT_ONCE, MOST_AT_ONCE = 1024, 16 * 1024
"""Bytes that are taken from a connection before others have their turn, ..."""
TURN_SECONDS = 0.004
"""... fewer where they take longer than this: bodies in chunks of a byte each do."""
READ_SECONDS = 60.0
"""How long a client may take to read what was sent to it."""
MOST_CONNECTIONS = 512
MOST_ACCEPTED = 128
"""Connections that are accepted before others have their turn, and that the kernel keeps waiting."""
OTHER_FILES = 32
"""Open files of the service that are no connections: it, its inspection process, another one that is started."""
FAREWELL_SECONDS = 2.0
"""How long a client whose request was no request, or came when there were too many, may take to read that."""
MOST_FAREWELLS = 64
ANSWER_SECONDS = 2.0
"""How long clients may take to read their answer when the service stops."""


class WatchedProtocol(H11Protocol):
    """HTTP of uvicorn, with limits for what it waits for without one: requests that do not come, and slow readers."""

    request_seconds = REQUEST_SECONDS
    read_seconds = READ_SECONDS
    most_connections = MOST_CONNECTIONS
    most_open = MOST_CONNECTIONS + MOST_FAREWELLS  # with those that are told that there are too many

    _request_watch: asyncio.TimerHandle | None = None
    _read_watch: asyncio.TimerHandle | None = None
    _is_leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.max_size = MOST_AT_ONCE  # type: ignore[attr-defined]  # asyncio would read 256 KiB
        if len(self.connections) > min(self.most_connections, 7 * self.most_open // 8):
            transport.write(_plain_answer(503, "Service Unavailable", "too many connections; try again later"))
            self._say_farewell()
            return
        self._watch_for_request()

    def data_received(self, data: bytes) -> None:
        if self._is_leaving:
            return
        started = time.perf_counter()
        super().data_received(data)
        self._share_turns(time.perf_counter() - started)
        if self.cycle is not None and not self.cycle.response_complete:
            self._request_watch = _cancelled(self._request_watch)
        else:  # part of a header, or what a client continues to send after its answer
            self._watch_for_request()

    def handle_events(self) -> None:
        if self.conn.their_state is h11.IDLE:  # a head is next, of which each line costs before it can be refused
            head = re.split(rb"\n\r?\n", self.conn.trailing_data[0], maxsplit=1)[0]
            if head.count(b"\n") > MOST_HEADERS:
                detail = f"there are more than {MOST_HEADERS} headers"
                self.transport.write(_plain_answer(431, "Request Header Fields Too Large", detail))
                self._say_farewell()
                return
        super().handle_events()

    def _share_turns(self, seconds: float) -> None:
        size = self.transport.max_size  # type: ignore[attr-defined]
        if seconds > TURN_SECONDS:
            size = max(size // 2, FEWEST_AT_ONCE)
        elif seconds < TURN_SECONDS / 4:
            size = min(2 * size, MOST_AT_ONCE)
        self.transport.max_size = size  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_watch = _cancelled(self._request_watch)
        self._read_watch = _cancelled(self._read_watch)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._read_watch is None:
            self._read_watch = self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._read_watch = _cancelled(self._read_watch)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        with contextlib.suppress(h11.LocalProtocolError):  # an answer has begun already
            body = json.dumps({"detail": msg}).encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
                *SECURITY_HEADERS.items(),
            ]
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self._say_farewell()

    def _say_farewell(self) -> None:
        """Close the connection once the client has read the answer.

        Bytes that nobody has read when a connection is closed make the kernel reset it, and the client may lose the
        answer by that; so what still comes is dropped for a moment.
        """
        self._is_leaving = True
        if self.cycle is not None and not self.cycle.response_complete:  # whatever it would still say is not sent
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if len(self.connections) > min(self.most_connections + MOST_FAREWELLS, self.most_open):
            self.transport.close()
            return
        with contextlib.suppress(OSError, NotImplementedError):  # gone already
            self.transport.write_eof()
        self._request_watch = self._request_watch or self.loop.call_later(FAREWELL_SECONDS, self.transport.close)

    def _watch_for_request(self) -> None:
        if self._request_watch is None and not self.transport.is_closing():
            self._request_watch = self.loop.call_later(self.request_seconds, self._no_request)

    def _no_request(self) -> None:
        self._request_watch = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


class StoppableServer(uvicorn.Server):
    """Stops when it is told to: uploads and waiting scans are answered at once, the rest within some seconds."""

    def __init__(self, config: uvicorn.Config, service: InspectionService) -> None:
        super().__init__(config)
        self._service = service
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[Any] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True  # and no more at a second signal, to which uvicorn leaves with tracebacks
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._service.stop)

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        self._service.stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals as uvicorn does, without raising them again at the end: there is something to clean up."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def configuration(app: Any, service: InspectionService) -> uvicorn.Config:
    """How uvicorn is to serve the application.

    Where there are too few open files for all connections, fewer are taken: those that cannot be accepted would be
    tried again and again, with a traceback each time. Some are accepted before those beyond the limit are closed.
    """
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    accepted = max(1, min(MOST_ACCEPTED, open_files // 8))

    class Protocol(WatchedProtocol):
        most_open = max(2, min(WatchedProtocol.most_open, open_files - OTHER_FILES - 3 * accepted))

    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # what is wrong with a form is told its sender
    return uvicorn.Config(
        UnreadBodies(app, lambda: service.is_stopping),
        http=Protocol,
        backlog=accepted,
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=math.ceil(service.stop_seconds + ANSWER_SECONDS),
    )


def _cancelled(watch: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """None, after the timer was stopped."""
    if watch is not None:
        watch.cancel()
    return None


def _plain_answer(status: int, phrase: str, detail: str) -> bytes:
    body = json.dumps({"detail": detail})
    head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items())
    return f"{head}connection: close\r\n\r\n{body}".encode()

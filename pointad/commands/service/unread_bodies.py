"""Lets clients see an answer that was given before they had sent everything."""

import asyncio
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_AT_ONCE = 32
MOST_BYTES = 1_000_000_000
MOST_SECONDS = 20.0
PAUSE_SECONDS = 2.0
"""How long a client may send nothing at all, and ..."""
STOPPING_SECONDS = 0.5
"""... how long when the service stops."""


class UnreadBodies:
    """ASGI application that reads what is left of a request's body after the answer, and drops it, within limits.

    Many clients send the whole body before they look for an answer. If the connection were closed at once, they would
    see it reset, and lose an answer such as 413 or 503. The whole answer is sent first, and announces that the
    connection will be closed, which it is when the body has ended.

    Args:
        app: what answers.
        is_stopping: whether the service is about to end.
    """

    def __init__(self, app: ASGIApp, is_stopping: Callable[[], bool]) -> None:
        self._app = app
        self._is_stopping = is_stopping
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered."""
        if scope["type"] != "http" or not has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        is_early = False

        async def send_whole(message: Message) -> None:
            nonlocal is_early
            if message["type"] == "http.response.start":
                is_early = not body.is_read
                if is_early:
                    MutableHeaders(scope=message)["connection"] = "close"
                is_early = is_early and "content-length" in Headers(raw=message["headers"])  # else the end is the close
            elif is_early and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await self._drop(body)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, body.receive, send_whole)

    async def _drop(self, body: "_Body") -> None:
        """Read and drop a body until its end, the client's, or that of this one's patience."""
        if self._now >= MOST_AT_ONCE:
            return
        self._now += 1
        dropped, deadline = 0, time.monotonic() + MOST_SECONDS
        try:
            while not body.is_read and dropped <= MOST_BYTES:
                if self._is_stopping():
                    deadline = min(deadline, time.monotonic() + STOPPING_SECONDS)
                patience = min(deadline - time.monotonic(), PAUSE_SECONDS)
                message = await asyncio.wait_for(body.receive(), max(patience, 0))
                dropped += len(message.get("body", b""))
        except asyncio.TimeoutError:
            pass
        finally:
            self._now -= 1


class _Body:
    """Receives the body of a request for others, and knows whether it is complete or its sender gone."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_read = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.is_read = self.is_read or not message.get("more_body", False)
        return message


def has_body(headers: Headers) -> bool:
    """Whether a request announces a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""

"""Answers that the web service gives before it has read a request: clients who send everything first see them too."""

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterable, Iterator

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.serving import ask, head_of, health, received, sent, serving, wait_until

from pointad.commands.service import connections, unread_bodies

SIZE = 20_000_000  # bytes; more than the kernels of two machines keep for a connection
LIMIT = 1_000_000


@pytest.fixture(scope="module")
def limited() -> Iterator[str]:
    with serving(largest_upload=LIMIT, most_uploads=1) as address:
        yield address


def post_first(address: str, path: str, body: bytes | Iterable[bytes], **headers: str) -> tuple[int, str]:
    """The answer for a client that sends its whole request before it reads, and minds when it cannot."""
    host = re.sub("^http://", "", address)
    connection = http.client.HTTPConnection(host, timeout=30)
    chunked = not isinstance(body, bytes)
    connection.request("POST", path, body, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.headers["connection"] == "close"
    connection.close()
    return answer.status, json.loads(text)["detail"]


def chunks() -> Iterator[bytes]:
    for _ in range(SIZE // 100_000):
        yield bytes(100_000)


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/predict?name=a.xyz", {}, 413),
        ("/predict?name=a.xyz", {"Connection": "close"}, 413),
        ("/predict?name=a.xyz", {"Origin": "https://evil.example"}, 403),
        ("/predict?name=a.xyz", {"Host": "evil.example"}, 400),
        ("/nothing", {}, 404),
        ("/health", {}, 405),
    ],
)
def test_clients_that_send_everything_first_see_the_answer(
    path: str, headers: dict[str, str], status: int, is_chunked: bool, limited: str
) -> None:
    if is_chunked:
        headers = {"Transfer-Encoding": "chunked", **headers}
    answered, detail = post_first(limited, path, chunks() if is_chunked else bytes(SIZE), **headers)
    assert answered == status and detail
    assert ask(f"{limited}/predict?name=a.xyz", b"nothing")[0] == 200


def test_clients_that_are_refused_for_lack_of_room_see_it(limited: str) -> None:
    slow = sent(limited, head_of("/predict?name=a.ply", "Content-Length: 9"))
    wait_until(lambda: health(limited)["uploads"] == 1)
    assert post_first(limited, "/predict?name=a.xyz", bytes(SIZE))[0] == 503
    slow.close()
    wait_until(lambda: health(limited)["uploads"] == 0)


@pytest.mark.parametrize("head", [b"NONSENSE\r\n\r\n", head_of("/", "Content-Length: 1", "Content-Length: 2")])
def test_what_is_no_http_is_answered_whatever_follows(head: bytes, limited: str) -> None:
    with sent(limited, head, bytes(SIZE)) as connection:
        assert b" 400 " in received(connection)


def test_clients_too_many_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.WatchedProtocol, "most_connections", 1)
    head = head_of("/predict?name=a.xyz", f"Content-Length: {SIZE}")
    with serving() as address, sent(address), sent(address, head, bytes(SIZE)) as refused:
        assert b" 503 " in received(refused)


def until_closed(connection: socket.socket) -> int:
    """Send without an end; how many bytes it took until the connection was closed."""
    for number in range(10_000):
        try:
            connection.sendall(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        except OSError:
            return number * 100_000
    return 10_000 * 100_000


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 5_000_000), ("MOST_SECONDS", 0.3), ("MOST_AT_ONCE", 0)])
def test_bodies_without_an_end_are_not_read_for_ever(
    limit: str, value: float, limited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_bodies, limit, value)
    head = head_of("/predict?name=a.xyz", "Transfer-Encoding: chunked", "Origin: https://evil.example")
    with sent(limited, head) as connection:
        assert connection.recv(12).endswith(b" 403")
        assert until_closed(connection) < 10_000 * 100_000


def test_clients_that_send_nothing_more_are_not_waited_for(limited: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread_bodies, "PAUSE_SECONDS", 0.2)
    with sent(limited, head_of("/nothing", "Content-Length: 9")) as connection:
        assert b" 404 " in received(connection), "all that is sent before the end"


def test_bodies_are_not_waited_for_when_the_service_stops() -> None:
    with serving(largest_upload=LIMIT) as address:
        upload = sent(address, head_of("/predict?name=a.ply", "Content-Length: 9"), b"p")
        wait_until(lambda: health(address)["uploads"] == 1)
    with upload, contextlib.suppress(ConnectionResetError):
        assert b" 503 " in received(upload)


def test_connections_stay_when_all_was_read(limited: str) -> None:
    connection = http.client.HTTPConnection(limited.removeprefix("http://"), timeout=30)
    used = set()
    for method, path, body in (
        ("POST", "/predict?name=a.xyz", b"nothing"),
        ("GET", "/health", None),
        ("GET", "/a", None),
    ):
        connection.request(method, path, body)
        answer = connection.getresponse()
        answer.read()
        assert connection.sock is not None and answer.headers["connection"] is None
        used.add(connection.sock.getsockname())
    connection.close()
    assert len(used) == 1


@pytest.mark.parametrize("path", ["/predict?name=a.xyz", "/nothing"])
def test_bodies_that_turn_into_nonsense_are_answered_once(
    path: str, limited: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = head_of(path, "Transfer-Encoding: chunked")
    with sent(limited, head + b"7\r\nnothing\r\nZZ\r\n\r\n") as connection:
        answer = received(connection)
    assert answer.count(b"HTTP/1.1 400 ") == answer.count(b"HTTP/1.1") == 1 and b"nosniff" in answer
    assert health(limited)["uploads"] == 0 and not [record for record in caplog.records if record.exc_info]


def test_bodies_with_two_lengths_are_refused(limited: str) -> None:
    head = head_of("/predict?name=a.xyz", "Transfer-Encoding: chunked", "Content-Length: 3")
    with sent(limited, head + b"7\r\nnothing\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n") as connection:
        answer = received(connection)
    assert b" 400 " in answer and b"given twice" in answer and answer.count(b"HTTP/1.1") == 1

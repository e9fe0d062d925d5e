"""What unpleasant clients do to a service; each function says what came of it."""

import contextlib
import io
import signal
import socket
import sys
import threading
import time
from collections import Counter

import numpy as np

from tools.stressing.running_service import RunningService, is_running


def scan(points: int) -> bytes:
    """A sphere as an array file."""
    directions = np.random.default_rng(points).normal(size=(points, 3)).astype(np.float32)
    buffer = io.BytesIO()
    np.save(buffer, directions / np.linalg.norm(directions, axis=1, keepdims=True))
    return buffer.getvalue()


SMALL, LARGE = 2_000, 1_000_000  # points


def at_rest(service: RunningService) -> str:
    """Nothing, for comparison: what /health takes on this machine as it is."""
    time.sleep(20)
    return "nothing asked"


def slow_and_silent(service: RunningService) -> str:
    """50 clients that send a byte every three seconds, and 50 that send nothing."""
    slow = [service.connect(_head("Content-Length: 1000")) for _ in range(50)]
    silent = [service.connect() for _ in range(50)]
    found: Counter[int] = Counter()
    for _ in range(8):
        for connection in slow:
            with contextlib.suppress(OSError):
                connection.send(b"x")
        found.update([service.predict(scan(SMALL))])
        time.sleep(3)
    closed = sum(_is_closed(connection) for connection in silent)
    for connection in (*slow, *silent):
        connection.close()
    return f"predictions meanwhile {dict(found)}; {closed} of 50 silent connections closed by the service"


def half_open(service: RunningService) -> str:
    """100 clients that send a part of a header and wait."""
    half = [service.connect(b"POST /predict?name=a.npy HTTP/1.1\r\nHo") for _ in range(100)]
    status = service.predict(scan(SMALL))
    time.sleep(12)
    closed = sum(_is_closed(connection) for connection in half)
    for connection in half:
        connection.close()
    return f"a prediction meanwhile {status}; {closed} of 100 closed by the service"


def many_large(service: RunningService) -> str:
    """20 scans of a million points at once."""
    return f"answers {dict(service.predict_together([scan(LARGE)] * 20))}"


def endless(service: RunningService) -> str:
    """Chunked bodies without an end."""
    begun = time.perf_counter()
    answers: Counter[str] = Counter()
    for _ in range(3):
        connection = service.connect(_head("Transfer-Encoding: chunked"))
        chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
        answer = b""
        with contextlib.suppress(OSError):
            for _ in range(400):  # 400 MB at most
                connection.sendall(chunk)
                connection.settimeout(0.001)
                with contextlib.suppress(TimeoutError):
                    answer = connection.recv(1000)
                connection.settimeout(60)
                if answer:
                    break
        answers.update([answer[9:12].decode() or "closed"])
        connection.close()
    return f"answers {dict(answers)} in {time.perf_counter() - begun:.1f} s"


def vanishing(service: RunningService) -> str:
    """4 clients that leave in the middle of a prediction, and 20 in the middle of an upload."""
    body = scan(LARGE)
    for _ in range(20):
        service.connect(_head(f"Content-Length: {len(body)}") + body[:1_000_000]).close()
    for _ in range(4):
        service.connect(_head(f"Content-Length: {len(body)}") + body).close()
    time.sleep(0.5)
    begun = time.perf_counter()
    status = service.predict(scan(SMALL))
    while status == 503 and time.perf_counter() - begun < 120:
        time.sleep(0.5)
        status = service.predict(scan(SMALL))
    return f"the next one is answered with {status} after {time.perf_counter() - begun:.1f} s"


def foreign_pages(service: RunningService) -> str:
    """Requests that a browser sends for pages of other sites, and such as name another host."""
    headers = ({"Origin": "https://example.org"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    answers = Counter(service.predict(scan(SMALL), **header) for header in headers * 20)
    names = Counter(service.predict(scan(SMALL), Host=host) for host in ("example.org", "127.0.0.1.example.org") * 20)
    return f"foreign pages {dict(answers)}, foreign names {dict(names)}"


def crashing(service: RunningService) -> str:
    """The process that inspects aborts in the middle of a prediction, five times."""
    found: Counter[int] = Counter()
    pauses = []
    for _ in range(5):
        service.wait_until_free()
        asking = threading.Thread(target=lambda: found.update([service.predict(scan(LARGE))]))
        asking.start()
        time.sleep(3)
        service.signal_inspecting(signal.SIGABRT)
        asking.join()
        begun = time.perf_counter()
        found.update([service.predict(scan(SMALL))])
        pauses.append(time.perf_counter() - begun)
    return f"answers {dict(found)}; the next scan after {min(pauses):.1f} to {max(pauses):.1f} s"


def stuck(service: RunningService) -> str:
    """The process that inspects stops working in the middle of a prediction."""
    stopped = service.inspecting()
    service.signal_inspecting(signal.SIGSTOP)
    begun = time.perf_counter()
    status = service.predict(scan(SMALL))
    taken = time.perf_counter() - begun
    service.wait_until_free()
    after = service.predict(scan(SMALL))
    return (
        f"{status} after {taken:.1f} s; it is {'still there' if is_running(stopped) else 'gone'}; the next one {after}"
    )


def in_a_row(service: RunningService, count: int) -> str:
    """Requests in a row, every fifth of them nonsense."""
    small = scan(SMALL)
    found: Counter[int] = Counter()
    curve = []
    for index in range(count):
        if index % max(1, count // 10) == 0:
            curve.append(service.held())
            print(f"after {index} requests: {dict(found)}, {curve[-1][0]}, {curve[-1][1]}", file=sys.stderr, flush=True)
        found.update([service.predict(small if index % 5 else b"nonsense")])
    curve.append(service.held())
    web, inspecting = (", ".join(map(str, kind)) for kind in zip(*curve, strict=True))
    return f"{dict(found)}; memory/descriptors of the web service: {web}; of the process that inspects: {inspecting}"


def stopping(service: RunningService) -> tuple[str, float]:
    """SIGTERM while a scan is inspected, another waits, and five uploads are open; seconds until the end."""
    slow = [service.connect(_head("Content-Length: 1000") + b"x") for _ in range(5)]
    inspecting = service.inspecting()
    found: Counter[int] = Counter()
    asking = threading.Thread(target=lambda: found.update(service.predict_together([scan(LARGE)] * 2)))
    asking.start()
    time.sleep(2)
    begun = time.perf_counter()
    service.process.send_signal(signal.SIGTERM)
    code = service.process.wait(timeout=120)
    taken = time.perf_counter() - begun
    asking.join()
    told = sum(b" 503 " in _received(connection) for connection in slow)
    rest = "stays" if is_running(inspecting) else "is gone"
    said = f"exit status {code} after {taken:.1f} s; answers {dict(found)}; {told} of 5 uploads told 503"
    return f"{said}; the process that inspects {rest}", taken


def _head(*lines: str) -> bytes:
    return "\r\n".join(["POST /predict?name=a.npy HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1000) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def _received(connection: socket.socket) -> bytes:
    with contextlib.suppress(OSError):
        return connection.recv(1000)
    return b""

"""The local web service: answers, limits, and the page in a browser."""

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import trimesh
from headless_chromium import HeadlessChromium, browser_path
from robustness.invocation import invoke
from sample_scans import closed_shape

from pointad.inspection.predictor import PointAD

fastapi = pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")
uvicorn = pytest.importorskip("uvicorn")

from pointad.commands.service import connections, guards  # noqa: E402
from pointad.commands.service.app import build_app  # noqa: E402
from pointad.commands.service.inspections import InspectionService  # noqa: E402
from pointad.commands.service.listening import open_sockets  # noqa: E402

Serve = Callable[..., AbstractContextManager[str]]


@contextmanager
def serving(detector: PointAD, **limits: float) -> Iterator[str]:
    """The service on a free port of loopback; its address."""
    service = InspectionService(detector, **{"stop_seconds": 2.0, **limits})  # type: ignore[arg-type]
    server = connections.StoppableServer(connections.configuration(build_app(service), service), service)
    (listening,) = open_sockets("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()
    service.clean_up()


def ask(address: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=body, headers=headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def ply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "blob.ply"
    trimesh.PointCloud(closed_shape(2000), np.full((2000, 3), 90, np.uint8)).export(path)
    return path


@pytest.fixture(scope="module")
def address(detector: PointAD) -> Iterator[str]:
    with serving(detector) as running:
        yield running


def test_predict_answers_with_the_facts(address: str, ply: Path, detector: PointAD) -> None:
    status, text = ask(f"{address}/predict?name=blob.ply", ply.read_bytes())
    facts = json.loads(text)
    assert status == 200 and facts["file"] == "blob.ply" and facts["points"] == 2000
    points = np.asarray(trimesh.load(ply).vertices)
    assert facts["score"] == pytest.approx(detector.predict(points).score, abs=1e-5)
    assert len(facts["view_scores"]) == 9 and facts["regions"]
    status, text = ask(f"{address}/health")
    assert status == 200 and json.loads(text)["ready"] is True


def test_view_escapes_the_name_and_never_uses_it_as_a_path(address: str, ply: Path) -> None:
    name = quote("../../<b>etc</b>/passwd.ply")
    status, text = ask(f"{address}/view?name={name}", ply.read_bytes())
    assert status == 200 and "pointad-cloud" in text
    assert "passwd.ply" in text and "<b>" not in text


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("scan.exe", b"MZ", "unsupported extension"),
        ("scan", b"", "unsupported extension"),
        ("scan.ply", b"ply\nbut not really", "header"),
        ("scan.npy", b"", "npy"),
        ("scan.xyz", b"1 2 3\n4 5 6\n", "points"),
    ],
)
def test_what_is_no_scan_is_refused_with_a_sentence(address: str, name: str, body: bytes, said: str) -> None:
    status, text = ask(f"{address}/predict?name={name}", body)
    assert status == 422
    detail = json.loads(text)["detail"]
    assert said in detail and "pointad_" not in detail, "no path of the server is told"


def test_requests_under_a_foreign_name_are_refused(address: str) -> None:
    assert ask(f"{address}/health", Host="evil.example")[0] == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "LOCALHOST", "localhost"])
def test_services_on_this_machine_know_their_names(host: str) -> None:
    names = guards.names_of(host)
    assert names is not None and guards.host_name(host) in names
    for known in ("localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST.", "127.0.0.1:1"):
        assert guards.host_name(known) in names
    for foreign in (
        "",
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::2]",
    ):
        assert guards.host_name(foreign) not in names


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_services_of_a_network_take_any_name(host: str) -> None:
    assert guards.names_of(host) is None


@pytest.mark.parametrize("path", ["predict", "view"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_may_not_post(address: str, path: str, headers: dict[str, str], ply: Path) -> None:
    status, text = ask(f"{address}/{path}?name=blob.ply", ply.read_bytes(), **headers)
    assert status == 403 and "another site" in json.loads(text)["detail"]


def test_own_pages_may_post(address: str, ply: Path) -> None:
    headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    assert ask(f"{address}/predict?name=blob.ply", ply.read_bytes(), **headers)[0] == 200


@pytest.mark.parametrize("path", ["", "health", "docs", "openapi.json", "nothing", "predict"])
def test_browsers_are_told_what_pages_may_do(address: str, path: str) -> None:
    try:
        answer = urllib.request.urlopen(f"{address}/{path}", timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
        assert json.loads(error.read())["detail"], "errors are JSON"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-eval" not in policy
    assert (
        "script-src 'self' 'sha256-" in policy and "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    )
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "DENY"


def form_with(name: str, field: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def test_forms_give_the_same_as_bodies(address: str, ply: Path) -> None:
    body, headers = form_with("blob.ply", "file", ply.read_bytes())
    status, text = ask(f"{address}/predict", body, **headers)
    plain = json.loads(ask(f"{address}/predict?name=blob.ply", ply.read_bytes())[1])
    assert status == 200 and json.loads(text)["score"] == plain["score"] and json.loads(text)["file"] == "blob.ply"
    assert ask(f"{address}/view", body, **headers)[0] == 200


@pytest.mark.parametrize(
    ("name", "field", "headers", "status"),
    [
        ("blob.ply", "other", {}, 400),
        ("blob.exe", "file", {}, 422),
        ("../../etc/..", "file", {}, 422),
        ("blob.ply", "file", {"Content-Type": "multipart/form-data"}, 400),
        ("blob.ply", "file", {"Content-Type": "multipart/form-data; boundary=other"}, 400),
    ],
)
def test_forms_that_are_none(
    name: str, field: str, headers: dict[str, str], status: int, address: str, ply: Path
) -> None:
    body, standard = form_with(name, field, ply.read_bytes())
    answered, text = ask(f"{address}/predict", body, **{**standard, **headers})
    assert answered == status and json.loads(text)["detail"]


def test_the_interface_is_described_without_foreign_hosts(address: str) -> None:
    described = json.loads(ask(f"{address}/openapi.json")[1])
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/octet-stream"}
    page = ask(f"{address}/docs")[1]
    assert "http" not in page
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert f"/docs/{name}" in page and ask(f"{address}/docs/{name}")[0] == 200
    assert ask(f"{address}/docs/..%2F__init__.py")[0] == 404


def sent(address: str, *pieces: bytes, wait: float = 0.0) -> socket.socket:
    """A connection on which these bytes were sent."""
    host, port = address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(wait)
    return connection


def head_of(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def test_slow_uploads_keep_nobody_waiting(detector: PointAD, ply: Path) -> None:
    with serving(detector, upload_seconds=1.0, most_waiting=2) as address:
        slow = [sent(address, head_of("/predict?name=a.ply", "Content-Length: 9"), b"ply") for _ in range(20)]
        while json.loads(ask(f"{address}/health")[1])["uploads"] < len(slow):
            time.sleep(0.01)
        assert ask(f"{address}/predict?name=blob.ply", ply.read_bytes())[0] == 200
        for connection in slow:
            assert b" 408 " in connection.recv(1000)
            connection.close()
        assert json.loads(ask(f"{address}/health")[1])["uploads"] == 0


def test_more_uploads_than_there_is_room_for(detector: PointAD) -> None:
    with serving(detector, most_uploads=2) as address:
        slow = [sent(address, head_of("/predict?name=a.ply", "Content-Length: 9")) for _ in range(2)]
        while json.loads(ask(f"{address}/health")[1])["uploads"] < 2:
            time.sleep(0.01)
        status, text = ask(f"{address}/predict?name=blob.ply", b"ply")
        assert status == 503 and "uploads" in text
        for connection in slow:
            connection.close()


def test_bodies_without_an_end(detector: PointAD) -> None:
    with serving(detector, largest_upload=100_000) as address:
        connection = sent(address, head_of("/predict?name=a.ply", "Transfer-Encoding: chunked"))
        answer = b""
        connection.settimeout(0.01)
        for _ in range(1000):
            with contextlib.suppress(OSError):
                connection.sendall(b"3e8\r\n" + bytes(1000) + b"\r\n")
            with contextlib.suppress(OSError):
                answer += connection.recv(1000)
            if answer:
                break
        assert b" 413 " in answer
        connection.close()
        assert json.loads(ask(f"{address}/health")[1])["uploads"] == 0


def test_connections_that_say_nothing_are_closed(detector: PointAD, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.WatchedProtocol, "request_seconds", 0.3)
    with serving(detector) as address:
        silent = [sent(address) for _ in range(30)]
        half = [sent(address, b"GET /health HTTP/1.1\r\nHo") for _ in range(10)]
        after_an_answer = sent(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while b"waiting" not in after_an_answer.recv(5000):
            pass
        after_an_answer.sendall(b"GET /he")
        for connection in (*silent, *half, after_an_answer):
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1000) == b""
            connection.close()
        assert ask(f"{address}/health")[0] == 200


def test_too_many_connections(detector: PointAD, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.WatchedProtocol, "most_connections", 3)
    with serving(detector) as address:
        open_ones = [sent(address) for _ in range(3)]
        time.sleep(0.1)
        refused = sent(address)
        assert b" 503 " in refused.recv(1000)
        for connection in (*open_ones, refused):
            connection.close()


def test_what_is_no_http_is_refused_as_json(address: str) -> None:
    with sent(address, b"NONSENSE\r\n\r\n") as connection:
        answer = b"".join(iter(partial(connection.recv, 5000), b""))  # head and body may come in pieces
    assert b" 400 " in answer and json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]


def test_senders_who_leave_free_their_place(detector: PointAD, ply: Path, caplog: pytest.LogCaptureFixture) -> None:
    slow = SlowDetector(detector)
    body = ply.read_bytes()
    with serving(slow, most_waiting=4) as address:  # type: ignore[arg-type]
        request = head_of("/predict?name=a.ply", f"Content-Length: {len(body)}") + body
        for _ in range(4):
            sent(address, request).close()
        sent(address, request[: len(request) // 2]).close()  # in mid-upload
        # Until the service notices that they left, which takes a moment on a busy machine, it may be full.
        answers = (ask(f"{address}/predict?name=blob.ply", body)[0] for _ in range(100))
        assert next(status for status in answers if status != 503 or time.sleep(0.1)) == 200
        while any(json.loads(ask(f"{address}/health")[1])[name] for name in ("uploads", "waiting")):
            time.sleep(0.01)
        assert slow.count <= 3, "those who left before their turn are not inspected"
    assert not [record for record in caplog.records if record.exc_info]


class FailingDetector(PointAD):
    """Fails in a way of its own on every scan."""

    backbone_name, is_demo = "failing", True  # type: ignore[assignment]

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def predict(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
        raise self._error


@pytest.mark.parametrize(
    ("error", "status"), [(KeyError("x"), 500), (MemoryError(), 413), (RecursionError(), 500), (SystemExit(3), 500)]
)
def test_scans_that_make_the_predictor_fail(error: BaseException, status: int, ply: Path) -> None:
    with serving(FailingDetector(error)) as address:
        for _ in range(3):
            answered, text = ask(f"{address}/predict?name=blob.ply", ply.read_bytes())
            assert answered == status and "blob.ply" in json.loads(text)["detail"] and "Traceback" not in text
        assert json.loads(ask(f"{address}/health")[1])["waiting"] == 0


def test_stopping_waits_for_nobody_who_is_slow(detector: PointAD, ply: Path) -> None:
    slow = SlowDetector(detector)
    with serving(slow) as address:  # type: ignore[arg-type]
        upload = sent(address, head_of("/predict?name=a.ply", "Content-Length: 9"), b"p")
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.extend(answers_to_several(address, ply, 2)))
        waiting.start()
        while json.loads(ask(f"{address}/health")[1])["waiting"] < 2:
            time.sleep(0.01)
        begun = time.monotonic()
    assert time.monotonic() - begun < 15, "far less than the minute that an upload may take"
    waiting.join()
    assert found == [200, 503], "the one at work is finished, the one that waits is told"
    assert b" 503 " in upload.recv(1000)
    upload.close()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--host", ""), "--host"),
        (("--host", "no.such.host.invalid"), "no.such.host.invalid"),
        (("--port", "70000"), "--port"),
        (("--port", "0"), "--port"),
        (("--port", "TAKEN"), "is in use"),
    ],
)
def test_addresses_that_cannot_be_served_on(flags: tuple[str, str], said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        flags = (flags[0], flags[1].replace("TAKEN", str(taken.getsockname()[1])))
        ending = invoke("scripts/serve.py", *flags)
    assert ending.code == 2 and said in ending.err.splitlines()[-1] and "Traceback" not in ending.err


def test_uploads_are_limited_in_size(detector: PointAD, ply: Path) -> None:
    with serving(detector, largest_upload=1000) as address:
        status, text = ask(f"{address}/predict?name=blob.ply", ply.read_bytes())
        assert status == 413 and "0.001 MB" in text
        assert ask(f"{address}/health")[0] == 200


class SlowDetector:
    """Takes its time, and remembers how many scans it looks at once."""

    backbone_name, is_demo = "slow", True

    def __init__(self, detector: PointAD) -> None:
        self._detector = detector
        self._lock = threading.Lock()
        self.now = self.most = self.count = 0

    def predict(self, *arguments: object, **options: object) -> object:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.count += 1
        time.sleep(0.4)
        prediction = self._detector.predict(*arguments, **options)  # type: ignore[arg-type]
        with self._lock:
            self.now -= 1
        return prediction


def answers_to_several(address: str, ply: Path, count: int) -> list[int]:
    """Status of requests that are sent at the same time."""
    found: list[int] = []
    body = ply.read_bytes()
    threads = [
        threading.Thread(target=lambda: found.append(ask(f"{address}/predict?name=blob.ply", body)[0]))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_scans_are_inspected_one_at_a_time_and_few_may_wait(detector: PointAD, ply: Path) -> None:
    slow = SlowDetector(detector)
    with serving(slow, most_waiting=3) as address:  # type: ignore[arg-type]
        assert answers_to_several(address, ply, 4) == [200, 200, 200, 503]
    assert slow.most == 1


def test_answers_are_limited_in_time_and_the_service_goes_on(detector: PointAD, ply: Path) -> None:
    slow = SlowDetector(detector)
    with serving(slow, predict_seconds=0.2) as address:  # type: ignore[arg-type]
        assert answers_to_several(address, ply, 2) == [504, 504]
        assert ask(f"{address}/health")[0] == 200
    assert slow.most == 1


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")
def test_docs_are_drawn_under_the_policy(address: str) -> None:
    with HeadlessChromium() as browser:
        browser.open(f"{address}/docs")
        browser.wait_for("document.querySelectorAll('.opblock').length >= 4")


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")
def test_page_shows_score_and_cloud_of_a_chosen_file(address: str, ply: Path, tmp_path: Path) -> None:
    with HeadlessChromium() as browser:
        browser.open(f"{address}/")
        assert "small random CLIP" in str(browser.evaluate("document.body.innerText"))
        browser.choose_file("#file", ply)
        browser.wait_for("document.querySelector('#status').textContent === 'Done.'")
        score = float(str(browser.evaluate("document.querySelector('#score').textContent")))
        assert score == pytest.approx(
            json.loads(ask(f"{address}/predict?name=blob.ply", ply.read_bytes())[1])["score"], abs=1e-4
        )
        browser.evaluate("document.querySelector('figure.pointad-cloud').scrollIntoView()")
        browser.wait_for("document.querySelector('figure.pointad-cloud').dataset.drawn === 'true'")
        assert browser.evaluate("document.querySelectorAll('table tr').length") > 9

        broken = tmp_path / "broken.stl"
        broken.write_text("nothing")
        browser.choose_file("#file", broken)
        browser.wait_for("document.querySelector('#status').className === 'error'")
        assert "broken.stl" in str(browser.evaluate("document.querySelector('#status').textContent"))
        assert browser.evaluate("document.querySelectorAll('figure').length") == 0

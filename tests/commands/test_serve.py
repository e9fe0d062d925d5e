"""The local web service: answers, limits, and the page in a browser."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import trimesh
from headless_chromium import HeadlessChromium, browser_path
from sample_scans import closed_shape

from pointad.inspection.predictor import PointAD

fastapi = pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")
uvicorn = pytest.importorskip("uvicorn")

from pointad.commands import service  # noqa: E402

Serve = Callable[..., AbstractContextManager[str]]


@contextmanager
def serving(detector: PointAD, **limits: float) -> Iterator[str]:
    """The service on a free port of loopback; its address."""
    app = service.build_app(service.InspectionService(detector, **limits))  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)


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
        ("scan.exe", b"MZ", "unknown ending"),
        ("scan", b"", "unknown ending"),
        ("scan.ply", b"ply\nbut not really", "PLY header"),
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
        self.now = self.most = 0

    def predict(self, *arguments: object, **options: object) -> object:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
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

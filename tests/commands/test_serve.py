"""The local web service: answers, who may ask, and the page in a browser."""

import http.client
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import trimesh
from headless_chromium import HeadlessChromium, browser_path
from robustness.invocation import invoke

from pointad.inspection.predictor import PointAD

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.serving import ask, form_with, received, sent, serving, upload_of

from pointad.commands.service import guards
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.listening import address_on_the_web, open_sockets


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
        ("scan", b"", "has no extension"),
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


def test_the_address_that_is_told_can_be_opened() -> None:
    assert address_on_the_web("::1", 8000) == address_on_the_web("[::1]", 8000) == "http://[::1]:8000"
    assert address_on_the_web("localhost", 80) == "http://localhost:80"


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
        "[::1].evil.example",
        "[127.0.0.1]8000",
        "127.0.0.1:evil",
    ):
        assert guards.host_name(foreign) not in names


def test_names_of_this_machine_have_addresses_that_browsers_write_in_their_place() -> None:
    names = guards.names_of("127.2")
    assert names is not None and {"127.2", "127.0.0.2"} < names
    assert guards.names_of("[[::1]]") == guards.names_of("::1"), "it is listened on"


def test_addresses_of_one_link_can_be_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(socket, "create_server", lambda address, **_: opened.append(address))
    found = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 4))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found])
    open_sockets("fe80::1%eth0", 80)
    assert opened == [("fe80::1", 80, 0, 4)]
    assert address_on_the_web("fe80::1%eth0", 80) == "http://[fe80::1%25eth0]:80"


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "LOCALHOST"])
def test_services_on_this_machine_refuse_foreign_names(host: str) -> None:
    with serving(host=host) as address:
        assert ask(f"{address}/health")[0] == 200
        status, text = ask(f"{address}/health", Host="evil.example")
        assert status == 400 and "evil.example" in json.loads(text)["detail"]
        status, text = ask(f"{address}/predict?name=a.xyz", b"nothing", Origin="http://evil.example")
        assert status == 403 and "another site" in json.loads(text)["detail"]
        assert ask(f"{address}/predict?name=a.xyz", b"nothing", Origin=address)[0] == 200


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


def test_browsers_are_told_so_in_answers_to_faults_and_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(InspectionService, "inspect", fail)
    with serving() as address:
        for request, status in ((upload_of(b"nothing"), b"500"), (b"nonsense\r\n\r\n", b"400")):
            head, _, body = received(sent(address, request.replace(b"Host", b"Connection: close\r\nHost"))).partition(
                b"\r\n\r\n"
            )
            assert head.startswith(b"HTTP/1.1 " + status) and json.loads(body)["detail"]
            for line in (b"content-security-policy: default-src 'none'", b"x-content-type-options: nosniff"):
                assert line in head


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "predict", 405),
        ("PUT", "predict?name=a.ply", 405),
        ("DELETE", "health", 405),
        ("POST", "predict", 422),  # no name
        ("GET", "health/", 404),  # no redirection
        ("POST", "view?name=" + "a" * 1900, 422),
        ("POST", "predict?name=%00%0a%1b.ply", 422),
    ],
)
def test_errors_are_json(method: str, path: str, status: int, address: str) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request(method, f"/{path}", body=b"nothing" if method in ("POST", "PUT") else None)
    answer = connection.getresponse()
    detail = json.loads(answer.read())["detail"]
    assert answer.status == status and isinstance(detail, str) and detail.isprintable()
    connection.close()


def test_heads_are_those_of_the_whole_answers(address: str) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    for path in ("/", "/health", "/docs", "/openapi.json", "/predict", "/nothing"):
        answers = []
        for method in ("GET", "HEAD"):
            connection.request(method, path)
            answer = connection.getresponse()
            answers.append((answer.status, answer.headers["content-type"], answer.headers["content-length"]))
            assert (answer.read() == b"") == (method == "HEAD")
        assert answers[0] == answers[1]
    connection.close()


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
        ("blob.ply", "file", {"Content-Type": "multipart/form-data; boundary=edge; charset=punycode"}, 400),
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


def test_what_is_no_http_is_refused_as_json(address: str) -> None:
    with sent(address, b"NONSENSE\r\n\r\n") as connection:
        answer = received(connection)
    assert b" 400 " in answer and json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--host", ""), "--host"),
        (("--host", "no.such.host.invalid"), "no.such.host.invalid"),
        (("--host", "192.0.2.1"), "cannot be listened on (Cannot assign requested address); choose"),
        (("--port", "70000"), "--port"),
        (("--port", "0"), "--port"),
        (("--port", "TAKEN"), "is in use"),
        (("--predict_seconds", "1e10"), "--predict_seconds"),
        (("--upload_seconds", "1e10"), "--upload_seconds"),
        (("--scan_memory", "1e11"), "--scan_memory"),
    ],
)
def test_addresses_and_limits_that_cannot_be_kept(flags: tuple[str, str], said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        flags = (flags[0], flags[1].replace("TAKEN", str(taken.getsockname()[1])))
        ending = invoke("scripts/serve.py", *flags)
    assert ending.code == 2 and said in ending.err.splitlines()[-1] and "Traceback" not in ending.err


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")
def test_docs_are_drawn_under_the_policy(address: str) -> None:
    with HeadlessChromium() as browser:
        browser.open(f"{address}/docs")
        browser.wait_for("document.querySelectorAll('.opblock').length >= 4")


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")
def test_a_file_that_is_dropped_beside_the_fields_does_not_replace_the_page(address: str) -> None:
    with HeadlessChromium() as browser:
        browser.open(f"{address}/")
        for place in ("body", "#result", "#drop"):
            for kind in ("dragover", "drop"):
                event = f"new DragEvent('{kind}', {{bubbles: true, cancelable: true}})"
                assert browser.evaluate(f"document.querySelector('{place}').dispatchEvent({event})") is False, place


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
        browser.choose_file("#file", broken, ply)
        browser.wait_for("document.querySelector('#status').textContent.startsWith('Done')")
        shown = "[...document.querySelectorAll('article')].map((one) => one.innerText)"
        first, second = browser.evaluate(shown)  # type: ignore[misc]
        assert "broken.stl: " in first and "Anomaly score" in second, "others are inspected all the same"
        browser.choose_file("#file", broken)
        browser.wait_for("document.querySelector('#status').className === 'error'")
        assert "broken.stl" in str(browser.evaluate("document.querySelector('#status').textContent"))
        assert browser.evaluate("document.querySelectorAll('figure').length") == 0

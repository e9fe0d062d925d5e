"""Requests that are written otherwise than usual, and mean the same."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.serving import ask, form_of, head_of, received, sent, serving, upload_of
from sample_scans import closed_shape

from pointad.commands.service.child import FACTS, Order
from pointad.commands.service.connections import FEWEST_AT_ONCE, MOST_AT_ONCE, TURN_SECONDS, WatchedProtocol
from pointad.commands.service.inspector import ScanInspector
from pointad.commands.service.uploads import with_plain_name
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as address:
        yield address


def test_addresses_with_the_name_of_the_host() -> None:
    """As clients write them that take the service for a proxy."""
    with serving() as address:
        host = address.removeprefix("http://")
        for named, target, status in (
            (host, f"{address}/health", 200),
            ("foreign.example", f"HTTP://{host}/health", 200),  # what the address says counts
            (host, "http://foreign.example/health", 400),
            (host, f"{address}?a=b", 200),
            (host, f"{address}/nowhere", 404),
        ):
            line = f"GET {target} HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n\r\n"
            assert received(sent(address, line.encode())).startswith(f"HTTP/1.1 {status} ".encode()), target
        posted = upload_of(b"nothing").replace(b"POST /", f"POST {address}/".encode())
        assert sent(address, posted).recv(5000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("query", "lines", "status", "said"),
    [
        ("name=" + "a" * 3000 + ".ply", [], 414, "the address is longer than 2000 bytes"),
        ("&".join(["name=a.ply"] * 500), [], 414, "the address is longer than 2000 bytes"),
        ("name=a.ply", ["A:"] * 100, 431, "there are more than 100 headers"),
        ("name=a.ply", ["A: " + "a" * 8000], 431, "the headers take more than 8000 bytes"),
        ("name=a.ply", ["Content-Type: multipart/form-data; boundary=x" + ";" * 400], 431, "the header Content-Type"),
        ("name=" + "%C3%A9" * 125 + ".zzz", [], 422, "'.zzz'"),
        ("name=a.zzz", ["Cookie: " + "a" * 6000], 422, "'.zzz'"),
    ],
)
def test_heads_that_cost_much(query: str, lines: list[str], status: int, said: str, address: str) -> None:
    head = head_of(f"/predict?{query}", *lines, "Content-Length: 3")
    answer = received(sent(address, head, b"ply"))
    assert (
        answer.startswith(f"HTTP/1.1 {status} ".encode())
        and said in json.loads(answer.split(b"\r\n\r\n")[-1])["detail"]
    )


def test_many_headers_behind_another_request_and_many_lines_behind_a_head(address: str) -> None:
    first, second = (
        b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n" for more in (b"", b"A:\r\n" * 200)
    )
    answers = received(sent(address, first + second))
    assert answers.index(b" 404 ") < answers.index(b" 431 ")
    head = head_of("/predict?name=a.zzz", "Content-Length: 200", "Connection: close").replace(b"\r", b"")
    assert b" 422 " in received(sent(address, head + b"\n" * 200))


def test_other_versions_of_http(address: str) -> None:
    """What follows the beginning of HTTP/2 is not the next request."""
    for begun in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /health HTTP/3.0\r\nHost: 127.0.0.1\r\n\r\n"):
        answer = received(sent(address, begun))
        assert answer.startswith(b"HTTP/1.1 505 ") and answer.count(b'{"detail"') == 1
    assert received(sent(address, b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


def test_names_that_are_not_ascii_in_the_way_of_other_headers() -> None:
    with serving() as address:
        for header, status, named in (
            ("filename*=UTF-8''pr%C3%BCf%22%3B%5Cling.xyz", 200, 'prüf";\\ling.xyz'),
            ("filename=\"own.xyz\"; filename*=UTF-8''other.xyz", 200, "own.xyz"),
            (
                "filename*=UTF-16''a.xyz",
                400,
                "the form's field 'file' holds text; send a file, with its name in filename=",
            ),
        ):
            body = f'--edge\r\nContent-Disposition: form-data; name="file"; {header}\r\n\r\nnothing\r\n--edge--\r\n'
            answer = ask(f"{address}/predict", body.encode(), **{"Content-Type": "multipart/form-data; boundary=edge"})
            assert answer[0] == status
            assert json.loads(answer[1])["file" if status == 200 else "detail"] == named


@pytest.mark.parametrize(
    ("encoding", "status"), [("base64", 400), ("Quoted-Printable", 400), ("x-uue", 400), ("BINARY", 200), ("7bit", 200)]
)
def test_files_that_are_encoded_in_a_form(encoding: str, status: int, address: str) -> None:
    """RFC 7578, 4.7, deprecates that, and no browser does it; the text would be read as the scan."""
    body, headers = form_of(("file", "a.xyz", b"nothing"))
    body = body.replace(b"\r\n\r\n", f"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode(), 1)
    answer = ask(f"{address}/predict", body, **headers)
    assert answer[0] == status and (status == 200) == ("is encoded as" not in json.loads(answer[1]).get("detail", ""))


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("br, gzip", 415), ("Identity", 200), ("", 200)])
def test_bodies_that_are_compressed(encoding: str, status: int, address: str) -> None:
    answer = ask(f"{address}/predict?name=a.xyz", b"nothing", **{"Content-Encoding": encoding})
    assert answer[0] == status and (status == 200) == ("is compressed" not in json.loads(answer[1]).get("detail", ""))


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Content-Encoding: identity", "Content-Encoding: gzip"], 415),
        (["Content-Range: bytes 0-6/5000"], 400),  # the beginning of a cloud is one, with another score
        (["Content-Type: multipart/mixed; boundary=edge"], 415),
        (["Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=edge"], 400),
        (["Content-Type: multipart/form-data; boundary=edge; boundary=edge"], 400),
        (["Content-Type: text/plain", "Content-Encoding: identity"], 200),
    ],
)
def test_bodies_that_are_not_the_file(lines: list[str], status: int, address: str) -> None:
    head = head_of("/predict?name=a.xyz", "Content-Length: 7", "Connection: close", *lines)
    assert received(sent(address, head + b"nothing")).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    "header",
    [
        'Content-Disposition: form-data; name="good"; filename="a.xyz"',
        "Content-Range: bytes 0-6/5000",
        "Content-Encoding: gzip",
        "Content-Encoding: gzip\r\nContent-Encoding: identity",
        "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: binary",
    ],
)
def test_parts_that_are_not_the_file(header: str, address: str) -> None:
    body, headers = form_of(("file", "a.xyz", b"nothing"))
    body = body.replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode(), 1)
    assert ask(f"{address}/predict", body, **headers)[0] == 400


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ('name="good"; name="file"; filename="a.xyz"', 400),
        ('name="file"; filename="a.csv"; filename="a.xyz"', 400),
        ('name="file"; filename="a; name=b; filename=c.xyz"', 200),
        ('name="file"; filename="a\\"; name=b; filename=c.xyz"', 200),
    ],
)
def test_parts_that_say_something_twice(rest: str, status: int, address: str) -> None:
    body = f"--edge\r\nContent-Disposition: form-data; {rest}\r\n\r\nnothing\r\n--edge--\r\n".encode()
    answer = ask(f"{address}/predict", body, **{"Content-Type": "multipart/form-data; boundary=edge"})
    assert answer[0] == status


@pytest.mark.parametrize(
    ("in_address", "in_form", "status"),
    [("a.csv", "a.ply", 422), ("a.xyz", "b.XYZ", 200), ("a.xyz", "blob", 200), ("a.xyz", "upload.tmp", 200)],
)
def test_names_in_the_address_and_in_the_form(in_address: str, in_form: str, status: int, address: str) -> None:
    """The extension determines how the file is read."""
    body, headers = form_of(("file", in_form, b"nothing"))
    answer = ask(f"{address}/predict?name={in_address}", body, **headers)
    assert answer[0] == status
    assert status != 200 or json.loads(answer[1])["file"] == in_address


@pytest.mark.parametrize("lines", ["Origin: OWN, Origin: null", "Sec-Fetch-Site: none, Sec-Fetch-Site: cross-site"])
def test_foreign_pages_behind_the_own_one(lines: str, address: str) -> None:
    host = address.removeprefix("http://")
    own = lines.replace("OWN", address).split(", ")
    posted = upload_of(b"nothing").replace(b"Host: 127.0.0.1", "\r\n".join([f"Host: {host}", *own]).encode())
    assert sent(address, posted).recv(5000).startswith(b"HTTP/1.1 403 ")


def test_chunks_with_a_wrong_end(address: str) -> None:
    """h11 took them before 0.16; a proxy that looks for the next line break sees another end of the request."""
    head = head_of("/predict?name=a.xyz", "Transfer-Encoding: chunked")
    assert received(sent(address, head + b"7\r\nnothingXX0\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("header", [b"a:b\r\n" * 200_000, b"a:" + b"b" * 1_000_000, b"a" * 1_000_000 + b":b"])
def test_headers_without_an_end_in_a_form(header: bytes, address: str) -> None:
    """Earlier versions of python-multipart take minutes for twenty times as much."""
    body, headers = form_of(("file", "a.xyz", b"nothing"))
    answer = ask(f"{address}/predict", body.replace(b"Content-D", header.rstrip() + b"\r\nContent-D"), **headers)
    assert answer[0] == 400


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"", 200),
        (b"\r\n \r\n", 200),
        (b"more", 400),
        (b"\r\n" * 40_000 + b"more", 400),  # in another piece of the body
        ("form", 400),
    ],
)
@pytest.mark.parametrize("pieces", [1, 9])
def test_what_follows_the_end_of_a_form(more: bytes | str, status: int, pieces: int, address: str) -> None:
    """Of two forms one after the other, the good scan of the second one would not count."""
    body, headers = form_of(("file", "a.xyz", b"nothing"))
    body += form_of(("good", "b.xyz", b"nothing"))[0] if isinstance(more, str) else more
    kind = f"Content-Type: {headers['Content-Type']}"
    head = head_of("/predict", kind, f"Content-Length: {len(body)}", "Connection: close")
    size = -(-len(body) // pieces)
    connection = sent(address, head)
    for start in range(0, len(body), size):
        time.sleep(0.02)  # so that they arrive one by one
        connection.sendall(body[start : start + size])
    answer = received(connection)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert status == 200 or b"Something follows the boundary that closes it" in answer


def test_broken_forms_leave_no_lines_of_others_in_the_log(address: str, caplog: pytest.LogCaptureFixture) -> None:
    body, headers = form_of(("file", "a.xyz", b"nothing"))
    broken = (body.replace(b"edge\r", b"edgX\r"), body.replace(b"Content-D", b"Content(D"), body.replace(b"\r", b""))
    assert [ask(f"{address}/predict", one, **headers)[0] for one in broken] == [400] * 3
    assert caplog.records == []


def test_headers_without_a_name_stay_as_they_are() -> None:
    for header in (b"", b'form-data; name="a"', b'form-data; name="a"; filename="b"'):
        assert with_plain_name(header) == header


def test_the_log_has_the_senders_names(detector: PointAD, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scan.csv"
    np.savetxt(path, closed_shape(900), fmt="%.9f", delimiter=";")
    path.write_text(path.read_text().replace(".", ","))
    with caplog.at_level(logging.INFO):
        logging.getLogger().addHandler(caplog.handler)
        ScanInspector(detector).inspect(Order(str(path), "sent %s.csv", FACTS))
    assert "sent %s.csv: commas are read as decimal signs" in caplog.text and str(tmp_path) not in caplog.text
    logging.getLogger("pointad").warning("%s: read", path)
    assert str(path) in caplog.text  # the names count for one order


def test_bad_good_scans_are_called_as_they_were_sent(detector: PointAD, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.csv" for name in ("scan", "good_0", "good_1")]
    for path, count in zip(paths, (900, 800, 50), strict=True):
        np.savetxt(path, closed_shape(count), delimiter=",")
    good = tuple((str(path), f"sent {number}.csv") for number, path in enumerate(paths[1:]))
    with pytest.raises(InputError) as caught:
        ScanInspector(detector).inspect(Order(str(paths[0]), "sent.csv", FACTS, good))
    assert caught.value.problem == "sent 1.csv: holds 50 points"


def test_connections_that_take_long_get_shorter_turns() -> None:
    class Transport:
        max_size = MOST_AT_ONCE

    protocol = WatchedProtocol.__new__(WatchedProtocol)
    protocol.transport = Transport()  # type: ignore[assignment]
    for _ in range(20):
        protocol._share_turns(2 * TURN_SECONDS)
    assert Transport.max_size == MOST_AT_ONCE and protocol.transport.max_size == FEWEST_AT_ONCE  # type: ignore[attr-defined]
    protocol._share_turns(TURN_SECONDS / 2)
    assert protocol.transport.max_size == FEWEST_AT_ONCE  # type: ignore[attr-defined]
    for _ in range(20):
        protocol._share_turns(0)
    assert protocol.transport.max_size == MOST_AT_ONCE  # type: ignore[attr-defined]


def test_bodies_in_chunks_of_a_byte() -> None:
    with serving() as address:
        order = b"nothing" + b" " * 30_000
        head = b"POST /predict?name=a.xyz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection = sent(address, head)
        body = b"".join(b"1\r\n%c\r\n" % byte for byte in order) + b"0\r\n\r\n"
        sending = threading.Thread(target=connection.sendall, args=(body,))
        sending.start()
        assert b" 200 " in connection.recv(1000)
        sending.join()
        connection.close()

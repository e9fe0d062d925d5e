"""The limits of the local web service: sizes, times, numbers, and clients who are slow, silent or gone."""

import contextlib
import gc
import threading
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.serving import (
    ask,
    command,
    form_of,
    head_of,
    health,
    sent,
    serving,
    together,
    upload_of,
    wait_until,
)

from pointad.commands.service import connections


def test_slow_uploads_keep_nobody_waiting() -> None:
    with serving(most_waiting=2) as address:
        slow = [sent(address, head_of("/predict?name=a.ply", "Content-Length: 9"), b"ply") for _ in range(20)]
        wait_until(lambda: health(address)["uploads"] == len(slow))
        assert command(address, "nothing")[0] == 200
        for connection in slow:
            connection.close()
        wait_until(lambda: health(address)["uploads"] == 0)


def test_uploads_that_take_too_long_are_told() -> None:
    with serving(upload_seconds=0.5) as address:
        slow = [sent(address, head_of("/predict?name=a.ply", "Content-Length: 9"), b"ply") for _ in range(3)]
        for connection in slow:
            assert b" 408 " in connection.recv(1000)
            connection.close()
        assert health(address)["uploads"] == 0


def test_more_uploads_than_there_is_room_for() -> None:
    with serving(most_uploads=2) as address:
        slow = [sent(address, head_of("/predict?name=a.ply", "Content-Length: 9")) for _ in range(2)]
        wait_until(lambda: health(address)["uploads"] == 2)
        status, facts = command(address, "nothing")
        assert status == 503 and "uploads" in facts["detail"]
        for connection in slow:
            connection.close()


def test_bodies_without_an_end() -> None:
    with serving(largest_upload=100_000) as address:
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
        assert health(address)["uploads"] == 0


def test_connections_that_say_nothing_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.WatchedProtocol, "request_seconds", 0.3)
    with serving() as address:
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


def test_nobody_holds_others_up_with_much_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def data_received(protocol: connections.WatchedProtocol, data: bytes) -> None:
        taken.append(len(data))
        connections.H11Protocol.data_received(protocol, data)

    monkeypatch.setattr(connections.WatchedProtocol, "data_received", data_received)
    with serving() as address:
        assert command(address, "nothing " + "a" * 1_000_000)[0] == 200
    assert sum(taken) > 1_000_000 and max(taken) <= connections.MOST_AT_ONCE


def test_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.WatchedProtocol, "most_connections", 3)
    with serving() as address:
        open_ones = [sent(address) for _ in range(3)]
        refused = sent(address)  # accepted in the order of connecting
        assert b" 503 " in refused.recv(1000)
        for connection in (*open_ones, refused):
            connection.close()


def test_senders_who_leave_free_their_place(caplog: pytest.LogCaptureFixture) -> None:
    with serving(most_waiting=4) as address:
        for _ in range(4):
            sent(address, upload_of(b"sleep 0.4")).close()
        sent(address, upload_of(b"sleep 0.4")[:-4]).close()  # in mid-upload
        # Until the service notices that they left, which takes a moment on a busy machine, it may be full.
        answers: list[dict[str, int]] = []

        def is_answered() -> bool:
            status, facts = command(address, "nothing")
            answers.append(facts)
            return status == 200

        wait_until(is_answered)
        wait_until(lambda: not any(health(address)[name] for name in ("uploads", "waiting")))
        assert answers[-1]["seen"] <= 3, "those who left before their turn are not inspected"
    assert not [record for record in caplog.records if record.exc_info]


def test_stopping_waits_for_nobody_who_is_slow(tmp_path: Path) -> None:
    found: list[int] = []
    told: list[bytes] = []

    def be_told_of_the_stop() -> None:
        told.append(upload.recv(1000))
        (tmp_path / "finish").touch()

    orders = [f"wait {tmp_path / 'finish'}"] * 2
    with serving(stop_seconds=20.0) as address:
        upload = sent(address, head_of("/predict?name=a.ply", "Content-Length: 9"), b"p")
        waiting = threading.Thread(target=lambda: found.extend(together(address, orders)))
        waiting.start()
        wait_until(lambda: health(address)["waiting"] == 2)
        stopping = threading.Thread(target=be_told_of_the_stop)
        stopping.start()
    waiting.join()
    stopping.join()
    assert found == [200, 503], "the one at work is finished, the one that waits is told"
    assert b" 503 " in told[0]
    upload.close()


def test_stopping_waits_for_no_scan_that_takes_long(caplog: pytest.LogCaptureFixture) -> None:
    with serving(stop_seconds=1.0) as address:
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.extend(together(address, ["loop"])))
        waiting.start()
        wait_until(lambda: health(address)["waiting"] == 1)
    waiting.join()
    gc.collect()  # tasks whose error nobody asked for would be logged now
    assert found == [503] and not [record for record in caplog.records if record.exc_info]


def test_a_scan_without_an_end_keeps_nobody_from_an_answer() -> None:
    with serving(most_waiting=2) as address:
        asking = [sent(address, upload_of(b"loop")) for _ in range(2)]
        wait_until(lambda: health(address)["waiting"] == 2)
        assert command(address, "nothing")[0] == 503
        assert ask(f"{address}/")[0] == 200
        for connection in asking:
            connection.close()


def test_uploads_are_limited_in_size() -> None:
    with serving(largest_upload=1000) as address:
        status, facts = command(address, "x" * 1001)
        assert status == 413 and "0.001 MB" in facts["detail"]
        assert command(address, "x" * 1000)[0] == 200


def test_scans_are_inspected_one_at_a_time_and_few_may_wait(tmp_path: Path) -> None:
    found: list[int] = []
    with serving(most_waiting=3) as address:
        orders = [f"wait {tmp_path / 'finish'}"] * 3
        waiting = threading.Thread(target=lambda: found.extend(together(address, orders)))
        waiting.start()
        wait_until(lambda: health(address)["waiting"] == 3)
        assert command(address, "nothing")[0] == 503
        (tmp_path / "finish").touch()
        waiting.join()
    assert found == [200, 200, 200]


def test_long_names_are_shown_shortened(caplog: pytest.LogCaptureFixture) -> None:
    long, in_address = "x" * 3_000, "x" * 1_900  # forms and addresses allow no longer ones
    scan, good = ("file", f"{long}.xyz", b"nothing"), ("good", f"{long}.xyz", b"nothing")
    fault = ("file", f"{long}.xyz", b"raise ValueError")
    foreign = [{"Host": long}, {"Origin": f"http://{long}.example"}]
    with serving() as address:
        answers = [
            ask(f"{address}/predict?name={in_address}.xyz", b"nothing"),
            *(ask(f"{address}/predict?name=a.{suffix}", b"") for suffix in (in_address, "e57" * 600)),
            *(ask(f"{address}/predict", body, **headers) for body, headers in (form_of(scan, good), form_of(fault))),
            *(ask(f"{address}/predict?name=a.xyz", b"nothing", **headers) for headers in foreign),
            *(ask(f"{address}/{path}") for path in (in_address, f"docs/{in_address}", f"health?{in_address}")),
            ask(f"{address}/predict?name=a.xyz&reference={in_address}", b"nothing"),
        ]
    assert [status for status, _ in answers] == [200, 422, 422, 200, 500, 400, 403, 404, 404, 200, 404]
    assert max(len(text) for _, text in answers) < 1_500
    assert caplog.records and max(len(record.getMessage()) for record in caplog.records) < 1_500

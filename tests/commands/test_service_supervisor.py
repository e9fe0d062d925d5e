"""The keeper of the process that inspects: answers that come too late or cannot be read; a stop that is cut short."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.obedient_inspectors import ObedientInspector, refusing_inspector

from pointad.commands.service import supervisor as supervising
from pointad.commands.service.child import FACTS, READY, Answer, Connection, Order, receive_answer
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.supervisor import NotReadyError, ProcessEndedError, Supervisor


def late(answer: Answer) -> Answer:
    time.sleep(1.0)
    return answer


def too_large(answer: Answer) -> Answer:
    raise MemoryError


@pytest.mark.parametrize(("receive", "expected"), [(late, TimeoutError), (too_large, ProcessEndedError)])
def test_an_answer_that_was_not_taken_reaches_nobody_else(
    receive: Callable[[Answer], Answer], expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = [receive]

    def received(connection: Connection, most_bytes: int) -> Answer:
        answer = receive_answer(connection, most_bytes)
        return answer if answer.outcome == READY or not strange else strange.pop()(answer)

    async def ask_twice() -> Answer:
        supervisor = Supervisor(ObedientInspector, tmp_path, 60.0)
        await supervisor.start()
        try:
            supervisor._seconds = 0.2 if receive is late else 60.0
            with pytest.raises(expected):
                await supervisor.ask(Order(str(scan), "first", FACTS))
            supervisor._seconds = 60.0
            return await supervisor.ask(Order(str(scan), "second", FACTS))
        finally:
            await supervisor.close()

    monkeypatch.setattr(supervising, "receive_answer", received)
    scan = tmp_path / "scan.xyz"
    scan.write_text("nothing")
    assert b'"file": "second"' in asyncio.run(ask_twice()).text


def test_orders_of_a_process_that_was_killed_while_it_rested_wait_for_the_next_one(tmp_path: Path) -> None:
    async def ask_the_dead() -> Answer:
        supervisor = Supervisor(ObedientInspector, tmp_path, 60.0)
        await supervisor.start()
        try:
            child = supervisor._child
            assert child is not None
            child.process.kill()  # the event loop cannot know it yet
            return await supervisor.ask(Order(str(scan), "waiting", FACTS))
        finally:
            await supervisor.close()

    scan = tmp_path / "scan.xyz"
    scan.write_text("nothing")
    assert b'"file": "waiting"' in asyncio.run(ask_the_dead()).text


def test_a_process_that_hangs_while_it_loads_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def hang_once() -> Answer:
        supervisor = Supervisor(partial(refusing_inspector, tmp_path), tmp_path, 60.0)
        await supervisor.start()
        try:
            supervisor._loading_seconds = 0.2
            hanging.touch()
            scan.write_text("abort")
            with pytest.raises(ProcessEndedError):
                await supervisor.ask(Order(str(scan), "first", FACTS))
            with pytest.raises(NotReadyError):
                await supervisor.ask(Order(str(scan), "second", FACTS))
            supervisor._loading_seconds = 60.0
            hanging.unlink()
            scan.write_text("nothing")
            while not supervisor.is_ready:
                await asyncio.sleep(0.01)
            return await supervisor.ask(Order(str(scan), "third", FACTS))
        finally:
            await supervisor.close()

    scan, hanging = tmp_path / "scan.xyz", tmp_path / "hang"
    assert b'"file": "third"' in asyncio.run(hang_once()).text
    assert "the inspection process ended while loading the model (after 0.2 s; SIGKILL)" in caplog.text


def test_a_stop_that_is_cut_short_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def stop_twice() -> None:
        service = InspectionService(ObedientInspector)
        await service.start()
        assert list(tmp_path.iterdir())
        stopping = asyncio.ensure_future(service.close())
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait({stopping})

    asyncio.run(stop_twice())
    assert not list(tmp_path.iterdir())

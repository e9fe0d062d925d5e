"""The keeper of the process that inspects: answers that come too late or cannot be read; a stop that is cut short."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.obedient_inspectors import ObedientInspector

from pointad.commands.service import supervisor as supervising
from pointad.commands.service.child import FACTS, READY, Answer, Connection, Order, receive_answer
from pointad.commands.service.inspections import InspectionService
from pointad.commands.service.supervisor import ProcessEndedError, Supervisor


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

"""Inspects uploaded scans one at a time, for senders who wait for the answer and no longer."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import HTTPException, Request

from pointad.commands.serve_settings import MEGABYTE
from pointad.commands.service.child import DONE, NO_MEMORY, REFUSED, Answer, Inspector, Model, Order
from pointad.commands.service.supervisor import NotReadyError, ProcessEndedError, Supervisor
from pointad.commands.service.uploads import BUSY, GONE, TOO_LARGE, Upload, Uploads
from pointad.errors import shown
from pointad.scans.files import SUFFIXES

logger = logging.getLogger(__name__)

TOO_SLOW, UNREADABLE, FAULT, TOOK_TOO_LONG = 408, 422, 500, 504
STOPPING = "the service is stopping"
_STATUS = {REFUSED: UNREADABLE, NO_MEMORY: TOO_LARGE}  # of answers that are none


class InspectionService:
    """Receives uploads within limits and has them inspected one at a time, in a process of their own.

    Args:
        make: loads the model in that process.
        largest_upload: bytes.
        upload_seconds: how long an upload may take.
        predict_seconds: how long an answer may take, waiting included. The process is ended, and started again, when
            a scan keeps it busy for longer.
        most_waiting: how many complete scans may wait or be inspected; further ones are refused.
        most_uploads: how many uploads may be open.
        stop_seconds: how long an inspection may continue after the service is stopped.
    """

    def __init__(
        self,
        make: Callable[[], Inspector],
        *,
        largest_upload: int = 200 * MEGABYTE,
        upload_seconds: float = 60.0,
        predict_seconds: float = 120.0,
        most_waiting: int = 4,
        most_uploads: int = 64,
        stop_seconds: float = 8.0,
    ) -> None:
        self.stop_seconds = stop_seconds
        self._uploads = Uploads(largest_upload, most_uploads, (most_waiting + 1) * largest_upload)
        self._upload_seconds = upload_seconds
        self._predict_seconds = predict_seconds
        self._most_waiting = most_waiting
        self._waiting = 0  # complete uploads without an answer
        self._turn = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._folder = Path(tempfile.mkdtemp(prefix="pointad_"))
        self._supervisor = Supervisor(make, self._folder, predict_seconds)

    @property
    def model(self) -> Model:
        """What is loaded."""
        return self._supervisor.model

    @property
    def load(self) -> dict[str, bool | int]:
        """Whether scans can be inspected, how many uploads are open, and how many scans wait or are inspected."""
        return {"ready": self._supervisor.is_ready, "uploads": self._uploads.open, "waiting": self._waiting}

    async def start(self) -> None:
        """Load the model.

        Raises:
            PointADError: something of the model is missing.
            MemoryError: the model does not fit.
        """
        await self._supervisor.start()

    async def close(self) -> None:
        """End the inspection at work, and remove what was stored on disk."""
        await self._supervisor.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """Take nothing more: uploads and waiting scans are refused at once, the one at work gets `stop_seconds`."""
        self._stopping.set()

    async def inspect(self, request: Request, name: str, form: str) -> bytes:
        """Inspect the file in a request.

        Args:
            request: with the file as its body or in a form.
            name: the file's; may be empty for forms, which contain it.
            form: of the answer, FACTS or PAGE.

        Returns:
            JSON or HTML, UTF-8.

        Raises:
            HTTPException: with a status and a sentence that say what is wrong.
        """
        self._refuse_when_full()
        upload = await self._whole(self._uploads.receive(request, name))
        suffix = Path(upload.name).suffix.lower()  # nothing else of the name is used as a path
        if suffix not in SUFFIXES:
            said = f"{shown(upload.name)}: has the unsupported extension {suffix!r}; use one of {', '.join(SUFFIXES)}"
            raise HTTPException(UNREADABLE, said)
        self._refuse_when_full()
        self._waiting += 1
        order = Order(str(self._folder / f"scan{suffix}"), shown(Path(upload.name).name), form)
        try:
            answer = await self._answer(request, upload, order)
        except ProcessEndedError as ended:
            said = f"not inspected; the process that did it ended ({ended})"
            raise HTTPException(FAULT, f"{shown(upload.name)}: {said}") from None
        except NotReadyError:
            raise HTTPException(BUSY, "scans cannot be inspected at present; try again later") from None
        except TimeoutError:
            raise self._took_too_long() from None
        except OSError as error:
            logger.error("%s: not stored (%s)", upload.name, error.strerror)
            raise HTTPException(FAULT, f"{shown(upload.name)}: not stored ({error.strerror})") from None
        finally:
            self._waiting -= 1
        if answer.outcome != DONE:
            said = answer.text.decode(errors="replace")
            raise HTTPException(_STATUS.get(answer.outcome, FAULT), f"{shown(upload.name)}: {said}")
        return answer.text

    def _refuse_when_full(self) -> None:
        if self._stopping.is_set():
            raise HTTPException(BUSY, STOPPING)
        if self._waiting >= self._most_waiting:
            raise HTTPException(BUSY, f"{self._waiting} scans are waiting already; try again later")

    async def _whole(self, receiving: Awaitable[Upload]) -> Upload:
        """An upload that is complete in time and before the service stops."""
        task = asyncio.ensure_future(receiving)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            done, _ = await asyncio.wait(
                {task, stopping}, timeout=self._upload_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
        if task in done:
            return task.result()
        if stopping in done:
            raise HTTPException(BUSY, STOPPING)
        raise HTTPException(TOO_SLOW, f"no complete upload within {self._upload_seconds:g} s")

    async def _answer(self, request: Request, upload: Upload, order: Order) -> Answer:
        """What is found in a scan, unless the sender leaves, the time is up, or the service stops before."""
        running = asyncio.Event()
        task = asyncio.ensure_future(self._in_turn(upload, order, running))
        gone = asyncio.ensure_future(_until_gone(request))
        stopping = asyncio.ensure_future(self._until_stopped(running))
        try:
            done, _ = await asyncio.wait(
                {task, gone, stopping}, timeout=self._predict_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if task in done:
                return task.result()
        finally:
            for pending in (task, gone, stopping):  # a scan that still waits for its turn leaves the queue by this
                pending.cancel()
            await asyncio.wait({task, gone, stopping}, timeout=1)
            if task.done() and not task.cancelled():
                task.exception()  # nobody asks for it any more
        if gone in done:
            logger.info("%s: the sender is gone", upload.name)
            raise HTTPException(GONE, "the sender is gone")
        if stopping in done:
            raise HTTPException(BUSY, STOPPING)
        raise self._took_too_long()

    async def _in_turn(self, upload: Upload, order: Order, running: asyncio.Event) -> Answer:
        await self._turn.acquire()
        running.set()
        inspecting = asyncio.ensure_future(self._inspect_now(upload, order))
        inspecting.add_done_callback(self._finished)
        return await asyncio.shield(inspecting)  # when nobody waits any more, it still has the turn

    async def _until_stopped(self, running: asyncio.Event) -> None:
        await self._stopping.wait()
        if running.is_set():
            await asyncio.sleep(self.stop_seconds)

    def _finished(self, inspecting: "asyncio.Future[Answer]") -> None:
        self._turn.release()
        if not inspecting.cancelled():
            inspecting.exception()  # whoever waits gets it; when nobody does, it is no fault of the event loop

    async def _inspect_now(self, upload: Upload, order: Order) -> Answer:
        path = Path(order.path)
        try:
            await asyncio.to_thread(path.write_bytes, upload.content)
            return await self._supervisor.ask(order)
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _took_too_long(self) -> HTTPException:
        return HTTPException(TOOK_TOO_LONG, f"no answer within {self._predict_seconds:g} s")


async def _until_gone(request: Request) -> None:
    """Return when the sender has closed the connection; to be called when the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

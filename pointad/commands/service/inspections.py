"""Inspects uploaded scans one at a time, for senders who wait for the answer and no longer."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from fastapi import HTTPException, Request

from pointad.commands.serve_settings import MEGABYTE
from pointad.commands.service.uploads import BUSY, GONE, TOO_LARGE, Upload, Uploads
from pointad.commands.service.worker import Worker
from pointad.errors import InputError, PointADError, shown
from pointad.inspection.predictor import PointAD
from pointad.inspection.scan_file import Inspection, inspect_file
from pointad.reference.reference import Reference
from pointad.scans.files import SUFFIXES

logger = logging.getLogger(__name__)

TOO_SLOW, UNREADABLE, FAULT, TOOK_TOO_LONG = 408, 422, 500, 504
STOPPING = "the service is stopping"

Answer = TypeVar("Answer")


class InspectionService:
    """Receives uploads within limits and inspects them one at a time.

    Args:
        detector: the loaded model.
        reference: good scans that every scan is compared with; None: zero-shot.
        largest_upload: bytes.
        upload_seconds: how long an upload may take.
        predict_seconds: how long an answer may take, waiting included. A scan that takes longer is finished in the
            background, since threads cannot be stopped; until then others wait.
        most_waiting: how many complete scans may wait or be inspected; further ones are refused.
        most_uploads: how many uploads may be open.
        stop_seconds: how long an inspection may continue after the service is stopped.
    """

    def __init__(
        self,
        detector: PointAD,
        *,
        reference: Reference | None = None,
        largest_upload: int = 200 * MEGABYTE,
        upload_seconds: float = 60.0,
        predict_seconds: float = 120.0,
        most_waiting: int = 4,
        most_uploads: int = 64,
        stop_seconds: float = 10.0,
    ) -> None:
        self.detector = detector
        self._reference = reference
        self.stop_seconds = stop_seconds
        self._uploads = Uploads(largest_upload, most_uploads, (most_waiting + 1) * largest_upload)
        self._upload_seconds = upload_seconds
        self._predict_seconds = predict_seconds
        self._most_waiting = most_waiting
        self._waiting = 0  # complete uploads without an answer
        self._turn = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._worker = Worker()
        self._folder = Path(tempfile.mkdtemp(prefix="pointad_"))

    @property
    def load(self) -> dict[str, int]:
        """How many uploads are open, and how many scans wait or are inspected."""
        return {"uploads": self._uploads.open, "waiting": self._waiting}

    @property
    def is_busy(self) -> bool:
        """Whether a scan is being inspected now."""
        return self._worker.is_busy

    def stop(self) -> None:
        """Take nothing more: uploads and waiting scans are refused at once, the one at work gets `stop_seconds`."""
        self._stopping.set()

    def clean_up(self) -> None:
        """Remove what was stored on disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def inspect(self, request: Request, name: str, present: Callable[[Inspection], Answer]) -> Answer:
        """Inspect the file in a request.

        Args:
            request: with the file as its body or in a form.
            name: the file's; may be empty for forms, which contain it.
            present: makes the answer from the inspection; run outside the event loop, since it may be slow.

        Raises:
            HTTPException: with a status and a sentence that say what is wrong.
        """
        self._refuse_when_full()
        upload = await self._whole(self._uploads.receive(request, name))
        suffix = Path(upload.name).suffix.lower()  # nothing else of the name is used as a path
        if suffix not in SUFFIXES:
            said = f"{shown(upload.name)}: unsupported extension; use one of {', '.join(SUFFIXES)}"
            raise HTTPException(UNREADABLE, said)
        self._refuse_when_full()
        self._waiting += 1
        try:
            return await self._answer(request, upload, lambda: present(self._inspect_now(upload, suffix)))
        except PointADError as error:
            said = f"{error.problem}; {error.remedy}" if isinstance(error, InputError) else str(error)
            raise HTTPException(UNREADABLE, f"{shown(upload.name)}: {shown(said)}") from None
        except MemoryError:
            raise HTTPException(TOO_LARGE, f"{shown(upload.name)}: too large for the memory of this machine") from None
        except HTTPException:
            raise
        except Exception as error:  # a fault of the program on one scan must not stop the service
            logger.exception("%s", upload.name)
            raise HTTPException(FAULT, f"{shown(upload.name)}: not inspected ({type(error).__name__})") from None
        finally:
            self._waiting -= 1

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

    async def _answer(self, request: Request, upload: Upload, work: Callable[[], Answer]) -> Answer:
        """What the worker makes of a scan, unless the sender leaves, the time is up, or the service stops before."""
        running = asyncio.Event()
        task = asyncio.ensure_future(self._in_turn(work, running))
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
        raise HTTPException(TOOK_TOO_LONG, f"no answer within {self._predict_seconds:g} s")

    async def _in_turn(self, work: Callable[[], Answer], running: asyncio.Event) -> Answer:
        await self._turn.acquire()
        running.set()
        future = self._worker.submit(work)
        future.add_done_callback(self._finished)
        return await asyncio.shield(future)  # when nobody waits any more, the thread still holds the lock

    async def _until_stopped(self, running: asyncio.Event) -> None:
        await self._stopping.wait()
        if running.is_set():
            await asyncio.sleep(self.stop_seconds * 0.8)

    def _finished(self, future: "asyncio.Future[Answer]") -> None:
        self._turn.release()
        if not future.cancelled():
            future.exception()  # whoever waits gets it; when nobody does, it is no fault of the event loop

    def _inspect_now(self, upload: Upload, suffix: str) -> Inspection:
        path = self._folder / f"scan{suffix}"
        try:
            path.write_bytes(upload.content)
            options = {} if self._reference is None else {"reference": self._reference}
            return inspect_file(self.detector, path, name=shown(Path(upload.name).name), options=options)
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


async def _until_gone(request: Request) -> None:
    """Return when the sender has closed the connection; to be called when the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""Inspects uploaded scans one at a time, for senders who wait for the answer and no longer."""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fastapi import HTTPException, Request

from pointad.commands.serve_settings import MEGABYTE
from pointad.commands.service.child import DONE, NO_MEMORY, REFERENCE, REFUSED, Answer, Inspector, Model, Order
from pointad.commands.service.kept_references import KeptReferences
from pointad.commands.service.stored_files import StoredFile, remove_all, stored_good, write_all
from pointad.commands.service.supervisor import NotReadyError, ProcessEndedError, Supervisor
from pointad.commands.service.uploads import (
    BUSY,
    FIELD,
    GONE,
    GOOD_FIELD,
    NO_FORM,
    TOO_LARGE,
    UNREADABLE,
    Upload,
    Uploads,
)
from pointad.errors import short

logger = logging.getLogger(__name__)

NOT_KEPT, TOO_SLOW, FAULT, TOOK_TOO_LONG = 404, 408, 500, 504
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
        self._kept = KeptReferences(self._folder)
        self._supervisor = Supervisor(make, self._folder, predict_seconds)

    @property
    def model(self) -> Model:
        """What is loaded."""
        return self._supervisor.model

    @property
    def load(self) -> dict[str, bool | int]:
        """Whether scans can be inspected, how many uploads are open, and how many scans wait or are inspected."""
        return {"ready": self._supervisor.is_ready, "uploads": self._uploads.open, "waiting": self._waiting}

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is taken."""
        return self._stopping.is_set()

    async def start(self) -> None:
        """Load the model.

        Raises:
            PointADError: something of the model is missing.
            MemoryError: the model does not fit.
        """
        await self._supervisor.start()

    async def close(self) -> None:
        """End the inspection at work, and remove what was stored on disk."""
        try:
            await self._supervisor.close()
        finally:  # a second signal cancels the rest
            shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """Take nothing more: uploads and waiting scans are refused at once, the one at work gets `stop_seconds`."""
        self._stopping.set()

    async def inspect(self, request: Request, name: str, form: str, reference: str | None = None) -> bytes:
        """Inspect the scan in a request.

        Args:
            request: with the scan as its body or in a form, which may hold good scans or the name of a reference.
            name: the scan's; may be empty for forms, which contain it.
            form: of the answer, FACTS or PAGE.
            reference: name of good scans that were sent before; may be in the form too.

        Returns:
            JSON or HTML, UTF-8.

        Raises:
            HTTPException: with a status and a sentence that say what is wrong.
        """
        self._refuse_when_full()
        upload = await self._whole(self._uploads.receive(request, name))
        if upload.file is None:
            raise HTTPException(NO_FORM, f"the form has no file in its field {FIELD!r}")
        named = reference if upload.reference is None else upload.reference
        if reference not in (None, named):
            raise HTTPException(UNREADABLE, "two references are named; name one, in the address or in the form")
        if named == "":  # by a program whose request for a reference failed
            raise HTTPException(UNREADABLE, "the name of the reference is empty; give the one that /reference answered")
        if named is not None and upload.good:
            raise HTTPException(UNREADABLE, "good scans and a reference were sent; send one of the two")
        scan, good = StoredFile(self._folder, "scan", upload.file), stored_good(self._folder, upload.good)
        path = "" if named is None else self._path_of(named)
        order = Order(str(scan.path), scan.name, form, _named(good), path)
        return await self._carried_out(request, order, [scan, *good], short(upload.file.name))

    async def make_reference(self, request: Request) -> bytes:
        """Make a reference of the good scans in a form, and keep it for a while.

        Args:
            request: with the form.

        Returns:
            JSON, UTF-8: the name of the reference, and facts about it.

        Raises:
            HTTPException: with a status and a sentence that say what is wrong.
        """
        self._refuse_when_full()
        upload = await self._whole(self._uploads.receive(request, ""))
        if upload.file is not None or upload.reference is not None or not upload.good:
            raise HTTPException(NO_FORM, f"not a form with good scans, and nothing else, in its fields {GOOD_FIELD!r}")
        name, path = self._kept.new()
        files = stored_good(self._folder, upload.good)
        order = Order(str(path), name, REFERENCE, good=_named(files))
        return await self._carried_out(request, order, files, "good scans")

    def _path_of(self, reference: str) -> str:
        path = self._kept.path(reference)
        if path is None:
            raise HTTPException(
                NOT_KEPT, "this reference does not exist or is no longer kept; send the good scans again"
            )
        return str(path)

    async def _carried_out(self, request: Request, order: Order, files: Sequence[StoredFile], subject: str) -> bytes:
        """The answer to an order whose files were received; errors begin with what it is about."""
        self._refuse_when_full()
        self._waiting += 1
        try:
            answer = await self._answer(request, files, order)
        except ProcessEndedError as ended:
            raise self._fault(subject, f"not inspected: the inspection process ended ({ended})") from None
        except NotReadyError:
            raise HTTPException(BUSY, "scans cannot be inspected at the moment; try again later") from None
        except TimeoutError:
            raise self._took_too_long() from None
        except OSError as error:
            raise self._fault(subject, f"not stored ({error.strerror})") from None
        finally:
            self._waiting -= 1
        if answer.outcome == DONE:
            return answer.text
        said = answer.text.decode(errors="replace")
        if answer.outcome not in _STATUS:
            raise self._fault(subject, said)
        raise HTTPException(_STATUS[answer.outcome], f"{subject}: {said}")

    def _refuse_when_full(self) -> None:
        if self._stopping.is_set():
            raise HTTPException(BUSY, STOPPING)
        if self._waiting >= self._most_waiting:
            raise HTTPException(BUSY, f"{self._waiting} scans are already waiting; try again later")

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

    async def _answer(self, request: Request, files: Sequence[StoredFile], order: Order) -> Answer:
        """What is found in a scan, unless the sender leaves, the time is up, or the service stops before."""
        running = asyncio.Event()
        task = asyncio.ensure_future(self._in_turn(files, order, running))
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
            logger.info("%s: the sender is gone", order.name)
            raise HTTPException(GONE, "the sender is gone")
        if stopping in done:
            raise HTTPException(BUSY, STOPPING)
        raise self._took_too_long()

    async def _in_turn(self, files: Sequence[StoredFile], order: Order, running: asyncio.Event) -> Answer:
        await self._turn.acquire()
        running.set()
        inspecting = asyncio.ensure_future(self._inspect_now(files, order))
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

    async def _inspect_now(self, files: Sequence[StoredFile], order: Order) -> Answer:
        try:
            digests = await asyncio.to_thread(write_all, files)
            if order.form != REFERENCE:
                return await self._supervisor.ask(replace(order, copy_of=self._copied(order, digests)))
            answer = await self._supervisor.ask(order)
            if answer.outcome == DONE:  # counted even when nobody waits for its name any more
                names = (name for _, name in order.good)
                self._kept.keep(order.name, Path(order.path), dict(zip(digests, names, strict=True)))
            return answer
        finally:
            if order.form == REFERENCE:
                self._kept.clean_up(order.name, Path(order.path))
            remove_all(files)

    def _copied(self, order: Order, digests: Sequence[bytes]) -> str:
        """The good scan among those sent now or before that holds the same as the scan, the first of the files."""
        good: Mapping[bytes, str] = dict(zip(digests[1:], (name for _, name in order.good), strict=True))
        return (good or self._kept.good_in(Path(order.reference))).get(digests[0], "")

    def _fault(self, subject: str, said: str) -> HTTPException:
        logger.error("%s: %s", subject, said)  # beside the traceback that the process may have logged
        return HTTPException(FAULT, f"{subject}: {said}")

    def _took_too_long(self) -> HTTPException:
        return HTTPException(TOOK_TOO_LONG, f"no answer within {self._predict_seconds:g} s")


def _named(files: Sequence[StoredFile]) -> tuple[tuple[str, str], ...]:
    return tuple((str(each.path), each.name) for each in files)


async def _until_gone(request: Request) -> None:
    """Return when the sender has closed the connection; to be called when the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

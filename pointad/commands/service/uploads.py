"""Receives files over HTTP within limits of size, time and memory, as raw bodies or as forms."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from pointad.commands.serve_settings import MEGABYTE

NO_FORM, TOO_LARGE, BUSY, GONE = 400, 413, 503, 499
FIELD = "file"
_FORM_BYTES = 64 * 1024  # overhead of a form besides its file


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes | bytearray


@dataclass
class Uploads:
    """Receives files, and refuses those that would take more than their share.

    An upload that is not complete holds no place among the scans that wait to be inspected: whoever sends slowly keeps
    nobody else waiting.
    """

    largest: int  # bytes of a file
    most_at_once: int  # uploads that may be open
    most_bytes: int  # of all uploads together
    _open: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)

    @property
    def open(self) -> int:
        """How many uploads are under way."""
        return self._open

    async def receive(self, request: Request, name: str) -> Upload:
        """Read the file in a request.

        Args:
            request: with the file as its body, or with a form whose field "file" holds it.
            name: the file's, from the address; when empty, it is taken from the form.

        Raises:
            HTTPException: the file is too large, there is no file, too many are under way, or the sender is gone.
        """
        if self._open >= self.most_at_once:
            raise HTTPException(BUSY, f"{self._open} uploads are under way already; try again later")
        self._open += 1
        counted = _Counted()
        try:
            if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                return await self._receive_form(request, name, counted)
            content = bytearray()
            async for chunk in self._chunks(request, counted, self.largest):
                content += chunk
            return Upload(name, content)
        except ClientDisconnect:
            raise HTTPException(GONE, "the sender is gone") from None
        finally:
            self._open -= 1
            self._bytes -= counted.bytes

    async def _receive_form(self, request: Request, name: str, counted: "_Counted") -> Upload:
        chunks = self._chunks(request, counted, self.largest + _FORM_BYTES)
        try:
            form = await MultiPartParser(request.headers, chunks, max_files=1, max_fields=8).parse()
            try:
                file = form.get(FIELD)
                if not isinstance(file, UploadFile):
                    raise HTTPException(NO_FORM, f"the form has no file in its field {FIELD!r}")
                return Upload(name or file.filename or "", await file.read())
            finally:
                await form.close()
        except (MultiPartException, KeyError, ValueError) as error:  # the last two: a header without what it needs
            raise HTTPException(NO_FORM, f"not a form with a file ({error})") from None

    async def _chunks(self, request: Request, counted: "_Counted", largest: int) -> AsyncGenerator[bytes, None]:
        promised = request.headers.get("content-length", "0")
        if not promised.isdecimal() or len(promised) > 18 or int(promised) > largest:
            raise self._too_large()
        async for chunk in request.stream():
            counted.bytes += len(chunk)
            self._bytes += len(chunk)
            if counted.bytes > largest:
                raise self._too_large()
            if self._bytes > self.most_bytes:
                raise HTTPException(BUSY, "the uploads under way take all the memory for them; try again later")
            yield chunk

    def _too_large(self) -> HTTPException:
        return HTTPException(TOO_LARGE, f"larger than {self.largest / MEGABYTE:g} MB")


@dataclass
class _Counted:
    bytes: int = 0

"""Receives files over HTTP within limits of size, time and memory, as raw bodies or as forms."""

import re
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from fastapi import HTTPException, Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from pointad.commands.serve_settings import MEGABYTE
from pointad.errors import short
from pointad.scans.files import SUFFIXES

NO_FORM, TOO_LARGE, ENCODED, UNREADABLE, BUSY, GONE = 400, 413, 415, 422, 503, 499
FIELDS = FIELD, GOOD_FIELD, REFERENCE_FIELD = "file", "good", "reference"
MOST_GOOD = 16  # good scans in one form
_CHARACTER_SETS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"iso-8859-1"})  # Python has slow ones, such as punycode
_PLAIN_ENCODINGS = frozenset({b"binary", b"8bit", b"7bit"})  # of parts of a form: none (RFC 2045, 6.2)
_ENCODED_NAME = re.compile(rb";\s*filename\*\s*=\s*\"?utf-8'[^']*'([^;\s\"]*)", re.IGNORECASE)
_PLAIN_NAME = re.compile(rb";\s*filename\s*=", re.IGNORECASE)
_ESCAPED, _QUOTED = re.compile(rb"\\."), re.compile(rb'"[^"]*"')
_PARAMETER = re.compile(rb";\s*([a-z*]+)\s*=")
_NOT_ENCODED = (b"", b"identity")
_FORM_BYTES = 64 * 1024  # overhead of a form besides its files


@dataclass(frozen=True)
class SentFile:
    """A file as it was sent."""

    name: str
    content: bytes | bytearray


@dataclass(frozen=True)
class Upload:
    """What a request holds."""

    file: SentFile | None  # the scan to be judged; requests for a reference have none, nor have empty forms
    good: tuple[SentFile, ...] = ()  # good scans to compare it with
    reference: str | None = None  # name of good scans that were sent before


@dataclass
class Uploads:
    """Receives files, and refuses those that would take more than their share.

    An upload that is not complete holds no place among the scans that wait to be inspected: whoever sends slowly keeps
    nobody else waiting.
    """

    largest: int  # bytes of the files in one request
    most_at_once: int  # uploads that may be open
    most_bytes: int  # of all uploads together
    _open: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)

    @property
    def open(self) -> int:
        """How many uploads are under way."""
        return self._open

    async def receive(self, request: Request, name: str) -> Upload:
        """Read the files in a request.

        Args:
            request: with a scan as its body; or with a form: a scan in the field "file", good scans in any number of
                fields "good", the name of a reference in the field "reference".
            name: the scan's, from the address; when empty, it is taken from the form.

        Raises:
            HTTPException: the files are too large or compressed, there is a part of one, too many are under way, or
                the sender is gone.
        """
        _refuse_other_bodies(request.headers)
        if self._open >= self.most_at_once:
            raise HTTPException(BUSY, f"{self._open} uploads are already in progress; try again later")
        self._open += 1
        counted = _Counted()
        try:
            if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                return await self._receive_form(request, name, counted)
            content = bytearray()
            async for chunk in self._chunks(request, counted, self.largest):
                content += chunk
            return Upload(SentFile(name, content))
        except ClientDisconnect:
            raise HTTPException(GONE, "the sender is gone") from None
        finally:
            self._open -= 1
            self._bytes -= counted.bytes

    async def _receive_form(self, request: Request, name: str, counted: "_Counted") -> Upload:
        chunks = self._chunks(request, counted, self.largest + _FORM_BYTES)
        named = parse_options_header(request.headers["content-type"])[1].get(b"charset", b"utf-8")
        if named.lower() not in _CHARACTER_SETS:
            raise HTTPException(NO_FORM, "the form is in another character set than UTF-8; send it in UTF-8")
        try:
            form = await _WholeForms(request.headers, chunks, max_files=1 + MOST_GOOD, max_fields=8).parse()
            try:
                _refuse_unknown(form)
                files, good = _files_in(form, FIELD), _files_in(form, GOOD_FIELD)
                if len(files) > 1:
                    raise HTTPException(NO_FORM, f"the form has several files in its field {FIELD!r}; send one a form")
                if len(good) > MOST_GOOD:
                    raise HTTPException(NO_FORM, f"the form has {len(good)} good scans; send at most {MOST_GOOD}")
                return Upload(
                    file=await _read(files[0], _one_name(name, files[0])) if files else None,
                    good=tuple([await _read(each) for each in good]),
                    reference=_text_in(form, REFERENCE_FIELD),
                )
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
                raise HTTPException(
                    BUSY, "the uploads in progress take all the memory reserved for uploads; try again later"
                )
            yield chunk

    def _too_large(self) -> HTTPException:
        return HTTPException(TOO_LARGE, f"larger than {self.largest / MEGABYTE:g} MB")


class _WholeForms(MultiPartParser):
    """Takes forms that end as they should: of others, parts would be missing without a word.

    Their files are in memory, as bodies are: on disk, each would be an open file, of which there may be too few.
    """

    spool_max_size = sys.maxsize
    _has_ended = False

    def on_headers_finished(self) -> None:
        part = self._current_part
        _refuse_twofold(part.item_headers)
        part.content_disposition = with_plain_name(part.content_disposition or b"")
        headers = dict(part.item_headers)
        if headers.get(b"content-encoding", b"").strip().lower() not in _NOT_ENCODED:
            raise MultiPartException("A part is compressed or encoded; send it as it is.")
        if b"content-range" in headers:  # its points alone would be scored otherwise than the whole scan
            raise MultiPartException("A part is only a piece of a file (Content-Range); send the whole file.")
        encoding = headers.get(b"content-transfer-encoding", b"binary")
        if encoding.strip().lower() not in _PLAIN_ENCODINGS:  # it would be read as it stands
            raise MultiPartException(f"A part is encoded as {short(encoding.decode('latin-1'))}; send it as it is.")
        super().on_headers_finished()

    def on_end(self) -> None:
        self._has_ended = True

    async def parse(self) -> FormData:
        boundary = parse_options_header(self.headers["content-type"])[1].get(b"boundary", b"")
        self.stream = self._up_to_the_end(self.stream, b"\r\n--" + boundary + b"--")
        form = await super().parse()
        if not self._has_ended:
            await form.close()
            raise MultiPartException("It does not end with its boundary.")
        return form

    async def _up_to_the_end(self, stream: AsyncGenerator[bytes, None], closing: bytes) -> AsyncGenerator[bytes, None]:
        """What is sent, as long as nothing follows the closing boundary: the parser would drop another form there."""
        before, most = b"\r\n", len(closing) - 1  # of what may be the beginning of the closing boundary
        async for chunk in stream:
            had_ended = self._has_ended
            yield chunk  # the parser has read it when this goes on
            if self._has_ended:
                rest = chunk if had_ended else (before + chunk).partition(closing)[2]
                if rest.strip(b" \t\r\n"):
                    raise MultiPartException("Something follows the boundary that closes it; send one form.")
            before = (before + chunk[-most:])[-most:]


def _refuse_other_bodies(headers: Headers) -> None:
    """Bodies that are neither a file nor a form would be read as if they were the file."""
    for encoding in ",".join(headers.getlist("content-encoding")).split(","):
        if encoding.strip().lower().encode() not in _NOT_ENCODED:
            said = short(encoding.strip().lower())
            raise HTTPException(ENCODED, f"the body is compressed or encoded ({said}); send it as it is")
    if "content-range" in headers:  # of a client that continues an upload
        raise HTTPException(NO_FORM, "the body is only a piece of a file (Content-Range); send the whole file")
    kinds = [kind.split(";")[0].strip().lower() for kind in headers.getlist("content-type")]
    if len(kinds) > 1 or any(_is_twofold(kind.encode("latin-1")) for kind in headers.getlist("content-type")):
        said = "there are several headers Content-Type, or one that says the same twice; send one"
        raise HTTPException(NO_FORM, said)
    if kinds and kinds[0].startswith("multipart/") and kinds[0] != "multipart/form-data":
        said = f"the body is {short(kinds[0])}; send the file alone, or a form (multipart/form-data)"
        raise HTTPException(ENCODED, said)


def _refuse_twofold(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """A part that says twice what it is, how it is encoded, or what it is called, means one of the two."""
    if len(dict(headers)) < len(headers) or any(_is_twofold(value) for _, value in headers):
        raise MultiPartException("A part has two headers of one name, or one that says the same twice.")


def _is_twofold(header: bytes) -> bool:
    given = _PARAMETER.findall(_QUOTED.sub(b"", _ESCAPED.sub(b"", header)).lower())
    return len(set(given)) < len(given)


def with_plain_name(disposition: bytes) -> bytes:
    """The header of a file, whose name may be in ``filename*`` alone, with that name in ``filename``.

    Forms are not to have it (RFC 7578, 4.2), but some clients write names so that are not ASCII.
    """
    encoded = _ENCODED_NAME.search(disposition)
    if encoded is None or _PLAIN_NAME.search(disposition):
        return disposition
    name = unquote_to_bytes(encoded[1]).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return disposition + b'; filename="' + name + b'"'


def _refuse_unknown(form: FormData) -> None:
    """Whoever mistypes a field, or expects another one to count, would take the answer for something else."""
    for name in form:
        if name not in FIELDS:
            known = ", ".join(map(repr, FIELDS))
            raise HTTPException(NO_FORM, f"the form has a field {short(repr(name))}, which is none of {known}")


def _files_in(form: FormData, field: str) -> list[UploadFile]:
    """The files in a field; a scan judged without what was meant as a good one would be judged otherwise."""
    files = []
    for sent in form.getlist(field):
        if not isinstance(sent, UploadFile):
            raise HTTPException(
                NO_FORM, f"the form's field {field!r} holds text; send a file, with its name in filename="
            )
        files.append(sent)
    return files


def _text_in(form: FormData, field: str) -> str | None:
    texts = form.getlist(field)
    if len(texts) > 1 or not all(isinstance(text, str) for text in texts):
        raise HTTPException(NO_FORM, f"the form's field {field!r} is not a single text")
    return str(texts[0]) if texts else None


def _one_name(name: str, file: UploadFile) -> str:
    """The name in the address, which counts, unless the one in the form is that of another kind of scan."""
    named, sent = (Path(each).suffix.lower() for each in (name, file.filename or ""))
    if name and sent != named and sent in SUFFIXES:  # the extension determines the format
        said = f"the scan is called {short(file.filename or '')} in the form and {short(name)} in the address"
        raise HTTPException(UNREADABLE, f"{said}; name it once, or give both names the extension of its format")
    return name


async def _read(file: UploadFile, name: str = "") -> SentFile:
    return SentFile(name or file.filename or "", await file.read())


@dataclass
class _Counted:
    bytes: int = 0

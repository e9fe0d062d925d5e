"""The web service of scripts/serve.py: receives scans, inspects them one at a time, answers with JSON or a page."""

import asyncio
import html
import logging
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pointad.commands.detector import load_detector
from pointad.commands.predict_outputs import describe
from pointad.commands.serve_settings import LOOPBACK, MEGABYTE, ServeSettings
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD
from pointad.inspection.presentation import inspection_body
from pointad.inspection.scan_file import Inspection, inspect_file
from pointad.scans.files import SUFFIXES
from pointad.visualization.cloud_viewer import asset, html_page

logger = logging.getLogger(__name__)

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
TOO_SLOW, TOO_LARGE, UNREADABLE, BUSY, TOOK_TOO_LONG = 408, 413, 422, 503, 504  # HTTP status codes

Answer = TypeVar("Answer")


class InspectionService:
    """Receives uploads within limits and inspects them one at a time.

    Args:
        detector: the loaded model.
        largest_upload: bytes.
        upload_seconds: how long an upload may take.
        predict_seconds: how long an answer may take, waiting included. A scan that takes longer is finished in the
            background, since threads cannot be stopped; until then others wait.
        most_waiting: how many scans are kept in memory; further ones are refused.
    """

    def __init__(
        self,
        detector: PointAD,
        *,
        largest_upload: int = 200 * MEGABYTE,
        upload_seconds: float = 60.0,
        predict_seconds: float = 120.0,
        most_waiting: int = 4,
    ) -> None:
        self.detector = detector
        self._largest_upload = largest_upload
        self._upload_seconds = upload_seconds
        self._predict_seconds = predict_seconds
        self._most_waiting = most_waiting
        self._present = 0
        self._one_at_a_time = asyncio.Lock()

    async def inspect(self, request: Request, name: str) -> Inspection:
        """Inspect the file in a request's body.

        Raises:
            HTTPException: with a status and a sentence that say what is wrong.
        """
        suffix = Path(name).suffix.lower()  # nothing else of the name is used as a path
        if suffix not in SUFFIXES:
            raise HTTPException(UNREADABLE, f"{name}: unknown ending; give one of {', '.join(SUFFIXES)}")
        if self._present >= self._most_waiting:
            raise HTTPException(BUSY, f"{self._present} scans are waiting already; try again later")
        self._present += 1
        try:
            content = await _in_time(self._receive(request), self._upload_seconds, TOO_SLOW, "no complete upload")
            inspected = self._inspect_alone(content, suffix, name)
            return await _in_time(inspected, self._predict_seconds, TOOK_TOO_LONG, "no answer")
        except InputError as error:
            raise HTTPException(UNREADABLE, f"{name}: {error.problem}; {error.remedy}") from error
        finally:
            self._present -= 1

    async def _receive(self, request: Request) -> bytes:
        content = bytearray()
        promised = request.headers.get("content-length", "0")
        if promised.isdecimal() and int(promised) <= self._largest_upload:
            async for chunk in request.stream():
                content += chunk
                if len(content) > self._largest_upload:
                    break
            else:
                return bytes(content)
        raise HTTPException(TOO_LARGE, f"larger than {self._largest_upload / MEGABYTE:g} MB")

    async def _inspect_alone(self, content: bytes, suffix: str, name: str) -> Inspection:
        await self._one_at_a_time.acquire()
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(None, self._inspect_now, content, suffix, name)
        working.add_done_callback(self._finished)
        return await asyncio.shield(working)  # when nobody waits any more, the thread still holds the lock

    def _finished(self, working: asyncio.Future) -> None:
        self._one_at_a_time.release()
        if not working.cancelled() and working.exception() is not None:
            logger.info("not inspected: %s", working.exception())

    def _inspect_now(self, content: bytes, suffix: str, name: str) -> Inspection:
        with tempfile.TemporaryDirectory(prefix="pointad_") as folder:
            path = Path(folder) / f"scan{suffix}"
            path.write_bytes(content)
            return inspect_file(self.detector, path, name=Path(name).name)


async def _in_time(work: Coroutine[Any, Any, Answer], seconds: float, status: int, missing: str) -> Answer:
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:
        raise HTTPException(status, f"{missing} within {seconds:g} s") from None


def build_app(service: InspectionService, host: str = LOOPBACK) -> FastAPI:
    """The web application.

    Args:
        service: inspects the scans.
        host: the address that it is served on; requests that name another host are refused, so that no foreign page
            reaches a service on loopback under a name of its own.
    """
    app = FastAPI(title="PointAD", docs_url=None, redoc_url=None, openapi_url=None)
    if host in LOOPBACK_NAMES:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_NAMES))

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"ready": True, "backbone": service.detector.backbone_name, "demo": service.detector.is_demo}

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return drop_page(service.detector)

    @app.post("/predict")
    async def predict(request: Request, name: str) -> dict[str, Any]:
        inspection = await service.inspect(request, name)
        return {**describe(inspection, None), "file": inspection.name, "demo": service.detector.is_demo}

    @app.post("/view", response_class=HTMLResponse)
    async def view(request: Request, name: str) -> str:
        return inspection_body(await service.inspect(request, name))

    return app


def drop_page(detector: PointAD) -> str:
    """The page that takes a file and shows what was found."""
    demo = " These are DEMO weights, which say nothing about real data." if detector.is_demo else ""
    body = asset("drop_page.html").replace("ACCEPTED", ",".join(SUFFIXES))
    return html_page("PointAD", body.replace("MODEL", html.escape(f"Model: {detector.backbone_name}.{demo}")))


def serve(settings: ServeSettings) -> None:
    """Load the model and serve until interrupted."""
    detector = load_detector(settings.detector)
    service = InspectionService(
        detector,
        largest_upload=settings.largest_upload,
        upload_seconds=settings.upload_seconds,
        predict_seconds=settings.predict_seconds,
    )
    logger.info("serving on http://%s:%d", settings.host, settings.port)
    uvicorn.run(build_app(service, settings.host), host=settings.host, port=settings.port, log_level="warning")

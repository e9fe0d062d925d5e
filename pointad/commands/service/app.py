"""The web application of the service: what it answers to whom, its page, and the description of its interface."""

import base64
import hashlib
import importlib.resources
import re
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp

from pointad.commands.serve_settings import LOOPBACK
from pointad.commands.service.child import FACTS, PAGE, Model
from pointad.commands.service.guards import Guards, names_of
from pointad.commands.service.inspections import FAULT, InspectionService
from pointad.commands.service.uploads import FIELD, GOOD_FIELD, MOST_GOOD, REFERENCE_FIELD, UNREADABLE
from pointad.errors import counted, short
from pointad.files.escaping import for_html
from pointad.scans.files import SUFFIXES
from pointad.visualization.cloud_viewer import asset, html_page

DESCRIPTION = (
    "Scores of scans. Send a scan as the body of a request, with its name in the address, or in the field `file` of a "
    f"form. It is compared with the good scans in the form's fields `good` (up to {MOST_GOOD}), or with those sent to "
    "/reference before, by the name in its answer. Errors are JSON with a sentence in `detail`."
)
_DOCS_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}  # of the package fastapi-offline
_DOCS_START = (
    'window.addEventListener("load", () => SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs",'
    " validatorUrl: null, deepLinking: true }));\n"
)
_DOCS_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>PointAD: interface</title>'
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css">'
    '<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></head>'
    '<body><main id="docs"></main><noscript>See /openapi.json.</noscript></body></html>\n'
)
_BINARY = {"type": "string", "format": "binary"}
_FILES = {"type": "array", "items": _BINARY, "maxItems": MOST_GOOD}
_RESPONSES: dict[str, Any] = {
    "responses": {
        str(status): {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}}
        for status, text in (
            (400, "not a request that can be answered"),
            (403, "posted by a page of another site"),
            (404, "the reference is no longer kept"),
            (408, "the upload took too long"),
            (413, "the files are too large"),
            (415, "the body is compressed"),
            (422, "a file is not a scan that can be inspected"),
            (503, "too many scans are waiting, or the service is stopping"),
            (504, "the answer took too long"),
        )
    },
}
_FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {FIELD: _BINARY, GOOD_FIELD: _FILES, REFERENCE_FIELD: {"type": "string"}},
                    "required": [FIELD],
                },
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    },
    **_RESPONSES,
}
_GOOD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {GOOD_FIELD: _FILES}, "required": [GOOD_FIELD]},
            },
        },
    },
    **_RESPONSES,
}


def build_app(service: InspectionService, host: str = LOOPBACK) -> ASGIApp:
    """The web application.

    Args:
        service: inspects the scans; its model is loaded.
        host: the address that it is served on; when it leads to this machine alone, requests that name another host
            are refused, so that no foreign page reaches the service under a name of its own.
    """
    app = FastAPI(
        title="PointAD",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # to the name that a request gives this service
    )
    start_page = drop_page(service.model)
    _add_error_handlers(app)
    _add_docs(app)

    @app.get("/health", summary="Whether the model is loaded, and how busy the service is")
    async def health() -> dict[str, Any]:
        return {"backbone": service.model.backbone_name, "demo": service.model.is_demo, **service.load}

    @app.get("/", response_class=HTMLResponse, summary="The page that takes files")
    async def page() -> str:
        return start_page

    @app.post("/predict", openapi_extra=_FILE_BODY, summary="Score, scores of the views, defect regions, timings")
    async def predict(request: Request, name: str = "", reference: str | None = None) -> Response:
        _refuse_others(request, "name", "reference")
        return Response(await service.inspect(request, name, FACTS, reference), media_type="application/json")

    @app.post("/view", openapi_extra=_FILE_BODY, response_class=HTMLResponse, summary="The same as a part of a page")
    async def view(request: Request, name: str = "", reference: str | None = None) -> Response:
        _refuse_others(request, "name", "reference")
        return HTMLResponse(await service.inspect(request, name, PAGE, reference))

    @app.post("/reference", openapi_extra=_GOOD_BODY, summary="Good scans, to compare later scans with by name")
    async def reference(request: Request) -> Response:
        _refuse_others(request)
        return Response(await service.make_reference(request), media_type="application/json")

    # Outside of everything that FastAPI does: its answers to faults pass no middleware of its own.
    return Guards(app, names=names_of(host), policy=content_policy(start_page))


def drop_page(model: Model) -> str:
    """The page that takes files and shows what was found."""
    demo = " These are DEMO weights, whose scores are meaningless for real data." if model.is_demo else ""
    standard = "Scans are judged without good scans (zero-shot)."
    if model.good_scans:
        known = f"{counted(model.good_scans, 'good scan')} of this service"
        standard = f"Scans are compared with the {known} ({model.good_scans}-shot)."
    body = asset("drop_page.html").replace("ACCEPTED", ",".join(SUFFIXES)).replace("STANDARD", standard)
    return html_page("PointAD", body.replace("MODEL", for_html(f"Model: {model.backbone_name}.{demo}")))


def content_policy(page: str) -> str:
    """What browsers may do on the service's pages: run the scripts of this page and of /docs, and nothing foreign."""
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _refuse_others(request: Request, *known: str) -> None:
    """Whoever mistypes a parameter of the address, or gives one twice, would take the answer for something else."""
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        said = "is not known" if name not in known else "is given twice" if given.count(name) > 1 else ""
        if said:
            raise HTTPException(UNREADABLE, f"the parameter {short(repr(name))} of the address {said}")


def _add_error_handlers(app: FastAPI) -> None:
    """All errors are JSON with one sentence."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        said = "; ".join(f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors())
        return JSONResponse({"detail": said}, UNREADABLE)

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"a fault of the service ({type(error).__name__})"}, FAULT)


def _add_docs(app: FastAPI) -> None:
    """Swagger UI at /docs, from this machine alone."""

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    async def docs() -> str:
        return _DOCS_PAGE

    @app.get("/docs/{name}", include_in_schema=False)
    def docs_file(name: str) -> Response:
        if name == "start.js":
            return Response(_DOCS_START, media_type="text/javascript")
        if name not in _DOCS_FILES:
            raise HTTPException(404, "Not Found")
        content = (importlib.resources.files("fastapi_offline") / "static" / name).read_bytes()
        return Response(content, media_type=_DOCS_FILES[name])

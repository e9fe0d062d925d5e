"""What stands before every request: which names the service answers to, whose pages may post, what browsers may do."""

import ipaddress
import re
import socket
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointad.errors import short

FOREIGN_NAME, AMBIGUOUS, FOREIGN_PAGE, LONG_ADDRESS, LARGE_HEADERS, OTHER_VERSION = 400, 400, 403, 414, 431, 505
LONGEST_ADDRESS = 2000
"""Bytes; a name of 255 bytes takes 765 with percent signs."""
MOST_HEADERS, MOST_HEADER_BYTES, LONGEST_CONTENT_TYPE = 100, 8000, 400
"""What they and their parameters cost is paid before anything else is answered, for each connection that sends them."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",  # pages have one of their own
}


class Guards:
    """ASGI middleware that refuses foreign requests and restricts what pages of the service may do in browsers.

    Args:
        app: what answers the other requests.
        names: hosts that a request may name; None: any, for a service that is open to a network anyway.
        policy: the Content-Security-Policy of all answers.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str] | None, policy: str) -> None:
        self._app = app
        self._names = names
        self._headers = {**SECURITY_HEADERS, "content-security-policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        oversized = _oversized(scope)
        if oversized is None:
            scope = _in_origin_form(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        refusal = oversized or self._refusal(scope["method"], Headers(scope=scope))
        if not scope["http_version"].startswith("1."):  # what follows is no request of HTTP/1.1
            said = f"HTTP/{scope['http_version']} is not spoken here; use HTTP/1.1"
            refusal = JSONResponse({"detail": said}, OTHER_VERSION, {"connection": "close"})
        if scope["method"] == "HEAD":  # the same answer; the server leaves out its body
            scope = {**scope, "method": "GET"}
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if self._names is not None and host_name(host) not in self._names:
            return _refused(FOREIGN_NAME, f"{short(repr(host))} is not a name of this service")
        if "content-length" in headers and "transfer-encoding" in headers:  # a proxy may see another end of it
            return _refused(AMBIGUOUS, "the length of the body is given twice, by Content-Length and Transfer-Encoding")
        if method in SAFE_METHODS:
            return None
        # Pages of other sites can post here without being able to read the answer, and would keep the service busy.
        if any(site not in ("same-origin", "none") for site in headers.getlist("sec-fetch-site")):
            return _refused(FOREIGN_PAGE, "posted by a page of another site")
        for origin in headers.getlist("origin"):
            if not _is_same(origin, host):
                return _refused(FOREIGN_PAGE, f"posted by a page of another site, {short(repr(origin))}")
        return None


def _oversized(scope: Scope) -> JSONResponse | None:
    """The answer to a request whose address or headers are larger than anything that the service is asked."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
        return _refused(LONG_ADDRESS, f"the address is longer than {LONGEST_ADDRESS} bytes")
    headers = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        return _refused(LARGE_HEADERS, f"the headers take more than {MOST_HEADER_BYTES} bytes")
    if any(name == b"content-type" and len(value) > LONGEST_CONTENT_TYPE for name, value in headers):
        return _refused(LARGE_HEADERS, f"the header Content-Type is longer than {LONGEST_CONTENT_TYPE} bytes")
    return None


def _in_origin_form(scope: Scope) -> Scope:
    """A request whose address begins with "http://" as one that names its host apart from the path (RFC 9112, 3.2.2).

    Clients that take the service for a proxy write them. What the address says counts, whatever the header Host says.
    """
    found = re.fullmatch(rb"https?://([^/?#]*)(.*)", scope.get("raw_path", b""), flags=re.IGNORECASE | re.DOTALL)
    if found is None:
        return scope
    host, path = found[1], found[2] or b"/"
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "raw_path": path, "path": unquote(path.decode("ascii")), "headers": [(b"host", host), *headers]}


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without port, brackets and the final dot."""
    host = host.strip().lower()
    found = re.fullmatch(r"\[([^\]]*)\](:\d*)?|([^:]*)(:\d*)?", host)
    return (host if found is None else found[1] or found[3] or "").rstrip(".")


def names_of(host: str) -> frozenset[str] | None:
    """The names that requests may use for a service that listens on a host; None unless that is this machine alone."""
    name = host_name(host.strip("[]"))
    addresses = _addresses_of(name)
    if not addresses or not all(address.is_loopback for address in addresses):
        return None
    return LOOPBACK_NAMES | {name} | set(map(str, addresses))  # browsers write 127.0.0.2 for 127.2


def _addresses_of(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(entry[4][0]) for entry in found]


def _is_same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.strip().lower()
    except ValueError:
        return False


def _refused(status: int, text: str) -> JSONResponse:
    return JSONResponse({"detail": text}, status)

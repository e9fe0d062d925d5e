"""Opens the port, loads the model, and serves until it is told to stop."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Sequence
from functools import partial

from pointad.commands.serve_settings import LOOPBACK, ServeSettings
from pointad.commands.service.app import build_app
from pointad.commands.service.child import Inspector
from pointad.commands.service.connections import MOST_ACCEPTED, StoppableServer, configuration
from pointad.commands.service.guards import names_of
from pointad.commands.service.inspections import InspectionService
from pointad.errors import InputError

logger = logging.getLogger(__name__)


def serve(settings: ServeSettings) -> None:
    """Serve until interrupted or terminated.

    Raises:
        PointADError: the address cannot be listened on, or something of the model is missing.
    """
    listening = open_sockets(settings.host, settings.port)  # before the model, which takes seconds to load
    try:
        service = InspectionService(
            partial(load_inspector, settings),
            largest_upload=settings.largest_upload,
            upload_seconds=settings.upload_seconds,
            predict_seconds=settings.predict_seconds,
        )
        asyncio.run(serve_on(listening, service, settings.host))
    finally:
        for each in listening:
            each.close()


async def serve_on(listening: Sequence[socket.socket], service: InspectionService, host: str = LOOPBACK) -> None:
    """Load the model of a service and serve until interrupted or terminated; nothing of the service is left then.

    Raises:
        PointADError: something of the model is missing.
        MemoryError: the model does not fit.
    """
    try:
        await service.start()
        if names_of(host) is None:
            logger.warning("%s: anyone who can reach this address can use the service; there is no password", host)
        logger.info("serving on %s", address_on_the_web(host, listening[0].getsockname()[1]))
        server = StoppableServer(configuration(build_app(service, host), service), service)
        await server.serve(sockets=list(listening))
    finally:
        await service.close()


def address_on_the_web(host: str, port: int) -> str:
    """What browsers or curl take; the colons of an IPv6 address need brackets there, and % is written %25."""
    name = host.strip("[]").replace("%", "%25")
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def load_inspector(settings: ServeSettings) -> Inspector:
    """Load the model; to be called in the process that inspects, since this one does without PyTorch."""
    from pointad.commands.service import inspector

    return inspector.load_inspector(settings)


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host.

    Raises:
        InputError: the host is empty or unknown, or the port is in use or not allowed.
    """
    if not host.strip():
        raise InputError(
            "--host", "is empty", "name an address of this machine, such as 127.0.0.1 (0.0.0.0: all of them)"
        )
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        remedy = "name an address of this machine, such as 127.0.0.1"
        raise InputError(f"--host {host}", f"is not an address ({error})", remedy) from error
    opened: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            opened.append(socket.create_server(address, family=family, backlog=MOST_ACCEPTED))
    except OSError as error:
        if opened and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return opened  # localhost has an IPv6 address by name, and the machine has none
        for each in opened:
            each.close()
        said = os.strerror(error.errno or errno.EINVAL)  # without the address, which Python would add
        problem = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be listened on ({said})"
        raise InputError(f"{host}, port {port}", problem, "choose another --port or --host") from error
    return opened

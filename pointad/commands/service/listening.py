"""Opens the port, loads the model, and serves until it is told to stop."""

import errno
import logging
import os
import socket

import numpy as np

from pointad.commands.detector import load_detector
from pointad.commands.serve_settings import ServeSettings
from pointad.commands.service.app import build_app
from pointad.commands.service.connections import StoppableServer, configuration
from pointad.commands.service.guards import is_loopback
from pointad.commands.service.inspections import InspectionService
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD
from pointad.reference.reference import Reference

logger = logging.getLogger(__name__)

BACKLOG = 128


def serve(settings: ServeSettings) -> None:
    """Serve until interrupted or terminated.

    Raises:
        InputError: the address cannot be listened on, or something of the model is missing.
    """
    listening = open_sockets(settings.host, settings.port)  # before the model, which takes seconds to load
    try:
        detector = load_detector(settings.detector)
        warm_up(detector)
        service = InspectionService(
            detector,
            largest_upload=settings.largest_upload,
            upload_seconds=settings.upload_seconds,
            predict_seconds=settings.predict_seconds,
            reference=None if settings.reference is None else Reference.load(settings.reference),
        )
        if not is_loopback(settings.host):
            logger.warning(
                "%s: whoever reaches this address may use the service; it asks for no password", settings.host
            )
        logger.info("serving on http://%s:%d", settings.host, settings.port)
        try:
            app = build_app(service, settings.host)
            StoppableServer(configuration(app, service), service).run(sockets=listening)
        finally:
            service.clean_up()
    finally:
        for each in listening:
            each.close()
    if service.is_busy:
        # A thread in the middle of a calculation cannot be stopped, and the interpreter would wait for it or crash.
        logging.shutdown()
        os._exit(0)


def warm_up(detector: PointAD) -> None:
    """Look at a small ball once: libraries that are imported when they are needed would hold up the first requests."""
    directions = np.random.default_rng(0).normal(size=(500, 3))
    detector.predict(directions / np.linalg.norm(directions, axis=1, keepdims=True))


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
            opened.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
    except OSError as error:
        if opened and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return opened  # localhost has an IPv6 address by name, and the machine has none
        for each in opened:
            each.close()
        problem = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be listened on ({error.strerror})"
        raise InputError(f"{host}, port {port}", problem, "choose another --port or --host") from error
    return opened

"""A run of scripts/reference.py: good scans are read, looked at, and what they have in common is written."""

import logging

from pointad.commands.detector import load_detector
from pointad.commands.reference_settings import ReferenceSettings
from pointad.commands.references import GoodScans, make_reference
from pointad.commands.scan_search import find_scans
from pointad.errors import counted
from pointad.files.atomic import require_writable
from pointad.reference.reference import Reference

logger = logging.getLogger(__name__)


def write_reference(settings: ReferenceSettings) -> None:
    """Make the reference and write its file.

    Raises:
        InputError: there is no good scan, one cannot be looked at, or the file cannot be written.
    """
    good = find_scans(settings.good)
    good_scans = GoodScans(good, settings.rgb)
    Reference.refuse_other(settings.output)
    require_writable(settings.output)
    reference = make_reference(load_detector(settings.detector), good_scans, settings.look.arguments)
    reference.save(settings.output)
    logger.info("reference of %s written to %s", counted(len(good), "good scan"), settings.output)

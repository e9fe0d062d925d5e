"""What scripts/serve.py works with."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.settings import DetectorSettings
from pointad.errors import InputError

LOOPBACK = "127.0.0.1"
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000


@dataclass(frozen=True)
class ServeSettings:
    """One run of scripts/serve.py."""

    detector: DetectorSettings
    reference: Path | None  # what was made of good scans
    host: str
    port: int
    largest_upload: int  # bytes
    upload_seconds: float
    predict_seconds: float
    scan_memory: int  # bytes that one scan may take beside the model

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "ServeSettings":
        """The settings that parsed flags ask for.

        Raises:
            InputError: an upload as large as is accepted could not be held.
        """
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if flags.largest_upload * MEGABYTE > memory:
            problem = f"{flags.largest_upload:g} MB do not fit into the memory of this machine, which holds uploads"
            raise InputError("--largest_upload", problem, f"give at most {memory // MEGABYTE}")
        return cls(
            detector=DetectorSettings.from_flags(flags),
            reference=flags.reference,
            host=flags.host,
            port=flags.port,
            largest_upload=round(flags.largest_upload * MEGABYTE),
            upload_seconds=flags.upload_seconds,
            predict_seconds=flags.predict_seconds,
            scan_memory=round(flags.scan_memory * GIGABYTE),
        )

"""What scripts/reference.py works with."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.looking_arguments import LookSettings
from pointad.commands.settings import DetectorSettings


@dataclass(frozen=True)
class ReferenceSettings:
    """One run of scripts/reference.py."""

    good: tuple[Path, ...]  # files and folders
    rgb: Path | None  # a folder with a picture for every one of these
    output: Path
    detector: DetectorSettings
    look: LookSettings

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "ReferenceSettings":
        """The settings that parsed flags ask for."""
        return cls(
            good=tuple(flags.good),
            rgb=flags.rgb,
            output=flags.output,
            detector=DetectorSettings.from_flags(flags),
            look=LookSettings.from_flags(flags),
        )

"""Says how scans were read, once for all that were read alike, and warns of formats whose files were not."""

import logging
from pathlib import Path

from pointad.errors import shown

logger = logging.getLogger(__name__)


class Readings:
    """The readings of several scans (`pointad.scans.scan_file.ScanFile.manner`), in the order they came."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], list[Path]] = {}

    def add(self, path: Path, manner: str) -> None:
        """Take in one scan."""
        self._paths.setdefault((path.suffix.lower(), manner), []).append(path)

    @property
    def manners(self) -> dict[Path, str]:
        """How each scan was read."""
        return {path: manner for (_, manner), paths in self._paths.items() for path in paths}

    def tell(self) -> None:
        """Log every reading with the number of its scans."""
        for (suffix, manner), paths in self._paths.items():
            logger.info("%d %s read as %s", len(paths), suffix, manner)

    def warn_of_differences(self) -> None:
        """Log readings of one file format that differ: the scans may come from different programs or be damaged."""
        for suffix in dict.fromkeys(suffix for suffix, _ in self._paths):
            found = {manner: paths for (other, manner), paths in self._paths.items() if other == suffix}
            if len(found) > 1:
                usual = max(found, key=lambda manner: len(found[manner]))
                odd = [f"{shown(paths[0])}: {manner}" for manner, paths in found.items() if manner != usual]
                more = f", and {len(odd) - 3} more" if len(odd) > 3 else ""
                message = "not all %s files were read alike; most: %s; but %s%s"
                logger.warning(message, suffix, usual, " | ".join(odd[:3]), more)

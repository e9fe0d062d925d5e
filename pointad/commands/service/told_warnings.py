"""What the library warns of while it looks at files of a sender, who does not see this machine's log."""

import contextlib
import logging
from collections.abc import Iterator, Mapping

from pointad.errors import short

LIBRARY = "pointad"


@contextlib.contextmanager
def told_warnings(names: Mapping[str, str]) -> Iterator[list[str]]:
    """Collect warnings that are logged within the block, each once, in a list that grows.

    Args:
        names: path -> what the sender calls the file; paths of this machine are not told.
    """
    collector = _Collector(names)
    logger = logging.getLogger(LIBRARY)
    logger.addHandler(collector)
    try:
        yield collector.told
    finally:
        logger.removeHandler(collector)


class _Collector(logging.Handler):
    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__(logging.WARNING)
        self._names = names
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        for path, name in self._names.items():
            said = said.replace(path, name)
        if short(said) not in self.told:
            self.told.append(short(said))

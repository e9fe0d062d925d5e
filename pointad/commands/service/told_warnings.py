"""What the library says while it looks at files of a sender, who knows them by names of their own."""

import contextlib
import logging
from collections.abc import Iterator, Mapping

from pointad.errors import short

LIBRARY = "pointad"


@contextlib.contextmanager
def told_warnings(names: Mapping[str, str]) -> Iterator[list[str]]:
    """Collect warnings that are logged within the block, each once, in a list that grows.

    The log has the sender's names of the files too: those on this machine are the same for every sender.

    Args:
        names: path -> what the sender calls the file; paths of this machine are not told.
    """
    collector, renaming = _Collector(), _Renaming(names)
    collector.addFilter(renaming)
    logger = logging.getLogger(LIBRARY)
    writing = list(logging.getLogger().handlers)
    logger.addHandler(collector)
    for handler in writing:
        handler.addFilter(renaming)
    try:
        yield collector.told
    finally:
        logger.removeHandler(collector)
        for handler in writing:
            handler.removeFilter(renaming)


class _Renaming(logging.Filter):
    """Puts the names of senders in the place of paths."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        for path, name in self._names.items():
            said = said.replace(path, name)
        record.msg, record.args = said, ()
        return True


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = short(record.getMessage())
        if said not in self.told:
            self.told.append(said)

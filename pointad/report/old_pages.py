"""Removes the pages of an earlier report from a folder, which would be taken for those of the new one."""

import html
import logging
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import unquote

from pointad.errors import InputError, counted
from pointad.files.atomic import remove_file
from pointad.files.presence import is_file
from pointad.files.regular import read_bytes

logger = logging.getLogger(__name__)

FOOTER = "<footer>Written by PointAD's scripts/report.py. This page is self-contained and works offline.</footer>"
"""Tells our pages from others."""

_PAGE = re.compile(r"[a-z0-9-]+(%~[0-9a-f]+)?(-[0-9]+)?\.html")  # a name that we give
_LINK = re.compile(r'<li><a href="([^"]+\.html)">')


def remove_pages(folder: Path, except_for: Collection[str]) -> None:
    """Remove the pages to which an earlier report's `index.html` links; those of others stay.

    Args:
        folder: of the pages.
        except_for: names of pages that stay.

    Raises:
        InputError: a page cannot be read or removed.
    """
    index = folder / "index.html"
    if not _is_ours(index):
        return
    linked = {unquote(html.unescape(name)) for name in _LINK.findall(_text(index))} - {*except_for, index.name}
    old = [folder / name for name in sorted(linked) if _PAGE.fullmatch(name) and _is_ours(folder / name)]
    for path in old:
        remove_file(path)
    if old:
        logger.info("%s: removed %s of an earlier report", folder, counted(len(old), "page"))


def refuse_other_pages(paths: Iterable[Path]) -> None:
    """Refuse to replace pages that no report wrote.

    Raises:
        InputError: there is one.
    """
    for path in paths:
        if is_file(path) and FOOTER not in _text(path):
            raise InputError(path, "exists, and no report wrote it", "move it, or choose another folder")


def _is_ours(path: Path) -> bool:
    return is_file(path) and not path.is_symlink() and FOOTER in _text(path)


def _text(path: Path) -> str:
    return read_bytes(path).decode("utf-8", errors="replace")

"""Warnings of other libraries are not shown, and the filters of warnings are the caller's again, in any threads."""

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointad.compute.silence import without_warnings

SOURCES = Path(__file__).resolve().parents[2] / "pointad"


@pytest.fixture(autouse=True)
def errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def is_silent() -> bool:
    try:
        warnings.warn("about a tag", UserWarning, stacklevel=1)
    except UserWarning:
        return False
    return True


def test_blocks_that_overlap_leave_the_callers_filters() -> None:
    """As those of two threads do, of which the first one ends first."""
    before = list(warnings.filters)
    first, second = without_warnings(), without_warnings()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert is_silent()
    second.__exit__(None, None, None)
    assert not is_silent() and warnings.filters == before


def test_an_error_within_a_block_ends_it() -> None:
    with pytest.raises(ValueError, match="damaged"), without_warnings():
        raise ValueError("damaged")
    assert not is_silent()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_begin_without_blocks() -> None:
    with without_warnings():
        process = os.fork()
        if not process:
            os._exit(is_silent())
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert not is_silent()


def test_no_other_place_changes_the_filters() -> None:
    changes = re.compile(r"warnings\.(catch_warnings|simplefilter|filterwarnings)\(")
    assert [path.name for path in SOURCES.rglob("*.py") if changes.search(path.read_text())] == ["silence.py"]

"""Warnings of other libraries, as about damaged files, are not shown, in whichever threads they are given."""

import warnings
from contextlib import AbstractContextManager
from functools import partial

from pointad.compute.shared_block import Restore, SharedBlock


def without_warnings() -> AbstractContextManager[None]:
    """Show no warnings within the block.

    The filters of warnings are those of all threads: where blocks of `warnings.catch_warnings` overlap, no warning of
    the whole process may be shown from then on.
    """
    return _SILENCE.opened()


def _silence() -> Restore:
    caught = warnings.catch_warnings()
    caught.__enter__()
    warnings.simplefilter("ignore")
    return partial(caught.__exit__, None, None, None)


_SILENCE = SharedBlock(_silence)

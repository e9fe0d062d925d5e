"""Searches in several threads find what one thread finds, and end with an interrupt."""

import os
import signal
import threading

import numpy as np
import pytest
from scipy.spatial import cKDTree

from pointad.compute.searches import CHUNK, nearest_in_threads
from pointad.reference.fpfh import nearest_points


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("places", [0, 1, 2 * CHUNK + 5])
def test_what_one_thread_finds(places: int, count: int) -> None:
    dice = np.random.default_rng(0)
    tree, wanted = cKDTree(dice.normal(size=(200, 3))), dice.normal(size=(places, 3))
    found = nearest_in_threads(tree, wanted, count)
    np.testing.assert_array_equal(found, tree.query(wanted, k=count)[1])
    assert found.dtype == np.int64


def test_no_thread_goes_on_after_an_interrupt() -> None:
    """SciPy's would, in memory that the interrupted search has given back."""
    points = np.random.default_rng(0).normal(size=(100_000, 3))
    before = set(threading.enumerate())
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))  # the search takes longer
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        nearest_points(points, 90)
    timer.join()
    for thread in set(threading.enumerate()) - before:  # one that was just being started, see `ThreadPoolExecutor`
        thread.join(60)
    assert set(threading.enumerate()) == before

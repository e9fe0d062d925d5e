"""What native libraries print is not shown meanwhile; afterwards everything is again, whoever else did the same."""

import os
import threading

import pytest

from pointad.compute.standard_error import nothing_on_standard_error


def test_blocks_of_several_threads_bring_it_back(capfd: pytest.CaptureFixture[str]) -> None:
    entered, left = threading.Event(), threading.Event()

    def another() -> None:
        entered.set()
        with nothing_on_standard_error():
            left.wait(5)

    with nothing_on_standard_error():
        thread = threading.Thread(target=another)
        thread.start()
        entered.wait(5)
        thread.join(0.2)  # it is within the block by now if it does not wait
        os.write(2, b"hidden")
    left.set()
    thread.join()
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"

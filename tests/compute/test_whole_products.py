"""Products of float32 matrices are not rounded in between, and a caller's settings come back."""

import os
import threading
from collections.abc import Callable, Iterator

import pytest
import torch

from pointad.compute.whole_products import whole_products

BACKENDS = torch.backends
KINDS = (BACKENDS.cuda.matmul, BACKENDS.mkldnn.matmul, BACKENDS.mkldnn.conv)
NOT_ROUNDED = ("none", "ieee")


def precision_of(kind: object, value: str) -> None:
    kind.fp32_precision = value  # type: ignore[attr-defined]


def settings() -> list[str]:
    try:
        named = torch.get_float32_matmul_precision()
    except RuntimeError:
        named = "several"
    return [named, *(kind.fp32_precision for kind in (*KINDS, BACKENDS, BACKENDS.mkldnn, BACKENDS.cudnn.conv))]


@pytest.fixture(autouse=True)
def nothing_set() -> Iterator[None]:
    yield
    for kind in (BACKENDS, BACKENDS.mkldnn):
        precision_of(kind, "none")
    torch.set_float32_matmul_precision("highest")
    for kind in KINDS:
        precision_of(kind, "none")


@pytest.mark.parametrize(
    "setting",
    [
        lambda: torch.set_float32_matmul_precision("medium"),
        lambda: setattr(BACKENDS.cuda.matmul, "allow_tf32", True),
        lambda: precision_of(BACKENDS.cuda.matmul, "tf32"),
        lambda: precision_of(BACKENDS.mkldnn.conv, "bf16"),
        lambda: precision_of(BACKENDS.mkldnn, "bf16"),
        lambda: precision_of(BACKENDS, "tf32"),
        lambda: None,
    ],
    ids=["medium", "TF32 allowed", "GPU", "convolutions", "CPU", "all", "nothing"],
)
def test_within_and_afterwards(setting: Callable[[], None]) -> None:
    setting()
    before = settings()
    for _ in range(2):
        with whole_products(), whole_products():
            assert all(kind.fp32_precision in NOT_ROUNDED for kind in KINDS)
        assert settings() == before


def test_the_last_of_several_threads_restores() -> None:
    torch.set_float32_matmul_precision("medium")
    entered, leave = threading.Event(), threading.Event()

    def compute() -> None:
        with whole_products():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=compute)
    with whole_products():
        thread.start()
        assert entered.wait(30)
    assert torch.get_float32_matmul_precision() == "highest"
    leave.set()
    thread.join()
    assert torch.get_float32_matmul_precision() == "medium"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_begin_without_the_blocks_of_other_threads() -> None:
    """A fork in which blocks counted that never end there would round what it sets itself to be rounded."""
    torch.set_float32_matmul_precision("medium")
    with whole_products():
        process = os.fork()
        if not process:
            status = 1
            try:
                inherited = torch.get_float32_matmul_precision()
                with whole_products():
                    status = int((inherited, torch.get_float32_matmul_precision()) != ("medium", "highest"))
            finally:
                os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert torch.get_float32_matmul_precision() == "medium"

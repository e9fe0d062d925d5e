"""Whatever a caller has set for computations of its own, scores are the same."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_scans import closed_shape, depth_scan

from pointad import PointAD, Reference
from pointad.data.dataset import resize_pictures


@contextlib.contextmanager
def default_type(kind: torch.dtype) -> Iterator[None]:
    """Another default of floating-point tensors."""
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def products(named: str) -> Iterator[None]:
    """Another precision of products of float32 matrices; Lightning advises "medium"."""
    torch.set_float32_matmul_precision(named)
    try:
        yield
    finally:
        assert torch.get_float32_matmul_precision() == named
        torch.set_float32_matmul_precision("highest")


def scores_of(weights: Path, folder: Path) -> list[float]:
    """Of everything that is public."""
    detector = PointAD.from_checkpoint(weights / "prompts.pth", weights / "clip_tiny.pt", device="cpu")
    cloud, scan = closed_shape(400), depth_scan(60, 80)
    picture = np.random.default_rng(0).integers(0, 255, scan.shape, np.uint8)
    reference = detector.make_reference([cloud, closed_shape(400, 1)], views=2)
    reference.save(folder / "good.safetensors")
    loaded = Reference.load(folder / "good.safetensors")
    predictions = [
        detector.predict(cloud, views=2),
        detector.predict(scan, rgb=picture, views=2),
        detector.predict(closed_shape(400, 2), views=2, reference=reference),
        detector.predict(closed_shape(400, 2), views=2, reference=loaded),
    ]
    return [one.score for one in predictions]


@pytest.fixture(scope="module")
def expected(golden_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    return scores_of(golden_weights, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "setting",
    [
        lambda: np.errstate(all="raise"),
        lambda: default_type(torch.float64),
        lambda: default_type(torch.bfloat16),
        lambda: torch.device("meta"),  # as "cuda" would be, where there is none
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.inference_mode(),
        lambda: torch.enable_grad(),
        lambda: products("medium"),
    ],
    ids=[
        "errors of NumPy",
        "float64",
        "bfloat16",
        "default device",
        "autocast",
        "inference mode",
        "gradients",
        "products",
    ],
)
def test_scores_do_not_depend_on_it(
    setting: Callable[[], AbstractContextManager[object]], expected: list[float], golden_weights: Path, tmp_path: Path
) -> None:
    with setting():
        found = scores_of(golden_weights, tmp_path)
    assert found == expected
    assert torch.get_default_dtype() == torch.float32 and not torch.is_autocast_enabled("cpu")


@pytest.mark.filterwarnings("error")
def test_pictures_may_be_read_only() -> None:
    """As views of broadcast arrays and files are; PyTorch warns of them."""
    picture = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    picture.flags.writeable = False
    assert np.array_equal(resize_pictures(picture, 2).numpy(), picture)

"""Devices that torch knows but this machine lacks are told from names of none."""

import pytest
import torch

from pointad.compute.device import choose_device
from pointad.errors import InputError


@pytest.mark.parametrize("name", ["tpu", "gpu", "cuda:", "cuda 1", "", "0", None, 0])
def test_a_name_of_no_device_is_told_those_that_are(name: object) -> None:
    with pytest.raises(InputError, match="is not the name of a device; use auto, cpu, cuda, cuda:1 or mps"):
        choose_device(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["meta", "xla", "hpu", "privateuseone", "cuda:99"])
def test_a_device_on_which_nothing_can_be_computed_is_not_available(name: str) -> None:
    with pytest.raises(InputError, match=f"device {name}: is not available on this machine"):
        choose_device(name)


def test_a_cpu_that_pytorch_does_not_recognize(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where /proc is not mounted: results would differ in their last digits, and some computations fail."""

    def fail(tensor: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("Failed to initialize cpuinfo!")

    monkeypatch.setattr(torch.Tensor, "half", fail)
    with pytest.raises(InputError, match=r"device cpu: is not recognized by PyTorch .*cpuinfo.*; mount /proc"):
        choose_device("cpu")

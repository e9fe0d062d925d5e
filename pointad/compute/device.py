"""The choice of the device that the tensors are on."""

import torch

from pointad.compute.argument_kinds import shown_argument
from pointad.errors import InputError

_KNOWN = "use auto, cpu, cuda, cuda:1 or mps"


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """The available device of a given name.

    Args:
        name: ``auto`` (CUDA if available, else Apple's MPS, else the CPU) or any device name that torch accepts,
            such as ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        InputError: torch does not know the name, the device is not available, or torch does not recognize the CPU.
    """
    device = _available_device(name)
    if device.type == "cpu":
        _require_known_processor()
    return device


def _available_device(name: str | torch.device) -> torch.device:
    if not isinstance(name, (str, torch.device)):
        raise InputError(shown_argument("device", name), "is not the name of a device", _KNOWN)
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(shown_argument("device", name), "is not the name of a device", _KNOWN) from error
    try:
        torch.zeros((), device=device).item()  # "meta" holds no values, and a GPU may be too old for torch
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, AssertionError, ImportError) as error:
        raise InputError(f"device {name}", "is not available on this machine", "use auto or cpu") from error
    return device


def _require_known_processor() -> None:
    """A CPU that PyTorch does not recognize adds in another order, and makes no 16-bit numbers."""
    try:
        torch.zeros(1).half()
    except RuntimeError as error:
        problem = f"is not recognized by PyTorch ({error})"
        raise InputError("device cpu", problem, "mount /proc, from which it is told") from error

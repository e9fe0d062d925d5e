"""Which device the tensors live on."""

import torch

from pointad.errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """Turn a device's name into a device that is there.

    Args:
        name: ``auto`` (CUDA when there is one, else Apple's MPS, else the CPU) or any name that torch knows,
            such as ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        InputError: torch does not know the name, or the device is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device {name}", "is not available here", "use auto or cpu") from error
    return device

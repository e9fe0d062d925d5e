"""The numbers that the image encoder calculates with: float32, or half of its bits for the products of matrices."""

import contextlib
from contextlib import AbstractContextManager

import torch

from pointad.errors import InputError

FP32, BF16, FP16 = "fp32", "bf16", "fp16"
PRECISIONS = (FP32, BF16, FP16)
_TYPES = {BF16: torch.bfloat16, FP16: torch.float16}


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision that the device has no instructions for: it would run, but slower than float32.

    Raises:
        InputError: the precision does not exist, or the device does not calculate in it.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision {precision}", "does not exist", f"choose among {', '.join(PRECISIONS)}")
    if precision not in supported_precisions(device):
        remedy = f"choose among {', '.join(supported_precisions(device))}"
        raise InputError(f"precision {precision}", f"this {device.type} does not calculate in it", remedy)


def supported_precisions(device: torch.device) -> list[str]:
    """The precisions that a device has instructions for."""
    if device.type == "cpu":
        supported = [FP32]
        if torch.ops.mkldnn._is_mkldnn_bf16_supported():
            supported.append(BF16)
        if torch.ops.mkldnn._is_mkldnn_fp16_supported():
            supported.append(FP16)
        return supported
    if device.type == "cuda":
        return [FP32, BF16, FP16] if torch.cuda.is_bf16_supported(including_emulation=False) else [FP32, FP16]
    return [FP32, FP16]


def calculating_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """A context in which products of matrices are calculated in a precision; sums along the way stay in float32."""
    if precision == FP32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_TYPES[precision])

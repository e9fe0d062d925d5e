"""The precision of the image encoder: float32, or 16 bits for its matrix products."""

import contextlib
import copy
from contextlib import AbstractContextManager

import torch
from torch import nn

from pointad.compute.argument_kinds import as_choice
from pointad.compute.precision_names import BF16, FP16, FP32, PRECISIONS
from pointad.errors import InputError

_MATRICES = ("weight", "bias", "in_proj_weight", "in_proj_bias")  # of linear layers, attentions and convolutions
_TYPES = {BF16: torch.bfloat16, FP16: torch.float16}


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision without hardware support on the device: it would run, but slower than float32.

    Raises:
        InputError: the precision is unknown, or not supported by the device.
    """
    as_choice(precision, "precision", PRECISIONS)
    if precision not in supported_precisions(device):
        remedy = f"choose among {', '.join(supported_precisions(device))}"
        raise InputError(f"precision {precision}", f"not supported on this {device.type.upper()} device", remedy)


def supported_precisions(device: torch.device) -> list[str]:
    """The precisions that a device supports in hardware."""
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


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """A context in which matrix products are computed in the given precision, with float32 accumulation."""
    if precision == FP32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_TYPES[precision])


def with_rounded_matrices(encoder: nn.Module, precision: str) -> nn.Module:
    """A copy of a frozen encoder with its matrices already rounded to a precision; the encoder itself for float32.

    Autocast rounds the weights of frozen layers again in every call, which on CPUs takes many times as long as the
    products themselves. Results differ by no more than that rounding.

    Args:
        encoder: any module; its linear layers, attentions and convolutions are rounded, normalizations are not.
        precision: ``fp32``, ``bf16`` or ``fp16``.
    """
    if precision == FP32:
        return encoder
    rounded = copy.deepcopy(encoder)
    for module in rounded.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.MultiheadAttention)):
            for name in _MATRICES:
                parameter = getattr(module, name, None)
                if isinstance(parameter, nn.Parameter):
                    setattr(module, name, nn.Parameter(parameter.to(_TYPES[precision]), requires_grad=False))
    projection = getattr(rounded, "proj", None)
    if isinstance(projection, nn.Parameter):
        rounded.proj = nn.Parameter(projection.to(_TYPES[precision]), requires_grad=False)
    return rounded

"""Writes a state dict as a JIT archive, the way OpenAI publishes its weights."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn


class _Holder(nn.Module):
    """Parameters under dotted names, without any computation."""

    def forward(self, anything: Tensor) -> Tensor:
        return anything


def write_jit_archive(state: dict[str, Tensor], path: Path) -> None:
    """Save the entries with OpenAI's three numbers about the model beside them."""
    root = _Holder()
    numbers = {"input_resolution": 336, "context_length": 77, "vocab_size": 49408}
    for name, entry in {**state, **{name: torch.tensor(value) for name, value in numbers.items()}}.items():
        *parents, leaf = name.split(".")
        module: nn.Module = root
        for parent in parents:
            if not hasattr(module, parent):
                module.add_module(parent, _Holder())
            module = getattr(module, parent)
        module.register_buffer(leaf, entry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(root, torch.zeros(1)).save(path)

"""CLIP weights from a file, whatever its kind, in float32 or better: state dict, OpenAI's JIT archive, safetensors."""

import hashlib
import logging
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pointad.errors import InputError
from pointad.files.torch_files import check_finite, is_state, read_torch_file

logger = logging.getLogger(__name__)

# Numbers about the model that OpenAI's archives hold beside the weights.
BOOKKEEPING = ("input_resolution", "context_length", "vocab_size")
ATTENTION_MASK = "attn_mask"  # archives of open_clip's models hold it, though it is not learned


@dataclass(frozen=True)
class WeightsFile:
    """What a file of CLIP weights holds."""

    path: Path
    state: dict[str, Tensor]  # under the names of OpenAI and open_clip, floating-point entries in float32 or wider
    from_openai: bool  # it carries OpenAI's bookkeeping entries, so the model has QuickGELU


def read_weights(path: str | Path) -> WeightsFile:
    """Read CLIP weights.

    Half-precision entries are widened to float32; nothing is ever rounded. A file whose name is one of OpenAI's is
    compared with the published SHA-256, and a difference is logged as a warning.

    Args:
        path: a state dict (``.pt``, ``.pth``, ``.bin``; also one within a training checkpoint), a JIT archive as
            OpenAI publishes them, or ``.safetensors``.

    Raises:
        InputError: the file is missing or is none of these.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "no such file of CLIP weights", "give the path of an existing one")
    expected = published_sha256(path.name)
    if expected is not None and _sha256(path) != expected:
        logger.warning("%s differs from the file that OpenAI published under this name (SHA-256 %s)", path, expected)
    state = _read_state(path)
    from_openai = any(name in state for name in BOOKKEEPING)
    learned = {name: _widen(entry) for name, entry in state.items() if name not in (*BOOKKEEPING, ATTENTION_MASK)}
    return WeightsFile(path, learned, from_openai)


def openai_url(name: str) -> str:
    """Where OpenAI published the weights of an open_clip model, or "" when it did not."""
    return open_clip.get_pretrained_url(name, "openai") or ""


def published_sha256(file_name: str) -> str | None:
    """The SHA-256 of the file that OpenAI published under this name (a folder of its address), None for other names."""
    for name in open_clip.list_openai_models():
        *_, digest, published_name = openai_url(name).split("/")
        if published_name == file_name:
            return digest
    return None


def _read_state(path: Path) -> dict[str, Tensor]:
    kind, remedy = "a file of CLIP weights", "give a state dict, a JIT archive or a .safetensors file"
    if path.suffix == ".safetensors":
        try:
            content: Any = load_file(path)
        except (OSError, SafetensorError) as error:
            raise InputError(path, f"not {kind}", remedy) from error
    elif _is_jit_archive(path):
        content = _read_jit_archive(path, kind, remedy)
    else:
        content = read_torch_file(path, kind=kind, remedy=remedy)
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not is_state(content):
        raise InputError(path, f"not {kind}", remedy)
    check_finite(content, path)
    return {name.removeprefix("module."): entry for name, entry in content.items()}


def _read_jit_archive(path: Path, kind: str, remedy: str) -> dict[str, Tensor]:
    """The archive's tensors; its code, which could not leave TorchScript anyway, is not run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch deprecates the format that OpenAI published
            return dict(torch.jit.load(path, map_location="cpu").state_dict())
    except (OSError, RuntimeError) as error:
        raise InputError(path, f"not {kind}", remedy) from error


def _is_jit_archive(path: Path) -> bool:
    """JIT archives are zip files with code beside the data."""
    try:
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in entry for entry in archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False  # a damaged archive; whoever reads it next says so


def _widen(entry: Tensor) -> Tensor:
    return entry.float() if entry.dtype in (torch.float16, torch.bfloat16) else entry


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

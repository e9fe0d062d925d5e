"""CLIP weights from a file or folder in any supported format, under one set of names and in float32.

Supported are PyTorch state dicts, TorchScript archives and safetensors, with the entry names of OpenAI and open_clip or
those of Hugging Face.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor

from pointad.errors import InputError, short
from pointad.files.digests import file_digest
from pointad.files.existing import require_file
from pointad.files.presence import is_folder
from pointad.files.safetensors_files import SUFFIX, read_safetensors
from pointad.files.tensor_formats import SAFETENSORS, tensor_format
from pointad.files.torch_files import check_finite, is_state, read_torch_file
from pointad.model import hugging_face, siglip_hugging_face
from pointad.model.hugging_face import FileConfiguration
from pointad.model.model_folder import INDEX_SUFFIX, shards_of, weights_in
from pointad.model.open_clip_configuration import OpenClipConfiguration, read_open_clip_configuration
from pointad.model.second_weights import SAVE_ONE, second_weights, without_prefixes
from pointad.model.single_precision import in_single_precision
from pointad.model.weight_locations import NO_WEIGHTS

logger = logging.getLogger(__name__)

# Facts about the model that OpenAI's archives hold beside the weights.
BOOKKEEPING = ("input_resolution", "context_length", "vocab_size")
ATTENTION_MASK = "attn_mask"  # stored in archives, for the model and its blocks, though it is not learned

_KIND = "a file of CLIP weights"
_REMEDY = "give a state dict, an archive from OpenAI, a .safetensors file or a folder from Hugging Face"
_NESTS = ("state_dict", "model_state_dict", "model")  # where training checkpoints keep the weights
_SHOWN = 60  # characters of a name in an error
_HIDDEN = -1e4  # added to the attention to a token, at least this hides it; mostly minus infinity


@dataclass(frozen=True)
class WeightsFile:
    """What a file of CLIP weights holds."""

    path: Path
    state: dict[str, Tensor]  # under the names of OpenAI and open_clip, floating-point entries in float32
    from_openai: bool  # it has OpenAI's bookkeeping entries, so the model uses QuickGELU
    configuration: FileConfiguration | OpenClipConfiguration | None = None  # from the folder that the file is in


def read_weights(path: str | Path) -> WeightsFile:
    """Read CLIP weights.

    Half-precision entries are widened to float32, and double-precision ones rounded, which is logged. A file with the
    name of one of OpenAI's is checked against the published SHA-256; a mismatch is logged as a warning.

    Args:
        path: a state dict (``.pt``, ``.pth``, ``.bin``; also one within a training checkpoint), a TorchScript archive
            as published by OpenAI, ``.safetensors``, an index of several such files, or a folder with one of these.

    Raises:
        InputError: the file is missing, is none of these, or holds non-finite values.
    """
    path = Path(path)
    if is_folder(path):
        path = weights_in(path)
    require_file(path, *NO_WEIGHTS)
    expected = published_sha256(path.name)
    if expected is not None and file_digest(path).hex() != expected:
        logger.warning("%s differs from the file that OpenAI published under this name (SHA-256 %s)", path, expected)
    parts = shards_of(path) if path.name.endswith(INDEX_SUFFIX) else [path]
    state: dict[str, Tensor] = {}
    for part in parts:
        entries = _read_state(part)
        _refuse_second_values(state, entries, part)
        state |= entries
    configuration: FileConfiguration | OpenClipConfiguration | None
    if siglip_hugging_face.MARKER in state:
        stored, state = state, siglip_hugging_face.open_clip_names(state, path)
        configuration = siglip_hugging_face.read_configuration(state, path, stored)
    elif hugging_face.MARKER in state:
        configuration = hugging_face.read_configuration(state, path.parent)
        state = hugging_face.openai_names(state, path)
    else:
        configuration = read_open_clip_configuration(path)
    from_openai = any(name in state for name in BOOKKEEPING)
    learned = {name: entry for name, entry in state.items() if not _is_unlearned(name)}
    return WeightsFile(path, in_single_precision(learned, path), from_openai, configuration)


def _refuse_second_values(state: dict[str, Tensor], entries: dict[str, Tensor], part: Path) -> None:
    for name in sorted(state.keys() & entries.keys()):
        first, second = state[name], entries[name]
        if first.dtype != second.dtype or not torch.equal(first, second):
            problem = f"its {name!r} has other values than another part's"
            raise InputError(part, problem, "download the folder again; parts of two models may be mixed")


def openai_url(name: str) -> str:
    """The URL at which OpenAI published the weights of an open_clip model, or "" if it did not."""
    return open_clip.get_pretrained_url(name, "openai") or ""


def published_sha256(file_name: str) -> str | None:
    """The SHA-256 of the file that OpenAI published under this name (part of its URL), None for other names."""
    for name in open_clip.list_openai_models():
        *_, digest, published_name = openai_url(name).split("/")
        if published_name == file_name:
            return digest
    return None


def _read_state(path: Path) -> dict[str, Tensor]:
    found = tensor_format(path)
    if found == SAFETENSORS or (found is None and path.suffix.lower() == SUFFIX):
        content: Any = read_safetensors(path, kind=_KIND, remedy=_REMEDY)
    else:
        content = read_torch_file(path, kind=_KIND, remedy=_REMEDY)
    content = _without_nests(content, path)
    if not is_state(content):
        raise InputError(path, f"not {_KIND} (its entries are not named tensors)", _REMEDY)
    if not content:
        raise InputError(path, f"not {_KIND} (it is empty)", _REMEDY)
    check_finite({name: entry for name, entry in content.items() if not _is_unlearned(name)}, path)
    _check_masks(content, path)
    return without_prefixes(content)


def _without_nests(content: Any, path: Path) -> Any:
    """The state dict within a training checkpoint."""
    whole, places = content, []
    for _ in _NESTS:
        nests = [name for name in _NESTS if isinstance(content, dict) and isinstance(content.get(name), dict)]
        if not nests:
            break
        if len(nests) > 1:
            raise InputError(path, f"holds several sets of weights ({', '.join(nests)})", SAVE_ONE)
        places.append(nests[0])
        content = content[nests[0]]
    if places and is_state(content) and (second := second_weights(whole, content, (ATTENTION_MASK, *BOOKKEEPING))):
        raise InputError(path, f"holds several sets of weights ({'.'.join(places)}, {second})", SAVE_ONE)
    return content


def _check_masks(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse masks other than that of CLIP's texts, which the model has anyway: each token sees those before it.

    Raises:
        InputError: there is one.
    """
    for name, mask in state.items():
        if name.split(".")[-1] == ATTENTION_MASK and not _is_causal(mask):
            problem = f"its {short(name, _SHOWN)!r} is not the mask of CLIP's texts, whose tokens see those before them"
            raise InputError(path, problem, "give a CLIP with its own text encoder")


def _is_causal(mask: Tensor) -> bool:
    if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
        return False
    later = torch.ones(mask.shape, dtype=torch.bool).triu(diagonal=1)
    return torch.equal(mask <= _HIDDEN if mask.is_floating_point() else mask != 0, later) and not mask[~later].any()


def _is_unlearned(name: str) -> bool:
    return name in BOOKKEEPING or name.split(".")[-1] == ATTENTION_MASK


def half_precision_values(state: Mapping[str, Tensor]) -> bool:
    """Whether the matrices of a float32 state dict are exact in half precision, as in OpenAI's published weights."""
    matrices = [entry for name, entry in state.items() if name.endswith(("conv1.weight", "in_proj_weight"))]
    return bool(matrices) and all(torch.equal(entry, entry.half().to(entry.dtype)) for entry in matrices)

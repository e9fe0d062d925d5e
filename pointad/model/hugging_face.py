"""CLIP in the format of Hugging Face's transformers: its weights renamed to open_clip's names, its config.json read.

The numbers are the same, arranged differently: query, key and value projections are three matrices where open_clip has
one, and the two projections into the joint embedding space are stored transposed. Source: ``CLIPModel`` and
``CLIPConfig`` of transformers.
"""

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json
from pointad.model.transformers_configuration import (
    TEXT,
    VISION,
    check_encoders,
    check_projection,
    encoder_settings,
)

MARKER = "vision_model.embeddings.patch_embedding.weight"  # an entry that only these files have
CONFIGURATION_NAME = "config.json"
PREPROCESSOR_NAME = "preprocessor_config.json"
PROCESSOR_NAME = "processor_config.json"  # in which transformers 5 writes the same within its "image_processor"

_WHOLE = {
    "logit_scale": "logit_scale",
    "visual_projection.weight": "visual.proj",
    "text_projection.weight": "text_projection",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",  # sic
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
}
_TRANSPOSED = ("visual_projection.weight", "text_projection.weight")
COUNTERS = ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")  # 0, 1, 2, … not learned
LAYER = re.compile(r"(text|vision)_model\.encoder\.layers\.(0|[1-9][0-9]{0,5})\.(.+)\.(weight|bias)")  # of a block
_TOWERS = {"text": "transformer.resblocks", "vision": "visual.transformer.resblocks"}
_PARTS = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
JOINED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")  # in this order
_ACTIVATIONS = {"quick_gelu": True, "gelu": False}
_EPSILON = 1e-5
_COMMON = {"num_hidden_layers": 12, "hidden_act": "quick_gelu", "layer_norm_eps": _EPSILON}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {  # of CLIPConfig
    VISION: {
        **_COMMON,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "image_size": 224,
        "patch_size": 32,
    },
    TEXT: {
        **_COMMON,
        "hidden_size": 512,
        "intermediate_size": 2048,
        "num_attention_heads": 8,
        "vocab_size": 49408,
        "max_position_embeddings": 77,
        "eos_token_id": 49407,
    },
}
_END_TOKENS = (49407, 2)  # CLIP's own, and what transformers wrote for it at first and still takes for it
_LARGEST_COLOR = 10.0  # colours are from 0 to 1
_LEAST_DEVIATION = 1e-3
_SAME_FACTOR = 1e-6
_BICUBIC = (3,)  # Pillow's number
_COLORS = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}  # what is done to pictures here

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileConfiguration:
    """What the configuration beside the weights states that their shapes do not; None if it does not say."""

    source: Path
    quick_gelu: bool
    vision_heads: int | None = None
    text_heads: int | None = None
    mean: tuple[float, ...] | None = None  # per colour channel, of pictures with values 0 … 1
    std: tuple[float, ...] | None = None


def openai_names(state: Mapping[str, Tensor], path: str | Path) -> dict[str, Tensor]:
    """The weights of a ``CLIPModel`` under the names of OpenAI and open_clip.

    Args:
        state: under transformers' names.
        path: the file that they come from, for errors.

    Raises:
        InputError: some of the names do not belong to a CLIP, or a projection is incomplete.
    """
    renamed: dict[str, Tensor] = {}
    joined: dict[str, dict[str, Tensor]] = {}
    for name, entry in state.items():
        layer = LAYER.fullmatch(name)
        if name in _WHOLE:
            renamed[_WHOLE[name]] = entry.T.contiguous() if name in _TRANSPOSED and entry.ndim == 2 else entry
        elif layer and layer[3] in _PARTS:
            renamed[f"{_TOWERS[layer[1]]}.{layer[2]}.{_PARTS[layer[3]]}.{layer[4]}"] = entry
        elif layer and layer[3] in JOINED:
            target = f"{_TOWERS[layer[1]]}.{layer[2]}.attn.in_proj_{layer[4]}"
            joined.setdefault(target, {})[layer[3]] = entry
        elif name not in COUNTERS:
            raise InputError(
                path,
                f"Hugging Face weights of a model other than CLIP (its '{name[:100]}')",
                "give those of a CLIPModel, such as openai/clip-vit-large-patch14-336",
            )
    renamed |= {target: together(parts, target, path) for target, parts in joined.items()}
    return renamed


def together(parts: Mapping[str, Tensor], target: str, path: str | Path) -> Tensor:
    """Query, key and value projections of a block one below the other, as open_clip has them.

    Args:
        parts: by the names of `JOINED`, each (width, …).
        target: the name under which they are joined, for errors.
        path: the file that they come from, for errors.

    Raises:
        InputError: one is missing, or they are of different shapes or kinds.
    """
    kinds = {(part.shape, part.dtype) for part in parts.values()}
    if len(parts) < len(JOINED) or len(kinds) > 1 or not all(part.ndim for part in parts.values()):
        raise InputError(path, f"is incomplete: its {target} lacks query, key or value", "download it again")
    return torch.cat([parts[name] for name in JOINED])


def read_configuration(state: Mapping[str, Tensor], folder: Path) -> FileConfiguration | None:
    """The contents of ``config.json`` and ``preprocessor_config.json`` in a folder; None if there is no config.json.

    Args:
        state: the weights in that folder, under transformers' names.
        folder: where the files are.

    Raises:
        InputError: it is unreadable, belongs to other weights, or needs what open_clip's CLIP does not support.
    """
    path = folder / CONFIGURATION_NAME
    if not is_beside(path):
        return None
    remedy = "give the folder of a CLIPModel, or remove the file and name the model with --clip_model"
    content = read_json(path, remedy)
    if not isinstance(content, dict) or content.get("model_type") != "clip":
        kind = content.get("model_type") if isinstance(content, dict) else None
        if kind == "siglip":
            remedy = (
                "give the folder of a SiglipModel with its pooling head (vision_model.head), which these weights lack"
            )
        raise InputError(path, f"configuration of a model other than clip (model_type {kind!r:.60})", remedy)
    encoders = {name: _encoder(content, name, path, remedy) for name in _DEFAULTS}
    activations = {str(encoder["hidden_act"]) for encoder in encoders.values()}
    if len(activations) > 1 or not activations <= _ACTIVATIONS.keys():
        found = " and ".join(sorted(activations))[:100]
        raise InputError(path, f"its hidden_act is {found}, expected quick_gelu or gelu for both encoders", remedy)
    if any(encoder["layer_norm_eps"] != _EPSILON for encoder in encoders.values()):
        raise InputError(path, f"its layer_norm_eps is not {_EPSILON:g}, which is not supported", remedy)
    end = encoders[TEXT]["eos_token_id"]
    if end not in (*_END_TOKENS, *([token] for token in _END_TOKENS)):
        problem = f"its texts end with token {end!r:.40}, while CLIP's end with {_END_TOKENS[0]}"
        raise InputError(path, problem, remedy)
    check_encoders(encoders, state, path, class_tokens=1)
    check_projection(content.get("projection_dim"), state.get("visual_projection.weight"), "projection_dim", path)
    heads = {name: encoder["num_attention_heads"] for name, encoder in encoders.items()}
    mean, std = read_normalization(folder)
    return FileConfiguration(path, _ACTIVATIONS[activations.pop()], heads[VISION], heads[TEXT], mean, std)


def _encoder(content: Mapping[str, Any], name: str, path: Path, remedy: str) -> dict[str, Any]:
    """The settings of an encoder; those of ``vision_config_dict``, with its own defaults, have precedence."""
    encoder = encoder_settings(content, name, _DEFAULTS[name], path, remedy)
    older = f"{name}_dict"  # what transformers wrote at first
    if content.get(older) is None:
        return encoder
    return {**encoder, **encoder_settings(content, older, _DEFAULTS[name], path, remedy)}


def read_normalization(folder: Path) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """Mean and standard deviation per colour channel that a folder states for pictures; None where it says nothing.

    As in transformers, ``processor_config.json`` has precedence over ``preprocessor_config.json``.

    Raises:
        InputError: a file is unreadable, they are not three numbers, or pictures are not to be normalized with them.
    """
    path, content = _picture_settings(folder)
    for name, usual in _COLORS.items():
        stated = usual if content.get(name) is None else content[name]
        if not isinstance(stated, (int, float)) or not abs(stated - usual) <= _SAME_FACTOR:
            problem = f"its {name} is {stated!s:.40}, which is not supported"
            raise InputError(path, problem, "give a model whose pictures are rescaled to 0 to 1 and normalized")
    tell_other_resizing(content.get("resample"), _BICUBIC, path)
    return channel_values(content.get("image_mean"), path), channel_values(
        content.get("image_std"), path, positive=True
    )


def _picture_settings(folder: Path) -> tuple[Path, dict[str, Any]]:
    """What a folder states about pictures, and the file that does; nothing if none does."""
    remedy = "remove it, or download it again"
    path = folder / PROCESSOR_NAME
    content = read_json(path, remedy) if is_beside(path) else {}
    if isinstance(content, dict):
        content = content.get("image_processor")
        if content is None:
            path = folder / PREPROCESSOR_NAME
            content = read_json(path, remedy) if is_beside(path) else {}
    if not isinstance(content, dict):
        raise InputError(path, "does not state how pictures are normalized", remedy)
    return path, content


def tell_other_resizing(stated: Any, bicubic: Collection[Any], source: Path) -> None:
    """Log that a model's pictures were resized by another rule than the method's, which is the same for all models.

    Args:
        stated: the rule; None if nothing says it.
        bicubic: what stands for the method's rule in this kind of file.
        source: the file that states it.
    """
    if stated is not None and stated not in bicubic:
        message = "%s: states other resizing of pictures (%s); they are resized bicubically, as the method does it"
        logger.warning(message, source, f"{stated!s:.40}")


def channel_values(value: Any, path: Path, *, positive: bool = False) -> tuple[float, ...] | None:
    """One number per colour channel, from JSON; None stays None.

    Args:
        value: a mean or standard deviation of colours from 0 to 1.
        path: the file, for errors.
        positive: whether they must be above 0.

    Raises:
        InputError: it is not three numbers, or one is no such value.
    """
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 3 and all(type(each) in (int, float) for each in value)):
        raise InputError(path, "its image mean or standard deviation is not three numbers", "download it again")
    if not all(abs(each) <= _LARGEST_COLOR for each in value) or (positive and not min(value) >= _LEAST_DEVIATION):
        raise InputError(path, f"its image mean or standard deviation is {value}".lower()[:150], "download it again")
    return tuple(map(float, value))

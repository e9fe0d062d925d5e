"""SigLIP in the format of Hugging Face's transformers: its weights renamed to open_clip's names, its config.json read.

The numbers are the same, arranged differently: queries, keys and values of the blocks are joined, and those of the
pooling head separated. Source: ``SiglipModel`` and ``SiglipConfig`` of transformers.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pointad.errors import InputError
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json
from pointad.model.architecture import Configuration, check_counts, count_blocks
from pointad.model.hugging_face import (
    CONFIGURATION_NAME,
    COUNTERS,
    JOINED,
    LAYER,
    read_normalization,
    together,
)
from pointad.model.open_clip_configuration import OpenClipConfiguration
from pointad.model.siglip_model import TRUNK, TrunkDimensions, exact_ratio
from pointad.model.transformers_configuration import (
    TEXT,
    VISION,
    check_encoders,
    check_projection,
    encoder_settings,
)

MARKER = "vision_model.head.probe"  # an entry that only these files have

_WHOLE = {
    "logit_scale": "logit_scale",
    "logit_bias": "logit_bias",
    "text_model.embeddings.token_embedding.weight": "text.token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "text.positional_embedding",
    "text_model.final_layer_norm": "text.ln_final",
    "text_model.head": "text.text_projection",
    "vision_model.embeddings.patch_embedding": "visual.trunk.patch_embed.proj",
    "vision_model.embeddings.position_embedding.weight": "visual.trunk.pos_embed",
    "vision_model.post_layernorm": "visual.trunk.norm",
    "vision_model.head.probe": "visual.trunk.attn_pool.latent",
    "vision_model.head.attention.out_proj": "visual.trunk.attn_pool.proj",
    "vision_model.head.layernorm": "visual.trunk.attn_pool.norm",
    "vision_model.head.mlp.fc1": "visual.trunk.attn_pool.mlp.fc1",
    "vision_model.head.mlp.fc2": "visual.trunk.attn_pool.mlp.fc2",
}
_SCALARS = ("logit_scale", "logit_bias")  # stored as (1,)
_POOL = re.compile(r"vision_model\.head\.attention\.in_proj_(weight|bias)")
_BLOCKS = {"text": "text.transformer.resblocks", "vision": "visual.trunk.blocks"}
_PARTS = {
    "text": {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    },
    "vision": {
        "layer_norm1": "norm1",
        "layer_norm2": "norm2",
        "mlp.fc1": "mlp.fc1",
        "mlp.fc2": "mlp.fc2",
        "self_attn.out_proj": "attn.proj",
    },
}
_JOINED_NAMES = {"text": "attn.in_proj_{}", "vision": "attn.qkv.{}"}

_MODEL_TYPE, _NAFLEX_TYPE = "siglip", "siglip2"
_ACTIVATION, _EPSILON = "gelu_pytorch_tanh", 1e-6
_COMMON = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": _ACTIVATION,
    "layer_norm_eps": _EPSILON,
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {  # of SiglipConfig
    VISION: {**_COMMON, "image_size": 224, "patch_size": 16},
    TEXT: {**_COMMON, "vocab_size": 32000, "max_position_embeddings": 64},
}
_REMEDY = "give the folder of a SiglipModel, such as google/siglip-base-patch16-224"


def open_clip_names(state: Mapping[str, Tensor], path: str | Path) -> dict[str, Tensor]:
    """The weights of a ``SiglipModel`` under open_clip's names.

    Args:
        state: under transformers' names.
        path: the file that they come from, for errors.

    Raises:
        InputError: some of the names do not belong to a SigLIP, or a projection is incomplete.
    """
    renamed: dict[str, Tensor] = {}
    joined: dict[str, dict[str, Tensor]] = {}
    for name, entry in state.items():
        stem, _, kind = name.rpartition(".")
        layer, pool = LAYER.fullmatch(name), _POOL.fullmatch(name)
        if name in _WHOLE:
            renamed[_WHOLE[name]] = entry.reshape(()) if name in _SCALARS and entry.numel() == 1 else entry
        elif stem in _WHOLE and kind in ("weight", "bias"):
            renamed[f"{_WHOLE[stem]}.{kind}"] = entry
        elif pool and entry.ndim:
            query, keys_and_values = entry[: len(entry) // 3], entry[len(entry) // 3 :]
            renamed[f"visual.trunk.attn_pool.q.{pool[1]}"] = query
            renamed[f"visual.trunk.attn_pool.kv.{pool[1]}"] = keys_and_values
        elif layer and layer[3] in _PARTS[layer[1]]:
            renamed[f"{_BLOCKS[layer[1]]}.{layer[2]}.{_PARTS[layer[1]][layer[3]]}.{layer[4]}"] = entry
        elif layer and layer[3] in JOINED:
            target = f"{_BLOCKS[layer[1]]}.{layer[2]}.{_JOINED_NAMES[layer[1]].format(layer[4])}"
            joined.setdefault(target, {})[layer[3]] = entry
        elif name not in COUNTERS:
            raise InputError(path, f"Hugging Face weights of a model other than SigLIP (its '{name[:100]}')", _REMEDY)
    renamed |= {target: together(parts, target, path) for target, parts in joined.items()}
    positions = "visual.trunk.pos_embed"
    return {**renamed, positions: renamed[positions][None]} if positions in renamed else renamed


def read_configuration(state: Mapping[str, Tensor], path: Path, stored: Mapping[str, Tensor]) -> OpenClipConfiguration:
    """The model that ``config.json`` beside the weights describes; dimensions come from the weights themselves.

    Args:
        state: the weights, under open_clip's names.
        path: their file.
        stored: the same weights under transformers' names.

    Raises:
        InputError: it is missing or unreadable, belongs to another kind of model, or does not fit the weights.
    """
    source = path.with_name(CONFIGURATION_NAME)
    if not is_beside(source):
        raise InputError(source, "not found; SigLIP's weights do not state their attention heads", _REMEDY)
    content = read_json(source, _REMEDY)
    kind = content.get("model_type") if isinstance(content, dict) else None
    if kind == _NAFLEX_TYPE:
        problem = "describes a SigLIP 2 NaFlex, whose pictures have no fixed grid of patches"
        raise InputError(source, problem, "take one with a fixed size, such as google/siglip2-base-patch16-224")
    if kind != _MODEL_TYPE:
        raise InputError(source, f"configuration of a model other than siglip (model_type {kind!r:.60})", _REMEDY)
    encoders = {name: _encoder(content, name, source) for name in _DEFAULTS}
    check_encoders(encoders, stored, source, class_tokens=0)
    projection = encoders[TEXT].get("projection_size")
    check_projection(projection, stored.get("text_model.head.weight"), "projection_size", source)
    heads = {name: encoder["num_attention_heads"] for name, encoder in encoders.items()}
    try:
        model = _configuration(state, heads)
    except KeyError as missing:
        raise InputError(path, f"is incomplete: it has no entry {missing}", "download it again") from missing
    except (ValueError, IndexError) as error:
        problem = f"its entries do not have the dimensions of a SigLIP ({error})"
        raise InputError(path, problem, "download it again") from error
    vision, text = model["vision_cfg"][TRUNK], model["text_cfg"]
    check_counts(vision.depth, text["layers"], text["context_length"], path, "download it again")
    mean, std = read_normalization(path.parent)
    return OpenClipConfiguration(source, model, mean, std)


def _encoder(content: dict[str, Any], name: str, source: Path) -> dict[str, Any]:
    """The settings of an encoder, after checking that what the weights do not show is as in all of SigLIP."""
    encoder = encoder_settings(content, name, _DEFAULTS[name], source, _REMEDY)
    activation = str(encoder["hidden_act"])
    if activation != _ACTIVATION:
        raise InputError(source, f"its hidden_act is {activation[:60]}, expected {_ACTIVATION}", _REMEDY)
    if not encoder.get("vision_use_head", True):
        raise InputError(source, "its vision_use_head is false: its pictures have no features to compare", _REMEDY)
    if encoder["layer_norm_eps"] != _EPSILON:
        raise InputError(source, f"its layer_norm_eps is not {_EPSILON:g}, which is not supported", _REMEDY)
    return encoder


def _configuration(state: Mapping[str, Tensor], heads: Mapping[str, int]) -> Configuration:
    width, _, patch_size, _ = state["visual.trunk.patch_embed.proj.weight"].shape
    vocabulary, text_width = state["text.token_embedding.weight"].shape
    side = round(state["visual.trunk.pos_embed"].shape[1] ** 0.5)
    return {
        "embed_dim": len(state["text.text_projection.weight"]),
        "vision_cfg": {
            "timm_pool": "map",
            "timm_proj": "none",
            TRUNK: TrunkDimensions(
                image_size=side * patch_size,
                patch_size=patch_size,
                width=width,
                depth=count_blocks(state, _BLOCKS["vision"]),
                heads=heads["vision_config"],
                mlp_width=len(state["visual.trunk.attn_pool.mlp.fc1.weight"]),
            ),
        },
        "text_cfg": {
            "context_length": len(state["text.positional_embedding"]),
            "vocab_size": vocabulary,
            "width": text_width,
            "heads": heads["text_config"],
            "layers": count_blocks(state, _BLOCKS["text"]),
            "mlp_ratio": exact_ratio(len(state[f"{_BLOCKS['text']}.0.mlp.c_fc.weight"]), text_width),
            "no_causal_mask": True,
            "pool_type": "last",
            "proj_bias": True,
            "norm_kwargs": {"eps": _EPSILON},
            "act_kwargs": {"approximate": "tanh"},
        },
    }

"""SigLIP as a model: which configurations are SigLIP's, and how one is built."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import timm
import torch
from open_clip.transformer import LayerNorm, TextTransformer
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from pointad.errors import InputError
from pointad.model.siglip import SiglipVision

MEAN = STD = (0.5, 0.5, 0.5)  # of pictures with values 0 … 1, for all published SigLIP models

CLEAN = "canonicalize"  # open_clip's name for lower case without punctuation, in which SigLIP's texts are read

CUSTOM_ATTENTION = ("qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc")
"""Options of open_clip's encoders, each of which changes what their blocks compute."""

TRUNK = "trunk"  # the entry of vision_cfg that holds TrunkDimensions; open_clip's configurations name a model instead
_TIMM_NAME = re.compile(r"vit_[a-z0-9]+_patch[0-9]+_siglip_[0-9]+")  # others, such as "siglip_gap", pool otherwise


@dataclass(frozen=True)
class TrunkDimensions:
    """An image encoder that timm has no name for; in pixels, channels and counts."""

    image_size: int
    patch_size: int
    width: int
    depth: int
    heads: int
    mlp_width: int


class SiglipModel(nn.Module):
    """Both encoders of SigLIP, under open_clip's names of all entries.

    The scale and the bias of the sigmoid loss are read with the weights, but nothing is computed with them: the method
    compares two prompts by a softmax at its own temperature, in which a bias common to both cancels.
    """

    def __init__(self, trunk: VisionTransformer, text: TextTransformer) -> None:
        super().__init__()
        self.visual = SiglipVision(trunk)
        self.text = text
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.logit_bias = nn.Parameter(torch.zeros(()))


def is_siglip(configuration: Mapping[str, Any]) -> bool:
    """Whether a configuration of open_clip's form has SigLIP's image encoder."""
    vision = configuration["vision_cfg"]
    named = isinstance(vision.get("timm_model_name"), str) and _TIMM_NAME.fullmatch(vision["timm_model_name"])
    return isinstance(vision.get(TRUNK), TrunkDimensions) or bool(named)


def check_siglip(name: str, configuration: Mapping[str, Any]) -> None:
    """Refuse what only looks like SigLIP.

    Raises:
        InputError: the pictures are pooled differently, or the text encoder is not SigLIP's own.
    """
    vision, text = configuration["vision_cfg"], configuration["text_cfg"]
    remedy = "take a SigLIP with its own text encoder, such as ViT-B-16-SigLIP or ViT-B-16-SigLIP2"
    if vision.get("timm_pool") != "map" or vision.get("timm_proj") != "none":
        raise InputError(f"model {name}", "its image encoder does not read out as SigLIP's does", remedy)
    if (
        text.get("hf_model_name")
        or text.get("embed_cls")
        or not text.get("no_causal_mask")
        or text.get("pool_type") != "last"
        or text.get("proj_type", "linear") != "linear"
        or text.get("block_type") not in (None, "default")
        or text.get("ls_init_value") is not None
        or any(text.get(option) for option in CUSTOM_ATTENTION)
        or configuration.get("quick_gelu")
    ):
        raise InputError(f"model {name}", "its text encoder is not SigLIP's own", remedy)
    # Without "clean", open_clip keeps capitals and punctuation; all other options are those of its tokenizers.
    reading = {"strip_sep_token": False, **(text.get("tokenizer_kwargs") or {})}
    if text.get("tokenizer_mode") or reading != {"clean": CLEAN, "strip_sep_token": False}:
        problem = "its texts are not read as SigLIP's are"
        other = f"tokenizer_mode, or tokenizer_kwargs other than clean: {CLEAN}"
        raise InputError(f"model {name}", f"{problem} ({other})", remedy)


def activation_name(configuration: Mapping[str, Any]) -> str:
    """How the log names the activation of a SigLIP."""
    vision = configuration["vision_cfg"]
    return "GELU by tanh" if TRUNK in vision else f"the activation of {vision['timm_model_name']}"


def build_siglip(configuration: Mapping[str, Any]) -> SiglipModel:
    """A SigLIP of this configuration with random float32 weights, on the current default device.

    Raises:
        RuntimeError, TypeError, ValueError, AssertionError: no model has these dimensions.
    """
    vision, text = configuration["vision_cfg"], configuration["text_cfg"]
    dimensions = vision.get(TRUNK)
    trunk: Any
    if isinstance(dimensions, TrunkDimensions):
        trunk = _trunk(dimensions)
    else:
        trunk = timm.create_model(vision["timm_model_name"], pretrained=False, num_classes=0, global_pool="map")
    if trunk.num_features != configuration["embed_dim"]:
        raise ValueError(f"pictures have {trunk.num_features} dimensions, texts {configuration['embed_dim']}")
    return SiglipModel(trunk, _text_encoder(text, configuration["embed_dim"]))


def _trunk(dimensions: TrunkDimensions) -> VisionTransformer:
    return VisionTransformer(
        img_size=dimensions.image_size,
        patch_size=dimensions.patch_size,
        embed_dim=dimensions.width,
        depth=dimensions.depth,
        num_heads=dimensions.heads,
        mlp_ratio=exact_ratio(dimensions.mlp_width, dimensions.width),
        class_token=False,
        global_pool="map",
        num_classes=0,
        act_layer="gelu_tanh",
    )


def exact_ratio(mlp_width: int, width: int) -> float:
    """The ratio whose product with ``width``, rounded down, is ``mlp_width``."""
    return (mlp_width + 0.5) / width


def _text_encoder(text: Mapping[str, Any], output_dim: int) -> TextTransformer:
    return TextTransformer(
        context_length=text.get("context_length", 77),
        vocab_size=text.get("vocab_size", 49408),
        width=text.get("width", 512),
        heads=text.get("heads", 8),
        layers=text.get("layers", 12),
        mlp_ratio=text.get("mlp_ratio", 4.0),
        output_dim=output_dim,
        no_causal_mask=True,
        pool_type="last",
        proj_bias=bool(text.get("proj_bias", False)),
        act_layer=partial(nn.GELU, **(text.get("act_kwargs") or {})),
        norm_layer=partial(LayerNorm, **(text.get("norm_kwargs") or {})),
    )

"""The architecture of a CLIP model: the open_clip configuration for a name, or for weights in OpenAI's format.

The method needs a vision transformer with a class token and CLIP's own text encoder, or both encoders of SigLIP; other
models are refused here, before anything is built or downloaded.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.model.eva import SUPPORTED_TRUNKS
from pointad.model.siglip_model import CUSTOM_ATTENTION, build_siglip, check_siglip, exact_ratio, is_siglip

MOST_BLOCKS = 200  # of an encoder, which are built before they are compared with the weights; the largest CLIP has 64
MOST_TOKENS = 1024  # of a text, whose attention mask has their square; CLIP has 77

# OpenAI's models have attention heads of this width in both encoders; their files do not state it.
OPENAI_HEAD_WIDTH = 64

_SUPPORTED = "give a plain CLIP vision transformer, such as ViT-L-14-336, ViT-B-16 or ViT-H-14 (see docs/backbones.md)"
_FOREIGN_TOWERS = {  # prefix of an entry's name -> what it belongs to
    "visual.trunk.": (
        "its image encoder is timm's: SigLIP needs its whole folder or --clip_model, EVA02-CLIP --clip_model, and "
        "others, such as ConvNeXt, are not supported"
    ),
    "visual.attn_pool.": "its image encoder does not read out a class token, as in CoCa",
    "text.transformer.embeddings.": "its text encoder is not CLIP's own",
    "text.token_embedding.": "its text encoder is open_clip's own kind, not CLIP's",
}

Configuration = dict[str, Any]  # {"embed_dim", "vision_cfg": {…}, "text_cfg": {…}, "quick_gelu"}, as open_clip has it


def named_configuration(name: str) -> Configuration:
    """The configuration of an open_clip model.

    Args:
        name: such as ``ViT-B-16`` or ``ViT-L-14-336-quickgelu``; ``ViT-B/16`` is accepted too.

    Raises:
        InputError: open_clip does not know the name, or the model is not suitable for the method.
    """
    name = name.replace("/", "-")
    configuration = open_clip.get_model_config(name) if name in open_clip.list_models() else None
    if configuration is None:
        raise InputError(
            f"model {name}", "not a name that open_clip knows", "take one of open_clip.list_models(), such as ViT-B-16"
        )
    check_configuration(name, configuration)
    return configuration


def check_configuration(name: str, configuration: Configuration) -> None:
    """Refuse a model that is not suitable for the method.

    Raises:
        InputError: the image encoder is not a plain vision transformer with a class token, or the text encoder is not
            CLIP's own (its tokens could not be replaced by learned ones), and they are not SigLIP's either.
    """
    vision, text = configuration["vision_cfg"], configuration["text_cfg"]
    counts = (vision.get("layers", 12), text.get("layers", 12), text.get("context_length", 77))
    check_counts(*counts, f"model {name}", "download its configuration again")
    if is_siglip(configuration):
        check_siglip(name, configuration)
        return
    remedy = (
        "take a plain CLIP vision transformer, such as ViT-L-14-336, ViT-B-16 or ViT-H-14, or EVA02-B-16, "
        "EVA02-L-14 or a SigLIP"
    )
    if not isinstance(vision.get("layers", 12), int):
        raise InputError(f"model {name}", "its image encoder is a ResNet, which has no blocks to double", remedy)
    if vision.get("timm_model_name") and vision["timm_model_name"] not in SUPPORTED_TRUNKS:
        raise InputError(
            f"model {name}", f"its image encoder is timm's {vision['timm_model_name']}, not CLIP's own", remedy
        )
    pooled = vision.get("timm_model_name") and vision.get("timm_pool", "avg") != "token"
    if (
        pooled
        or vision.get("attentional_pool")
        or vision.get("pool_type", "tok") != "tok"
        or vision.get("final_ln_after_pool")
    ):
        raise InputError(f"model {name}", "its image encoder does not read out a class token", remedy)
    if vision.get("block_type") == "custom" or any(vision.get(option) for option in CUSTOM_ATTENTION):
        raise InputError(f"model {name}", "its image encoder has custom attention blocks", remedy)
    if (
        text.get("hf_model_name")
        or text.get("hf_tokenizer_name")
        or text.get("embed_cls")
        or text.get("scaled_cosine_attn")  # with which open_clip itself fails
        or text.get("no_causal_mask")
        or text.get("pool_type", "argmax") != "argmax"
        or text.get("proj_type", "linear") != "linear"
    ):
        raise InputError(f"model {name}", "its text encoder is not CLIP's own", remedy)
    reading = text.get("tokenizer_kwargs") or {}
    if reading.get("clean", "lower") != "lower" or reading.get("bpe_path") or reading.get("additional_special_tokens"):
        raise InputError(f"model {name}", "its texts are not read as CLIP's are (tokenizer_kwargs)", remedy)


def check_counts(vision_blocks: Any, text_blocks: Any, tokens: Any, subject: str | Path, remedy: str) -> None:
    """Refuse counts for which building the model would take far more than its weights; others than numbers pass.

    Raises:
        InputError: an encoder has too many blocks or none, or a text too many tokens.
    """
    for side, blocks in (("image", vision_blocks), ("text", text_blocks)):
        if isinstance(blocks, int) and not 0 < blocks <= MOST_BLOCKS:
            problem = f"its {side} encoder has {blocks} blocks; 1 to {MOST_BLOCKS} are supported"
            raise InputError(subject, problem, remedy)
    if isinstance(tokens, int) and not 0 < tokens <= MOST_TOKENS:
        raise InputError(subject, f"its texts have {tokens} tokens; 1 to {MOST_TOKENS} are supported", remedy)


def openai_configuration(state: Mapping[str, Tensor], path: str | Path) -> Configuration:
    """The configuration implied by the shapes of weights in OpenAI's format, with QuickGELU as in all of its models.

    Args:
        state: a state dict with the entry names of OpenAI's CLIP.
        path: the file that it comes from, for errors.

    Raises:
        InputError: the weights are not those of a CLIP, or belong to one of OpenAI's ResNets.
    """
    if "visual.attnpool.positional_embedding" in state:
        raise InputError(
            path,
            "its image encoder is a ResNet, which has no blocks to double",
            "take a vision transformer, such as ViT-L-14-336px.pt",
        )
    for beginning, problem in _FOREIGN_TOWERS.items():
        if any(name.startswith(beginning) for name in state):
            raise InputError(path, problem, _SUPPORTED)
    try:
        vision_width, _, _, patch_size = state["visual.conv1.weight"].shape
        grid = round((state["visual.positional_embedding"].shape[0] - 1) ** 0.5)
        vocabulary, text_width = state["token_embedding.weight"].shape
        embedding_dim = state["text_projection"].shape[1]
        context_length = state["positional_embedding"].shape[0]
    except KeyError as missing:
        raise InputError(path, f"not the weights of a CLIP: it has no entry {missing}", _SUPPORTED) from missing
    except (ValueError, IndexError) as error:
        raise InputError(path, f"its entries do not have the dimensions of a CLIP ({error})", _SUPPORTED) from error
    vision_blocks = count_blocks(state, "visual.transformer.resblocks")
    text_blocks = count_blocks(state, "transformer.resblocks")
    check_counts(vision_blocks, text_blocks, context_length, path, _SUPPORTED)
    return {
        "embed_dim": embedding_dim,
        "quick_gelu": True,
        "vision_cfg": {
            "image_size": patch_size * grid,
            "layers": vision_blocks,
            "width": vision_width,
            "head_width": min(OPENAI_HEAD_WIDTH, vision_width),
            "patch_size": patch_size,
            **_mlp_ratio(state, "visual.transformer", vision_width),
        },
        "text_cfg": {
            "context_length": context_length,
            "vocab_size": vocabulary,
            "width": text_width,
            "heads": max(1, text_width // OPENAI_HEAD_WIDTH),
            "layers": text_blocks,
            **_mlp_ratio(state, "transformer", text_width),
        },
    }


def build(configuration: Configuration, *, device: str = "cpu") -> nn.Module:
    """An open_clip model of this configuration with random float32 weights; on "meta", without any values."""
    if is_siglip(configuration):
        with torch.device(device):
            return build_siglip(configuration)
    # With "timm_model_pretrained", which a folder may state, timm would fetch other weights, for nothing.
    vision = {**configuration["vision_cfg"], "timm_model_pretrained": False}
    options = {"embed_dim": configuration["embed_dim"], "vision_cfg": vision, "text_cfg": configuration["text_cfg"]}
    model_class = open_clip.CustomTextCLIP if configuration.get("custom_text") else open_clip.CLIP
    with torch.device(device):
        return model_class(**options, quick_gelu=bool(configuration.get("quick_gelu", False)))


def _mlp_ratio(state: Mapping[str, Tensor], encoder: str, width: int) -> dict[str, float]:
    """How much wider the MLPs of an encoder are than its tokens, where that is not 4, as in ViT-g and ViT-bigG."""
    hidden = state.get(f"{encoder}.resblocks.0.mlp.c_fc.weight")
    if hidden is None or not hidden.ndim or len(hidden) == 4 * width or not width:
        return {}
    return {"mlp_ratio": exact_ratio(len(hidden), width)}


def count_blocks(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many blocks the entries of weights belong to that are called "<prefix>.<number>.…"."""
    return len({name[len(prefix) + 1 :].split(".")[0] for name in state if name.startswith(f"{prefix}.")})

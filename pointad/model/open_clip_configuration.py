"""The configuration file that open_clip stores beside weights in a folder from Hugging Face."""

import logging
from dataclasses import dataclass, fields
from pathlib import Path

import open_clip

from pointad.errors import InputError
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json
from pointad.files.presence import is_file
from pointad.model.architecture import Configuration, check_configuration
from pointad.model.hugging_face import channel_values, tell_other_resizing
from pointad.model.siglip_model import CUSTOM_ATTENTION, is_siglip

CONFIGURATION_NAME = "open_clip_config.json"
_WEIGHTS_PREFIX = "open_clip_"  # of the files that it belongs to
# Other names under which open_clip looks for the weights of a folder with this file.
_OTHER_NAMES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")

_BICUBIC = ("bicubic", "random")  # open_clip takes "random" so in tests
_GELUS = ("none", "tanh")  # PyTorch looks at the name only when it computes

_BOTH = {
    *("layers", "width", "mlp_ratio", "ls_init_value", "output_tokens", "act_kwargs", "norm_kwargs", "pool_type"),
    *("final_ln_after_pool", "block_type", *CUSTOM_ATTENTION),
}
OPTIONS = {
    "": {
        *("embed_dim", "vision_cfg", "text_cfg", "quick_gelu", "custom_text", "multimodal_cfg"),
        *("init_logit_scale", "init_logit_bias", "nonscalar_logit_scale", "cast_dtype", "output_dict"),
    },
    "vision_cfg": {
        *(*_BOTH, "head_width", "patch_size", "image_size", "patch_dropout", "no_ln_pre", "pos_embed_type"),
        *("attentional_pool", "attn_pooler_queries", "attn_pooler_heads"),
        *("timm_model_name", "timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop"),
        "timm_drop_path",
    },
    "text_cfg": {
        *(*_BOTH, "context_length", "vocab_size", "heads", "embed_cls", "pad_id", "eos_id", "no_causal_mask"),
        *("proj_bias", "proj_type", "hf_tokenizer_name", "tokenizer_mode", "tokenizer_kwargs"),
        *("hf_model_name", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type"),
    },
}
"""What a configuration may state: each option is followed, refused with values that are not, or changes no feature."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenClipConfiguration:
    """A model's complete configuration, and the normalization of its pictures; None if it does not say."""

    source: Path
    model: Configuration
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def read_open_clip_configuration(weights: Path) -> OpenClipConfiguration | None:
    """Read ``open_clip_config.json`` beside a file of weights; None if there is none or it belongs to other weights.

    Args:
        weights: a file whose entries have open_clip's names.

    Raises:
        InputError: it is unreadable, or the model is not suitable for the method.
    """
    path = weights.with_name(CONFIGURATION_NAME)
    if not weights.name.startswith(_WEIGHTS_PREFIX) and weights.name not in _OTHER_NAMES:
        if is_file(path):
            logger.warning("%s: %s beside it is not used, which belongs to files named otherwise", weights, path.name)
        return None
    if not is_beside(path):
        return None
    remedy = "download it again, or remove it and name the model with --clip_model"
    content = read_json(path, remedy)
    try:
        model, pictures = dict(content["model_cfg"]), content.get("preprocess_cfg") or {}
        check_configuration(path.parent.name, model)
        _check_known(model, path)
        _check_kinds(model, path, remedy)
        if (mode := pictures.get("mode")) not in (None, "RGB"):  # which open_clip refuses, too
            raise InputError(path, f"its pictures have the mode {mode!s:.40}, not RGB", "give a model for RGB pictures")
        tell_other_resizing(pictures.get("interpolation"), _BICUBIC, path)
        mean, std = (channel_values(pictures.get(name), path, positive=name == "std") for name in ("mean", "std"))
        return OpenClipConfiguration(path, model, mean, std)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(path, "is not an open_clip configuration", remedy) from error


def _check_known(model: Configuration, path: Path) -> None:
    """Refuse options whose effect on features is unknown here, such as those of later versions of open_clip.

    Raises:
        InputError: there is such an option.
    """
    for part, known in OPTIONS.items():
        unknown = sorted((model[part] if part else model).keys() - known)
        if unknown:
            raise InputError(path, f"has an unknown option {unknown[0][:60]!r}", "give a model without it")


def _check_kinds(model: Configuration, path: Path, remedy: str) -> None:
    """Refuse what Python would take for true or false, and heads that do not divide the width: open_clip reads both.

    Raises:
        InputError: there is such a value.
    """
    answers = [("quick_gelu", model.get("quick_gelu"))]
    for name, kind in (("vision_cfg", open_clip.CLIPVisionCfg), ("text_cfg", open_clip.CLIPTextCfg)):
        given = model[name]
        answers += [(field.name, given.get(field.name)) for field in fields(kind) if isinstance(field.default, bool)]
    for name, answer in answers:
        if answer is not None and not isinstance(answer, bool):
            raise InputError(path, f"its {name} is {answer!s:.40}, not true or false", remedy)
    text = model["text_cfg"]
    defaults = {} if is_siglip(model) else {"context_length": 77, "vocab_size": 49408}  # open_clip's, of CLIP's texts
    counts = {"embed_dim": None, "heads": 8, "context_length": None, "vocab_size": None, **defaults}
    for name, default in counts.items():
        count = (model if name == "embed_dim" else text).get(name, default)
        if type(count) is not int or count < 1:
            raise InputError(path, f"its {name} is {count!s:.40}, not a count", remedy)
    for given in (model["vision_cfg"], text):
        added = (given.get("norm_kwargs") or {}).get("eps", 1e-5)
        if type(added) not in (int, float):
            raise InputError(path, f"its eps is {added!s:.40}, not a number", remedy)
        kind = (given.get("act_kwargs") or {}).get("approximate", "none")
        if kind not in _GELUS:
            raise InputError(path, f"its GELU is approximated by {kind!s:.40}, not {' or '.join(_GELUS)}", remedy)
    width, head_width = model["vision_cfg"].get("width", 768), model["vision_cfg"].get("head_width", 64)
    if type(head_width) is not int or head_width < 1:
        raise InputError(path, f"its head_width is {head_width!s:.40}, not a count", remedy)
    if isinstance(width, int) and width % head_width:
        raise InputError(path, f"its attention heads of width {head_width} do not divide the width {width}", remedy)

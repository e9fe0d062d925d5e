"""What config.json of transformers says about an encoder, and whether it describes the encoders of the weights.

What it omits has the default of transformers, whatever the weights are. Sizes other than those of the weights show that
it belongs to other weights, whose attention heads and activation may differ too. Where it states fewer blocks than the
file holds, transformers leaves the last ones out. Source: ``CLIPConfig`` and ``SiglipConfig`` of transformers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pointad.errors import InputError

VISION, TEXT = "vision_config", "text_config"
_ENCODERS = {VISION: "vision_model", TEXT: "text_model"}  # -> beginning of the names of its entries
_POSITIONS = "embeddings.position_embedding.weight"
_REMEDY = "give the configuration that belongs to the weights"

Encoder = dict[str, Any]


def encoder_settings(
    content: Mapping[str, Any], name: str, defaults: Mapping[str, Any], source: Path, remedy: str
) -> Encoder:
    """The settings of an encoder, with the defaults of those that are omitted.

    Args:
        content: of config.json.
        name: of the encoder's part.
        defaults: of transformers.
        source: the file, for errors.
        remedy: what to do about it.

    Raises:
        InputError: the part is not an object, or its heads or width are not a count.
    """
    given = content.get(name) or {}
    if not isinstance(given, dict):
        raise InputError(source, f"its {name} is not a JSON object", remedy)
    settings = {**defaults, **given}
    for setting in ("num_attention_heads", "hidden_size"):
        if (_count(settings[setting]) or 0) < 1:
            raise InputError(source, f"its {setting} is not a count", remedy)
    return settings


def check_encoders(
    encoders: Mapping[str, Encoder], state: Mapping[str, Tensor], source: Path, *, class_tokens: int
) -> None:
    """Refuse a configuration of other weights.

    Args:
        encoders: the settings by the names ``vision_config`` and ``text_config``.
        state: the weights under transformers' names; what is missing is not compared.
        source: config.json, for errors.
        class_tokens: positions of the image encoder before those of its patches.

    Raises:
        InputError: a size is not that of the weights.
    """
    for name, settings in encoders.items():
        for setting, held in _sizes(name, state).items():
            if held is not None and _count(settings[setting]) != held:
                stated = f"{settings[setting]!r:.40}"
                raise InputError(source, f"its {name} has {setting} {stated}, while the weights have {held}", _REMEDY)
        if settings["hidden_size"] % settings["num_attention_heads"]:
            problem = f"its {settings['num_attention_heads']} attention heads do not divide the width"
            raise InputError(source, f"{problem} {settings['hidden_size']}", _REMEDY)
    positions = _length(state, f"{_ENCODERS[VISION]}.{_POSITIONS}", 0)
    pixels, patch = (_count(encoders[VISION][setting]) for setting in ("image_size", "patch_size"))
    if positions is not None and (not pixels or not patch or (pixels // patch) ** 2 + class_tokens != positions):
        stated = f"{encoders[VISION]['image_size']!r:.40}"
        problem = f"its {VISION} has image_size {stated}, while the weights have {positions - class_tokens} patches"
        raise InputError(source, problem, _REMEDY)


def check_projection(stated: Any, held: Tensor | None, setting: str, source: Path) -> None:
    """Refuse another width of the joint embedding space than that of the weights.

    Args:
        stated: the width by the configuration; None if it does not say.
        held: the matrix that projects into that space; its first side has this width.
        setting: what the configuration calls it.
        source: config.json, for errors.

    Raises:
        InputError: they differ.
    """
    if stated is not None and held is not None and held.ndim and _count(stated) != len(held):
        raise InputError(source, f"its {setting} is {stated!r:.40}, while the weights have {len(held)}", _REMEDY)


def _sizes(name: str, state: Mapping[str, Tensor]) -> dict[str, int | None]:
    """The settings that the weights of an encoder show; None where the entry is missing."""
    prefix = _ENCODERS[name]
    layers = f"{prefix}.encoder.layers."
    found = {
        "num_hidden_layers": len({entry[len(layers) :].split(".")[0] for entry in state if entry.startswith(layers)}),
        "intermediate_size": _length(state, f"{layers}0.mlp.fc1.weight", 0),
    }
    if name == VISION:
        patches = f"{prefix}.embeddings.patch_embedding.weight"
        return {**found, "hidden_size": _length(state, patches, 0), "patch_size": _length(state, patches, 3)}
    words = f"{prefix}.embeddings.token_embedding.weight"
    return {
        **found,
        "hidden_size": _length(state, words, 1),
        "vocab_size": _length(state, words, 0),
        "max_position_embeddings": _length(state, f"{prefix}.{_POSITIONS}", 0),
    }


def _length(state: Mapping[str, Tensor], name: str, side: int) -> int | None:
    return state[name].shape[side] if name in state and state[name].ndim > side else None


def _count(stated: Any) -> int | None:
    return stated if type(stated) is int else None

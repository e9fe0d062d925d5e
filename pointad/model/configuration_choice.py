"""Which configuration is used for the weights in a file, and why.

Shapes determine the dimensions of a model, but neither its activation (QuickGELU, as OpenAI trained, or plain GELU) nor
the number of its attention heads; the wrong ones silently give wrong features. The order of precedence is: what the
file or its folder states, then the name that was given, then open_clip's registry if all models of these dimensions
agree. If they do not, the user is asked for it. A model of dimensions that none of them has is read as OpenAI builds
its own, and the user is told that this is a guess.
"""

from dataclasses import dataclass

import open_clip

from pointad.errors import InputError
from pointad.model.architecture import (
    Configuration,
    check_configuration,
    named_configuration,
    openai_configuration,
)
from pointad.model.open_clip_configuration import OpenClipConfiguration
from pointad.model.siglip_model import TRUNK, is_siglip
from pointad.model.weight_locations import QUICK_GELU_SUFFIX
from pointad.model.weights import WeightsFile, half_precision_values

_OPENAI_MEAN = tuple(open_clip.OPENAI_DATASET_MEAN)
# open_clip's defaults for what a configuration does not specify.
_VISION_DEFAULTS = (("image_size", 224), ("layers", 12), ("width", 768), ("patch_size", 16))
_TEXT_DEFAULTS = (("context_length", 77), ("vocab_size", 49408), ("width", 512), ("layers", 12))
ACTIVATION = "activation"
_NAMED_SOURCES = 4  # how many published weights an error lists, to help with the choice


@dataclass(frozen=True)
class Choice:
    """A configuration, and the reason for its activation."""

    configuration: Configuration
    grounds: str
    guessed: tuple[str, ...] = ()  # what is taken as in OpenAI's models, because nothing says it


def choose_configuration(weights: WeightsFile, name: str | None, quick_gelu: bool | None) -> Choice:
    """The configuration that a file's weights were trained with.

    Args:
        weights: the file.
        name: the open_clip model that the weights belong to according to the user; None: not given.
        quick_gelu: the activation according to the user; None: not given.

    Raises:
        InputError: the weights do not belong to a suitable model, what was given contradicts the file, or the file
            leaves the configuration undecided.
    """
    siglip = _siglip(weights, name)
    if siglip is not None:
        if quick_gelu is not None:
            raise InputError(weights.path, f"has a known activation ({siglip.grounds})", "omit --clip_activation")
        return siglip
    if name is not None:
        choice = _named(weights, name, decided=quick_gelu is not None)
    elif weights.configuration is not None:
        choice = _configured(weights)
    else:
        choice = _by_dimensions(weights, decided=quick_gelu is not None)
    if quick_gelu is None:
        return choice
    guessed = tuple(each for each in choice.guessed if each != ACTIVATION)
    return Choice({**choice.configuration, "quick_gelu": quick_gelu}, "as requested", guessed)


def _siglip(weights: WeightsFile, name: str | None) -> Choice | None:
    """The configuration of a SigLIP, which includes its activation; None for the weights of a CLIP."""
    beside = weights.configuration
    if isinstance(beside, OpenClipConfiguration) and is_siglip(beside.model):
        if name is None:
            return Choice(dict(beside.model), f"as {beside.source.name} describes it")
        if TRUNK in beside.model["vision_cfg"]:
            raise InputError(weights.path, f"is already described by {beside.source.name}", "omit --clip_model")
    if name is not None and is_siglip(named_configuration(name)):
        return Choice(named_configuration(name), f"as open_clip defines {name}")
    return None


def _named(weights: WeightsFile, name: str, *, decided: bool) -> Choice:
    configuration = named_configuration(name)
    stated = _stated(weights)
    readings = registered_activations(name)
    if stated is not None:
        quick, grounds = stated
        _refuse_other_heads(weights, name, configuration)
        if name.endswith(QUICK_GELU_SUFFIX) and not quick:
            raise InputError(
                weights.path,
                f"has plain GELU ({grounds}), while {name} has QuickGELU",
                "omit --clip_model or name another",
            )
    elif len(readings) == 1:
        quick, grounds = next(iter(readings)), f"all published weights of {name} have it"
    elif not decided and half_precision_values(weights.state):
        raise InputError(
            weights.path,
            f"does not state its activation: its values have half precision like OpenAI's, whose activation is "
            f"QuickGELU, while {name} has plain GELU",
            f"use --clip_model {name}{QUICK_GELU_SUFFIX} for {_sources(name, quick=True)}, or --clip_activation gelu",
        )
    else:
        other = f"{name}{QUICK_GELU_SUFFIX} is for {_sources(name, quick=True)}"
        quick, grounds = False, f"as open_clip defines {name} ({other})"
    return Choice({**configuration, "quick_gelu": quick}, grounds)


def _refuse_other_heads(weights: WeightsFile, name: str, configuration: Configuration) -> None:
    beside = weights.configuration
    if beside is None or _has_trunk(configuration):
        return
    wanted = _heads(configuration)
    if isinstance(beside, OpenClipConfiguration):
        held = wanted if _has_trunk(beside.model) else _heads(beside.model)
    else:
        held = beside.vision_heads or wanted[0], beside.text_heads or wanted[1]
    if held != wanted:
        said = f"has {held[0]} and {held[1]} attention heads ({beside.source.name} says so)"
        problem = f"{said}, while {name} has {wanted[0]} and {wanted[1]}"
        raise InputError(weights.path, problem, "omit --clip_model or name another")


def _heads(configuration: Configuration) -> tuple[int, int]:
    """Attention heads of both encoders, with open_clip's defaults."""
    vision, text = configuration["vision_cfg"], configuration["text_cfg"]
    return vision.get("width", 768) // vision.get("head_width", 64), text.get("heads", 8)


def _stated(weights: WeightsFile) -> tuple[bool, str] | None:
    """The activation that the file itself or the configuration beside it states, and where it does."""
    beside = weights.configuration
    openai = (True, "it has the entries of OpenAI's archives") if weights.from_openai else None
    if beside is None:
        return openai
    quick = bool(beside.model.get("quick_gelu")) if isinstance(beside, OpenClipConfiguration) else beside.quick_gelu
    if openai is not None and not quick:
        problem = f"has the entries of OpenAI's archives, which have QuickGELU, not GELU as {beside.source.name} says"
        raise InputError(weights.path, problem, "move it to a folder without that file if it is OpenAI's")
    return openai or (quick, f"{beside.source.name} says so")


def _configured(weights: WeightsFile) -> Choice:
    stated, beside = _stated(weights), weights.configuration
    assert stated is not None and beside is not None
    if isinstance(beside, OpenClipConfiguration):
        configuration = {**beside.model, "quick_gelu": stated[0]}
    else:
        configuration = {**openai_configuration(weights.state, weights.path), "quick_gelu": stated[0]}
        if beside.vision_heads is not None:
            configuration["vision_cfg"]["head_width"] = configuration["vision_cfg"]["width"] // beside.vision_heads
        if beside.text_heads is not None:
            configuration["text_cfg"]["heads"] = beside.text_heads
    return Choice(configuration, stated[1])


def _by_dimensions(weights: WeightsFile, *, decided: bool) -> Choice:
    """Chosen from the models in open_clip's registry that have the dimensions of the file."""
    own = openai_configuration(weights.state, weights.path)
    if weights.from_openai:
        return Choice(own, "it has the entries of OpenAI's archives")
    fitting = models_of_dimensions(own)
    if not fitting:
        guessed = (ACTIVATION, "attention heads")
        return Choice(own, "as OpenAI builds its models, since no known model has these dimensions", guessed)
    readings = {(heads, quick) for _, heads, quick in fitting}
    if len(readings) == 1 or (decided and len({heads for heads, _ in readings}) == 1):
        name, _, quick = fitting[0]
        grounds = f"all published weights of these dimensions have it, those of {name}"
        return Choice({**named_configuration(name), "quick_gelu": quick}, grounds)
    described = ", ".join(f"{name} ({_sources(name, quick=quick)})" for name, _, quick in fitting)
    raise InputError(
        weights.path,
        "its shapes fit several models, and the file does not state which",
        f"name one of them with --clip_model: {described}",
    )


def foreign_normalization(configuration: Configuration) -> list[str]:
    """Published weights of these dimensions and this activation that do not use OpenAI's normalization of pictures.

    Args:
        configuration: the one that a file is read with.

    Returns:
        Their tags, such as ``laion2b_s32b_b82k`` of ViT-L-14; a file without its folder could be any of these.
    """
    quick = bool(configuration.get("quick_gelu"))
    found = []
    for name, _, has_quick in models_of_dimensions(configuration):
        if has_quick is quick:
            for tag in open_clip.list_pretrained_tags_by_model(name):
                published = open_clip.get_pretrained_cfg(name, tag)
                same_activation = bool(published.get("quick_gelu", False)) is quick
                if same_activation and tuple(published.get("mean") or _OPENAI_MEAN) != _OPENAI_MEAN:
                    found.append(tag)
    return found


def _sources(name: str, *, quick: bool) -> str:
    """Published weights of a model with one activation: the first few, by open_clip's names."""
    tags = [
        tag
        for tag in open_clip.list_pretrained_tags_by_model(name)
        if bool(open_clip.get_pretrained_cfg(name, tag).get("quick_gelu", False)) is quick
    ]
    named = ", ".join(tags[:_NAMED_SOURCES]) or "none published"
    return f"{named}, …" if len(tags) > _NAMED_SOURCES else named


def registered_activations(name: str) -> frozenset[bool]:
    """Whether the published weights of an open_clip model have QuickGELU: True, False, or both if they differ."""
    if name.endswith(QUICK_GELU_SUFFIX):
        return frozenset({True})
    tags = open_clip.list_pretrained_tags_by_model(name)
    if not tags:
        return frozenset({bool((open_clip.get_model_config(name) or {}).get("quick_gelu", False))})
    return frozenset(bool(open_clip.get_pretrained_cfg(name, tag).get("quick_gelu", False)) for tag in tags)


def models_of_dimensions(own: Configuration) -> list[tuple[str, tuple[int, int], bool]]:
    """open_clip's models of these dimensions: name, heads of both encoders, whether it has QuickGELU."""
    found = []
    for name in open_clip.list_models():
        other = open_clip.get_model_config(name)
        try:
            check_configuration(name, other)
        except InputError:
            continue
        if _has_trunk(other) or _has_trunk(own) or _dimensions(other) != _dimensions(own):
            continue
        heads = _heads(other)
        quick_has_its_own_name = f"{name}{QUICK_GELU_SUFFIX}" in open_clip.list_models()
        for quick in sorted(registered_activations(name)):
            if not (quick and quick_has_its_own_name):
                found.append((name, heads, quick))
    return found


def _has_trunk(configuration: Configuration) -> bool:
    """Whether the image encoder is timm's: its dimensions are not among the entries of the configuration."""
    return "timm_model_name" in configuration["vision_cfg"] or TRUNK in configuration["vision_cfg"]


def _dimensions(configuration: Configuration) -> tuple[int, ...]:
    vision, text = configuration["vision_cfg"], configuration["text_cfg"]
    return (
        configuration["embed_dim"],
        *(vision.get(name, default) for name, default in _VISION_DEFAULTS),
        *(text.get(name, default) for name, default in _TEXT_DEFAULTS),
    )

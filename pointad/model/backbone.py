"""The frozen CLIP backbone: loaded by name, from a file, or the small one that is shipped with the package."""

import contextlib
import hashlib
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from pointad.compute.argument_kinds import as_switch, shown_argument
from pointad.errors import InputError
from pointad.files.json_files import read_json
from pointad.files.presence import is_file
from pointad.model import towers
from pointad.model.architecture import (
    build,
    check_configuration,
    named_configuration,
)
from pointad.model.building import build_with
from pointad.model.configuration_choice import choose_configuration
from pointad.model.prompt_tokens import Tokenizer
from pointad.model.settings_beside_weights import settings_beside_weights
from pointad.model.siglip_model import SiglipModel, is_siglip
from pointad.model.siglip_tokenizer import SiglipTokenizer, read_siglip_tokenizer
from pointad.model.text import TextTower, encode_token_ids
from pointad.model.towers import ImageTower
from pointad.model.untold import activation_in_words, normalization
from pointad.model.vision import ImageFeatures
from pointad.model.vocabulary import check_vocabulary
from pointad.model.weight_locations import (
    DEFAULT_MODEL,
    QUICK_GELU_SUFFIX,
    demo_folder,
    folder_for_downloads,
    locate,
    openai_file,
    place_of,
)
from pointad.model.weights import openai_url, read_weights

logger = logging.getLogger(__name__)

DEMO_NAME = "demo_clip"  # demo_clip.json and demo_clip.safetensors

DEMO, OPENAI, RANDOM = "demo", "openai", "random"


class ClipBackbone(nn.Module):
    """A frozen CLIP in evaluation mode and float32.

    Attributes:
        vision: open_clip's image encoder; called on pictures, it returns plain CLIP's global features.
        text: the text encoder.
        tokenizer: maps texts to (K, context length) int64 token ids; CLIP's own if none is given.
        name: the model's name, or the name of its file.
        is_demo: whether it is the small model shipped with the package, which is meaningless on real data.
        mean, std: per colour channel, used to normalize pictures with values 0 … 1.
    """

    vision: ImageTower
    text: TextTower

    def __init__(
        self,
        model: open_clip.CLIP | open_clip.CustomTextCLIP | SiglipModel,
        name: str,
        *,
        is_demo: bool = False,
        tokenizer: Tokenizer | None = None,
        mean: Sequence[float] = open_clip.OPENAI_DATASET_MEAN,
        std: Sequence[float] = open_clip.OPENAI_DATASET_STD,
    ) -> None:
        super().__init__()
        self.vision = model.visual
        self.text = TextTower(getattr(model, "text", model))
        self.tokenizer = tokenizer or open_clip.SimpleTokenizer(context_length=self.text.context_length)
        self.name = name
        self.is_demo = is_demo
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.float().requires_grad_(False).eval()

    @property
    def image_size(self) -> int:
        """Side in pixels of the pictures that the positional embedding was made for."""
        return self.vision.image_size[0]

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels."""
        return towers.patch_size(self.vision)

    @property
    def embedding_dim(self) -> int:
        """Dimensions of the space that pictures and texts share (D)."""
        return towers.output_dim(self.vision)

    @property
    def depth(self) -> int:
        """Number of blocks of the image encoder."""
        return towers.depth(self.vision)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all weights with their names, in hexadecimal; computed when first asked for.

        Features also depend on what weights do not show, such as the activation and the attention heads: where these
        are not those of OpenAI's models, they count as well, and so does how SigLIP's tokenizer reads texts.
        """
        digest = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().data)
        beside = settings_beside_weights(self.vision, self.text, self.mean, self.std)
        if beside:
            digest.update(repr(beside).encode())
        if isinstance(self.tokenizer, SiglipTokenizer):  # CLIP has only one
            digest.update(self.tokenizer.fingerprint().encode())
        return digest.hexdigest()

    def encode_images(self, images: Tensor, layers: Sequence[int] | None = None) -> ImageFeatures:
        """Features of normalized pictures (B, 3, H, W); see ``pointad.model.vision.encode_images``."""
        return towers.encode_pictures(self.vision, images, layers)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Plain CLIP's features of K texts, (K, D), not normalized."""
        token_ids = self.tokenizer(list(texts)).to(self.text.positional_embedding.device)
        return encode_token_ids(self.text, token_ids)


def load_backbone(
    model: str | None = None,
    weights: str | Path = DEMO,
    device: torch.device | str = "cpu",
    *,
    quick_gelu: bool | None = None,
) -> ClipBackbone:
    """Load a frozen CLIP.

    Args:
        model: an open_clip name such as ``ViT-B-16``. None: for a file, the architecture implied by its shapes and the
            configuration beside it; otherwise ``ViT-L-14-336``.
        weights: ``demo`` or its file, the small model shipped with the package; ``openai`` or another of open_clip's
            tags for that name, downloaded if not present yet; ``random``, for timing; or a file or folder (see
            ``read_weights``).
        device: where the model is placed.
        quick_gelu: the activation of a file's model. None: determined by ``choose_configuration``. The wrong one
            silently gives wrong features.

    Raises:
        InputError: the model is not suitable for the method, or the weights are missing, unreadable or those of
            another model.
    """
    if model is not None and not isinstance(model, str):
        raise InputError(shown_argument("model", model), "is not a name", "give one of open_clip's, such as ViT-B-16")
    quick_gelu = None if quick_gelu is None else as_switch(quick_gelu, "quick_gelu")
    demo = demo_folder() if str(weights) == DEMO else _folder_of_demo(weights)
    if quick_gelu is not None and (demo is not None or is_name(str(weights))):
        raise InputError(f"weights {weights}", "have a known activation", "omit --clip_activation")
    if model is not None and (str(weights) == RANDOM or _is_tag(str(weights))):
        _refuse_without_tokenizer(model)
    if demo is not None:
        if model is not None:
            raise InputError(f"model {model}", "the demo weights have their own architecture", "omit --clip_model")
        backbone = load_demo_backbone(demo)
    elif str(weights) == RANDOM:
        name = model or DEFAULT_MODEL
        backbone = ClipBackbone(build(named_configuration(name)), f"{name} with random weights")
    elif _is_tag(str(weights)):
        backbone = _load_tag(model or DEFAULT_MODEL, str(weights))
    else:
        backbone = _load_file(model, locate(weights), quick_gelu)
    return backbone.to(device)


def _folder_of_demo(weights: str | Path) -> Path | None:
    """The folder of the demo's weights that are given as a file; None unless what they do not say is beside them."""
    place = place_of(Path(weights)) if isinstance(weights, str | Path) else Path()
    is_demo = place.name == f"{DEMO_NAME}.safetensors" and is_file(place) and is_file(place.with_suffix(".json"))
    return place.parent if is_demo else None


def text_width_of_names(model: str | None, weights: str | Path) -> int | None:
    """The width of the text encoder that `load_backbone` would load, if names tell it; None for files and the demo.

    Raises:
        InputError: the model is not known or not suitable.
    """
    if not _is_tag(str(weights)) or not isinstance(model, str | None):
        return None
    return int(named_configuration(model or DEFAULT_MODEL)["text_cfg"]["width"])


def is_name(weights: str) -> bool:
    """Whether weights are given by a name, and not as a file or folder."""
    return weights in (DEMO, RANDOM) or _is_tag(weights)


def _is_tag(weights: str) -> bool:
    """Whether open_clip publishes weights of any model under this name."""
    return weights in {tag for _, tag in open_clip.list_pretrained()}


def _refuse_without_tokenizer(name: str) -> None:
    """SigLIP's tokenizer is only in the folder of its weights, which is never fetched from here."""
    if is_siglip(named_configuration(name)):
        sources = [open_clip.get_pretrained_cfg(name, tag) for tag in open_clip.list_pretrained_tags_by_model(name)]
        pages = " or ".join(f"huggingface.co/{source['hf_hub'].strip('/')}" for source in sources)
        raise InputError(
            f"model {name}",
            "SigLIP has a tokenizer of its own, which only the folder of its weights holds",
            f"download the folder {pages} and give its path as the weights",
        )


def load_demo_backbone(folder: Path) -> ClipBackbone:
    """Load a small CLIP such as `pretraining` makes, on the CPU.

    Args:
        folder: holds demo_clip.json and demo_clip.safetensors.

    Raises:
        InputError: one of them is missing or invalid.
    """
    configuration_path, weights_path = folder / f"{DEMO_NAME}.json", folder / f"{DEMO_NAME}.safetensors"
    remedy = "restore the folder, or name other CLIP weights"
    if not configuration_path.is_file() or not weights_path.is_file():
        raise InputError(configuration_path.with_suffix(""), "the demo backbone is missing", remedy)
    configuration = read_json(configuration_path, remedy)
    try:
        check_configuration(configuration_path.stem, configuration)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(configuration_path, "not a model configuration", remedy) from error
    model = build_with(configuration, read_weights(weights_path).state, weights_path)
    return ClipBackbone(model, configuration_path.stem, is_demo=True)


def _load_file(name: str | None, path: Path, quick_gelu: bool | None) -> ClipBackbone:
    weights = read_weights(path)
    choice = choose_configuration(weights, name, quick_gelu)
    logger.info("%s: read with %s, %s", weights.path, activation_in_words(choice.configuration), choice.grounds)
    siglip = is_siglip(choice.configuration)
    tokenizer = None
    if siglip:
        text = choice.configuration["text_cfg"]
        tokenizer = read_siglip_tokenizer(
            weights.path.parent, vocabulary_size=text["vocab_size"], context_length=text["context_length"]
        )
    model = build_with(choice.configuration, weights.state, weights.path)
    if not siglip:
        check_vocabulary(choice.configuration, weights.path)
    mean, std = normalization(weights, choice)
    return ClipBackbone(model, name or path.stem, tokenizer=tokenizer, mean=mean, std=std)


def _load_tag(name: str, tag: str) -> ClipBackbone:
    configuration = named_configuration(name)
    tags = open_clip.list_pretrained_tags_by_model(name)
    if tag not in tags:
        remedy = f"give the --clip_model that they belong to, or choose one of: {', '.join(tags) or 'none'}"
        raise InputError(f"weights {tag}", f"not published for {name}", remedy)
    local = openai_file(name) if tag == OPENAI else None
    if local is not None:
        return _load_file(name, local, quick_gelu=True)
    published = open_clip.get_pretrained_cfg(name, tag)
    configuration["quick_gelu"] = name.endswith(QUICK_GELU_SUFFIX) or bool(published.get("quick_gelu", False))
    path = _download(name, tag, published)
    logger.info("%s: read with %s, as published for %s", path, activation_in_words(configuration), tag)
    return ClipBackbone(
        build_with(configuration, read_weights(path).state, path),
        name,
        mean=published.get("mean") or open_clip.OPENAI_DATASET_MEAN,
        std=published.get("std") or open_clip.OPENAI_DATASET_STD,
    )


def _download(name: str, tag: str, published: dict[str, Any]) -> Path:
    if tag == OPENAI:
        source = openai_url(name)
        remedy = f"put the file from {source} at {folder_for_downloads() / Path(source).name}"
    else:
        source = published.get("url") or f"https://huggingface.co/{published['hf_hub']}"
        remedy = f"fetch it from {source} and give its path as the weights"
    try:
        if tag == OPENAI:  # if its own server refuses or cannot be reached, the hub has the same weights
            with contextlib.suppress(OSError):  # includes URLError and HTTPError
                return Path(open_clip.download_pretrained(published, prefer_hf_hub=False))
        return Path(open_clip.download_pretrained(published))
    except Exception as error:  # each of the underlying libraries raises its own kinds of errors
        raise InputError(
            f"weights {tag} of {name}",
            "not on this machine, and could not be downloaded",
            f"{remedy}, or name others (--clip_weights)",
        ) from error

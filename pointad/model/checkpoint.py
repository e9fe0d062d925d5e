"""Learned prompts on disk, in the format of the released checkpoints: ``{"prompt_learner": state dict}``."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.existing import require_file
from pointad.files.torch_files import check_finite, is_state, read_torch_file, write_torch_file
from pointad.model.backbone import DEFAULT_MODEL, ClipBackbone, text_width_of_names
from pointad.model.prompt_learner import DEEP_TOKENS, PromptLearner
from pointad.model.second_weights import SAVE_ONE, second_weights
from pointad.model.siglip_tokenizer import SiglipTokenizer
from pointad.model.single_precision import in_single_precision
from pointad.model.text import check_text_features
from pointad.model.weight_locations import locate

logger = logging.getLogger(__name__)

CHECKPOINT_KEY = "prompt_learner"
DEEP_PREFIX = "compound_prompts_text."
PROJECTION_PREFIX = "compound_prompt_projections."
TOKENS_PREFIX = "tokenized_prompts_"
_FLOATS = ("ctx_", "token_", DEEP_PREFIX, PROJECTION_PREFIX)
_REMEDY = "give a complete checkpoint"

# Token embeddings that were rounded to half precision, bfloat16 included, differ by up to this share of their values.
# Those of CLIPs that were trained on from the same weights, as for larger pictures, may differ by little more.
_ROUNDING = 2**-8
_LEAST_DIFFERENCE = 1e-6


def save_prompts(learner: PromptLearner, path: str | Path) -> None:
    """Write a checkpoint that the published implementation can load too.

    Raises:
        InputError: the file cannot be written.
    """
    state = {name: entry.detach().cpu().contiguous().clone() for name, entry in learner.state_dict().items()}
    write_torch_file({CHECKPOINT_KEY: state}, path)


def load_prompts(path: str | Path) -> dict[str, Tensor]:
    """The entries of a checkpoint, on the CPU: tokens as integers, all others in float32.

    Raises:
        InputError: the file is missing or is not a checkpoint of learned prompts.
    """
    path = require_file(path, "checkpoint not found", "give the path of an existing one, or train one with train.py")
    content = read_torch_file(path, kind="a checkpoint of learned prompts", remedy="give one written by train.py")
    state = content.get(CHECKPOINT_KEY) if isinstance(content, dict) else None
    if state is None:
        raise InputError(path, f"has no entry '{CHECKPOINT_KEY}'", "give a checkpoint of learned prompts")
    if not is_state(state):
        problem = f"the entries of its '{CHECKPOINT_KEY}' are not named tensors"
        raise InputError(path, problem, "give a checkpoint of learned prompts")
    if second := second_weights(content, state):
        raise InputError(path, f"holds several sets of prompts ({CHECKPOINT_KEY}, {second})", SAVE_ONE)
    if "ctx_pos" not in state or state["ctx_pos"].ndim != 4:
        raise InputError(path, "has no learned tokens 'ctx_pos' (1, 1, n, width)", _REMEDY)
    for name, entry in state.items():
        if name.startswith(DEEP_PREFIX) and entry.ndim != 2:
            raise InputError(path, f"its '{name}' is {tuple(entry.shape)}, expected (n, width)", _REMEDY)
    check_finite(state, path)
    for name, entry in state.items():
        is_of_tokens = name.startswith(TOKENS_PREFIX)
        if is_of_tokens and (entry.is_floating_point() or entry.dtype == torch.bool):
            raise InputError(path, f"its '{name}' holds {entry.dtype} values, not whole numbers", _REMEDY)
        if not is_of_tokens and name.startswith(_FLOATS) and not entry.is_floating_point():
            raise InputError(path, f"its '{name}' holds {entry.dtype} values, not floats", _REMEDY)
    return in_single_precision(state, path)


def check_prompts(path: str | Path, model: str | None, weights: str | Path) -> None:
    """Tell what is wrong with prompts before a CLIP is downloaded and loaded; its arguments as in `load_backbone`.

    Raises:
        InputError: as in `load_prompts`, or names tell that they were made for a text encoder of another size.
    """
    state = load_prompts(path)
    width = text_width_of_names(model, weights)
    if width is not None:
        _check_width(path, state, width, model or DEFAULT_MODEL)


def load_prompt_learner(
    path: str | Path,
    backbone: ClipBackbone,
    *,
    context_tokens: int | None = None,
    deep_tokens: int | None = None,
    depth: int | None = None,
) -> PromptLearner:
    """Learned prompts from a checkpoint, on the backbone's device.

    Args:
        path: the checkpoint, see `pointad.model.weight_locations.locate`.
        backbone: the CLIP that the prompts were learned with.
        context_tokens, deep_tokens, depth: what the checkpoint is expected to hold; None takes what it holds.

    Raises:
        InputError: the checkpoint is missing or incomplete, does not hold the expected counts, was made for a text
            encoder of another size, or gives text features that are not finite.
    """
    path = locate(path)
    state = load_prompts(path)
    held = _held_counts(state)
    _check_expected(path, held, {"n_ctx": context_tokens, "t_n_ctx": deep_tokens, "depth": depth})
    _check_width(path, state, backbone.text.width, backbone.name)
    try:
        learner = PromptLearner(
            backbone,
            context_tokens=held["n_ctx"],
            deep_tokens=held["t_n_ctx"] or DEEP_TOKENS,
            depth=held["depth"],
        )
    except InputError as error:
        problem = f"does not fit {backbone.name} ({error.subject}: {error.problem})"
        raise InputError(path, problem, "give a checkpoint for this CLIP") from error
    own = learner.state_dict()
    _check_entries(path, state, own, backbone)
    unused = sorted(state.keys() - own.keys())
    if unused:
        logger.warning("%s: %d of its entries are not used, such as '%s'", path, len(unused), unused[0])
    _warn_about_other_clip(path, backbone, state)
    learner.load_state_dict({**own, **{name: state[name] for name in own if name in state}})
    with torch.no_grad():
        check_text_features(learner(backbone.text), path)
    return learner


def _check_entries(path: str | Path, state: dict[str, Tensor], own: dict[str, Tensor], backbone: ClipBackbone) -> None:
    """Refuse a checkpoint with other entries than those of a learner of its counts."""
    other_clip = "give a checkpoint for this CLIP"
    for name, entry in own.items():
        if name not in state and not name.startswith(PROJECTION_PREFIX):
            raise InputError(path, f"has no entry '{name}'", _REMEDY)
        if name in state and state[name].shape != entry.shape:
            problem = f"its '{name}' is {tuple(state[name].shape)}, expected {tuple(entry.shape)}"
            raise InputError(path, problem, other_clip)
    vocabulary, tokenizer = backbone.text.token_embedding.num_embeddings, backbone.tokenizer
    for name in (name for name in own if name.startswith(TOKENS_PREFIX)):
        if state[name].min() < 0 or state[name].max() >= vocabulary:
            raise InputError(path, f"its '{name}' holds token ids outside CLIP's vocabulary", other_clip)
        if isinstance(tokenizer, SiglipTokenizer):
            continue
        if state[name].max() != tokenizer.eot_token_id:
            raise InputError(path, f"its '{name}' has no end token, at which the text is read out", _REMEDY)
        if state[name].argmax() <= state["ctx_pos"].shape[2]:
            raise InputError(path, f"its '{name}' ends before the last of its learned tokens", _REMEDY)


def _check_width(path: str | Path, state: dict[str, Tensor], width: int, name: str) -> None:
    own = state["ctx_pos"].shape[-1]
    if own != width:
        raise InputError(
            path,
            f"prompts for a text encoder of width {own}, while that of {name} is {width}",
            "give prompts learned with this CLIP (--checkpoint_path), or the CLIP that these were learned with "
            "(--clip_weights)",
        )


def _held_counts(state: dict[str, Tensor]) -> dict[str, int]:
    """The counts of a checkpoint, by the names of the command-line flags; ``t_n_ctx`` is 0 if there are none."""
    deep = [entry for name, entry in state.items() if name.startswith(DEEP_PREFIX)]
    return {"n_ctx": state["ctx_pos"].shape[2], "t_n_ctx": len(deep[0]) if deep else 0, "depth": len(deep) + 1}


def _check_expected(path: str | Path, held: dict[str, int], expected: dict[str, int | None]) -> None:
    for flag, value in expected.items():
        if flag == "t_n_ctx" and held["depth"] == 1:
            continue  # without tokens inside the text encoder, their number is meaningless
        if value is not None and value != held[flag]:
            holds = ", ".join(f"{name} {count}" for name, count in held.items())
            raise InputError(path, f"has {holds}, not {flag} {value}", f"omit --{flag}")


def _warn_about_other_clip(path: str | Path, backbone: ClipBackbone, state: dict[str, Tensor]) -> None:
    """The embeddings of the prompts' own tokens are stored with the learned ones and show whether it is."""
    start, learned = backbone.text.start_tokens, state["ctx_pos"].shape[2]
    for side in ("pos", "neg"):
        token_ids = state[f"{TOKENS_PREFIX}{side}"].flatten().long()
        own = backbone.text.token_embedding.weight.cpu()[torch.cat([token_ids[:start], token_ids[start + learned :]])]
        stored = torch.cat([state[f"token_prefix_{side}"], state[f"token_suffix_{side}"]], dim=2)[0, 0]
        if not torch.allclose(own, stored, rtol=_ROUNDING, atol=_LEAST_DIFFERENCE):
            logger.warning(
                "%s was trained with CLIP weights other than %s, or its words were changed: expect poor results",
                path,
                backbone.name,
            )
            return

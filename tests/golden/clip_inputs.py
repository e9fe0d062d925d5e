"""Seeded weights for the golden tests: a small CLIP in OpenAI's format and learned prompts in the released format.

Everything is a pure function of the seed, from uniform numbers of numpy's PCG64, which are the same everywhere. The
order of the draws is part of the goldens: change nothing here without making them anew.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

WIDTH = 64  # of both encoders and of the space they share
VISION_LAYERS, TEXT_LAYERS = 24, 12
PATCH_SIZE, IMAGE_SIZE = 14, 336
VOCABULARY, CONTEXT_LENGTH = 49408, 77
CONTEXT_TOKENS, DEPTH, DEEP_TOKENS = 12, 9, 4
PROJECTION_WIDTH = 896

# Token ids of "X X … X object." and "X X … X damaged object.", 12 X each.
START, END, X, DOT, OBJECT, DAMAGED = 49406, 49407, 343, 269, 14115, 13568

Arrays = dict[str, np.ndarray]


def write_weights(seed: int, folder: Path) -> None:
    """Write ``clip_tiny.pt`` and ``prompts.pth``."""
    clip = clip_weights(seed)
    torch.save(as_tensors(clip), folder / "clip_tiny.pt")
    torch.save({"prompt_learner": as_tensors(prompt_weights(seed, clip))}, folder / "prompts.pth")


def clip_weights(seed: int) -> Arrays:
    """A CLIP under OpenAI's names, float32; the entries are drawn in the order of their names."""
    generator = np.random.default_rng([seed, 1])
    weights = {}
    for name, shape in sorted(_clip_shapes().items()):
        values = _uniform(generator, shape, _spread(name))
        if name == "logit_scale":
            values = values + np.float32(np.log(1 / 0.07))
        elif _is_layer_norm(name) and name.endswith("weight"):
            values = values + np.float32(1.0)
        weights[name] = np.asarray(values, np.float32)
    return weights


def prompt_weights(seed: int, clip: Arrays) -> Arrays:
    """Learned prompts under the released names for this CLIP."""
    generator = np.random.default_rng([seed, 2])
    shapes: dict[str, tuple[int, ...]] = {
        "ctx_pos": (1, 1, CONTEXT_TOKENS, WIDTH),
        "ctx_neg": (1, 1, CONTEXT_TOKENS, WIDTH),
    }
    for index in range(DEPTH - 1):
        shapes[f"compound_prompts_text.{index}"] = (DEEP_TOKENS, WIDTH)
        shapes[f"compound_prompt_projections.{index}.weight"] = (PROJECTION_WIDTH, WIDTH)
        shapes[f"compound_prompt_projections.{index}.bias"] = (PROJECTION_WIDTH,)
    prompts = {
        name: _uniform(generator, shape, 0.07 if "projections" in name else 0.1)
        for name, shape in sorted(shapes.items())
    }
    token_ids = _token_ids()
    embeddings = clip["token_embedding.weight"][token_ids]  # (2, 77, width)
    for index, side in enumerate(("pos", "neg")):
        prompts[f"token_prefix_{side}"] = embeddings[None, None, index, :1].copy()
        prompts[f"token_suffix_{side}"] = embeddings[None, None, index, 1 + CONTEXT_TOKENS :].copy()
        prompts[f"tokenized_prompts_{side}"] = token_ids[None, None, index].copy()
    return prompts


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names and bytes in the order of the names."""
    result = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        result.update(name.encode())
        result.update(np.ascontiguousarray(array).tobytes())
    return result.hexdigest()


def as_tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    """The same entries for ``torch.save``."""
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def _clip_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "visual.conv1.weight": (WIDTH, 3, PATCH_SIZE, PATCH_SIZE),
        "visual.class_embedding": (WIDTH,),
        "visual.positional_embedding": ((IMAGE_SIZE // PATCH_SIZE) ** 2 + 1, WIDTH),
        "visual.proj": (WIDTH, WIDTH),
        "token_embedding.weight": (VOCABULARY, WIDTH),
        "positional_embedding": (CONTEXT_LENGTH, WIDTH),
        "text_projection": (WIDTH, WIDTH),
        "logit_scale": (),
    }
    layer_norms = ["visual.ln_pre", "visual.ln_post", "ln_final"]
    for prefix, layers in (("visual.transformer.", VISION_LAYERS), ("transformer.", TEXT_LAYERS)):
        for layer in range(layers):
            block = f"{prefix}resblocks.{layer}."
            layer_norms += [f"{block}ln_1", f"{block}ln_2"]
            shapes |= {
                f"{block}attn.in_proj_weight": (3 * WIDTH, WIDTH),
                f"{block}attn.in_proj_bias": (3 * WIDTH,),
                f"{block}attn.out_proj.weight": (WIDTH, WIDTH),
                f"{block}attn.out_proj.bias": (WIDTH,),
                f"{block}mlp.c_fc.weight": (4 * WIDTH, WIDTH),
                f"{block}mlp.c_fc.bias": (4 * WIDTH,),
                f"{block}mlp.c_proj.weight": (WIDTH, 4 * WIDTH),
                f"{block}mlp.c_proj.bias": (WIDTH,),
            }
    for name in layer_norms:
        shapes |= {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}
    return shapes


def _is_layer_norm(name: str) -> bool:
    return ".ln_" in name or name.startswith("ln_final")


def _spread(name: str) -> float:
    """Standard deviation of an entry: large enough that every part of the model matters in the goldens."""
    if name == "logit_scale":
        return 0.0
    if _is_layer_norm(name):
        return 0.1
    named = {
        "visual.conv1.weight": 0.12,
        "visual.class_embedding": 0.5,
        "visual.positional_embedding": 0.5,
        "token_embedding.weight": 0.1,
        "positional_embedding": 0.05,
        "visual.proj": 0.125,
        "text_projection": 0.125,
    }
    if name in named:
        return named[name]
    if name.endswith("bias"):
        return 0.05
    by_ending = {
        "attn.in_proj_weight": (0.125, 0.2),
        "attn.out_proj.weight": (0.05, 0.15),
        "mlp.c_fc.weight": (0.125, 0.125),
        "mlp.c_proj.weight": (0.03, 0.05),
    }
    vision, text = next(spreads for ending, spreads in by_ending.items() if name.endswith(ending))
    return vision if name.startswith("visual.") else text


def _token_ids() -> np.ndarray:
    token_ids = np.zeros((2, CONTEXT_LENGTH), np.int32)
    for row, noun in enumerate(([OBJECT], [DAMAGED, OBJECT])):
        prompt = [START, *[X] * CONTEXT_TOKENS, *noun, DOT, END]
        token_ids[row, : len(prompt)] = prompt
    return token_ids


def _uniform(generator: np.random.Generator, shape: tuple[int, ...], spread: float) -> np.ndarray:
    """Float32 uniform numbers around zero with this standard deviation."""
    return ((generator.random(shape) * 2.0 - 1.0) * (np.sqrt(3.0) * spread)).astype(np.float32)

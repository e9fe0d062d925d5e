"""Turns a state dict of OpenAI's names into one of transformers' names, the way back from what the library does."""

from torch import Tensor

PARTS = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
PARTS["attn.out_proj"] = "self_attn.out_proj"
TOWERS = {
    "transformer.resblocks.": "text_model.encoder.layers.",
    "visual.transformer.resblocks.": "vision_model.encoder.layers.",
}
WHOLE = {
    "logit_scale": "logit_scale",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
}


def hugging_face_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights as a ``CLIPModel`` of transformers' would save them."""
    renamed: dict[str, Tensor] = {}
    for name, entry in state.items():
        if name in WHOLE:
            renamed[WHOLE[name]] = entry
        elif name in ("visual.proj", "text_projection"):
            tower = "visual" if name == "visual.proj" else "text"
            renamed[f"{tower}_projection.weight"] = entry.T.contiguous()
        elif name != "attn_mask":
            prefix = next(each for each in TOWERS if name.startswith(each))
            number, rest = name.removeprefix(prefix).split(".", 1)
            if rest.startswith("attn.in_proj_"):
                for letter, part in zip("qkv", entry.chunk(3), strict=True):
                    kind = rest.removeprefix("attn.in_proj_")
                    renamed[f"{TOWERS[prefix]}{number}.self_attn.{letter}_proj.{kind}"] = part.clone()
            else:
                part, kind = rest.rsplit(".", 1)
                renamed[f"{TOWERS[prefix]}{number}.{PARTS[part]}.{kind}"] = entry
    return renamed

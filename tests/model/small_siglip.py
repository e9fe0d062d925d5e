"""Random SigLIP models small enough for tests, as open_clip and as Hugging Face store them, with tiny tokenizers."""

import io
import json
import lzma
from pathlib import Path
from typing import Any

import open_clip
import sentencepiece
import timm
import torch
from safetensors.torch import save_file
from timm.models import register_model
from timm.models.vision_transformer import VisionTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import Tensor

from pointad.model.siglip_tokenizer import SiglipTokenizer, read_siglip_tokenizer

SIDE, PATCH, DEPTH, WIDTH, HEADS, MLP = 40, 8, 5, 32, 4, 48
CONTEXT, VOCABULARY, TEXT_WIDTH, TEXT_HEADS, TEXT_DEPTH, TEXT_MLP = 20, 64, 16, 2, 4, 40
TIMM_NAME = "vit_small4tests_patch8_siglip_40"
SENTENCES = (
    "a photo of an object",
    "a damaged object",
    "the flawless gear x",
    "a broken leaf without any defect",
    "a perfect walnut in good condition",
    "a blurry photo of the unblemished spoon",
    "a dark photo of the cropped candy",
    "a close up photo of a deformed dowel for visual inspection",
    "depth rendering of a defective rope with a flaw",
)

REFERENCES = Path(__file__).parents[1] / "fixtures" / "siglip_transformers.npz"  # see tools/make_siglip_references.py
VOCABULARY_FILE = REFERENCES.with_name("siglip_spiece.model.xz")  # of sentencepiece 0.2.3; others learn others
TEXTS = ("a photo of an Object.", "damaged object", "A broken leaf, without any defect!")

TEXT = {
    "context_length": CONTEXT,
    "vocab_size": VOCABULARY,
    "hf_tokenizer_name": "somebody/small-siglip",
    "tokenizer_kwargs": {"clean": "canonicalize"},
    "width": TEXT_WIDTH,
    "heads": TEXT_HEADS,
    "layers": TEXT_DEPTH,
    "mlp_ratio": 2.5,
    "no_causal_mask": True,
    "proj_bias": True,
    "pool_type": "last",
    "norm_kwargs": {"eps": 1e-6},
}
VISION = {"image_size": SIDE, "timm_model_name": TIMM_NAME, "timm_pool": "map", "timm_proj": "none"}


def register_trunk() -> None:
    """Make the small image encoder known to timm by its name, as the published ones are."""
    if timm.is_model(TIMM_NAME):
        return

    def entry(pretrained: bool = False, pretrained_cfg: Any = None, **options: Any) -> VisionTransformer:
        sizes = {"img_size": SIDE, "patch_size": PATCH, "embed_dim": WIDTH, "depth": DEPTH, "num_heads": HEADS}
        options = {
            key: value for key, value in options.items() if value is not None and key != "pretrained_cfg_overlay"
        }
        return VisionTransformer(**{**sizes, "mlp_ratio": MLP / WIDTH, "class_token": False, **options})

    entry.__name__ = TIMM_NAME
    register_model(entry)


def pictures() -> Tensor:
    """Two normalized pictures."""
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def random_values(names_and_shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Seeded weights of a size at which every part of a model matters."""
    generator = torch.Generator().manual_seed(seed)
    values = {}
    for name, shape in sorted(names_and_shapes.items()):
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64).float()
        scales = name.endswith("weight") and ("norm" in name or "ln_" in name)
        values[name] = 1 + 0.2 * drawn if scales else 0.25 * drawn
    return values


def open_clip_siglip() -> open_clip.CustomTextCLIP:
    """open_clip's own model, in evaluation mode."""
    register_trunk()
    model = open_clip.CustomTextCLIP(WIDTH, VISION, TEXT, init_logit_bias=-10)
    model.load_state_dict(random_values({name: tuple(entry.shape) for name, entry in model.state_dict().items()}))
    return model.eval()


def hugging_face_shapes() -> dict[str, tuple[int, ...]]:
    """The entries of a ``SiglipModel`` of these dimensions."""
    shapes: dict[str, tuple[int, ...]] = {
        "logit_scale": (1,),
        "logit_bias": (1,),
        "text_model.embeddings.token_embedding.weight": (VOCABULARY, TEXT_WIDTH),
        "text_model.embeddings.position_embedding.weight": (CONTEXT, TEXT_WIDTH),
        "text_model.head.weight": (WIDTH, TEXT_WIDTH),
        "text_model.head.bias": (WIDTH,),
        "vision_model.embeddings.patch_embedding.weight": (WIDTH, 3, PATCH, PATCH),
        "vision_model.embeddings.patch_embedding.bias": (WIDTH,),
        "vision_model.embeddings.position_embedding.weight": ((SIDE // PATCH) ** 2, WIDTH),
        "vision_model.head.probe": (1, 1, WIDTH),
        "vision_model.head.attention.in_proj_weight": (3 * WIDTH, WIDTH),
        "vision_model.head.attention.in_proj_bias": (3 * WIDTH,),
        "vision_model.head.attention.out_proj.weight": (WIDTH, WIDTH),
        "vision_model.head.attention.out_proj.bias": (WIDTH,),
    }

    def mlp(prefix: str, width: int, hidden: int) -> None:
        shapes.update({f"{prefix}.fc1.weight": (hidden, width), f"{prefix}.fc1.bias": (hidden,)})
        shapes.update({f"{prefix}.fc2.weight": (width, hidden), f"{prefix}.fc2.bias": (width,)})

    def norm(name: str, width: int) -> None:
        shapes.update({f"{name}.weight": (width,), f"{name}.bias": (width,)})

    norm("text_model.final_layer_norm", TEXT_WIDTH)
    norm("vision_model.post_layernorm", WIDTH)
    norm("vision_model.head.layernorm", WIDTH)
    mlp("vision_model.head.mlp", WIDTH, MLP)
    for tower, depth, width, hidden in (("text", TEXT_DEPTH, TEXT_WIDTH, TEXT_MLP), ("vision", DEPTH, WIDTH, MLP)):
        for number in range(depth):
            layer = f"{tower}_model.encoder.layers.{number}"
            norm(f"{layer}.layer_norm1", width)
            norm(f"{layer}.layer_norm2", width)
            mlp(f"{layer}.mlp", width, hidden)
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                shapes.update({f"{layer}.self_attn.{part}.weight": (width, width)})
                shapes.update({f"{layer}.self_attn.{part}.bias": (width,)})
    return shapes


HUGGING_FACE_CONFIGURATION = {
    "model_type": "siglip",
    "vision_config": {
        "image_size": SIDE,
        "patch_size": PATCH,
        "hidden_size": WIDTH,
        "intermediate_size": MLP,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": HEADS,
    },
    "text_config": {
        "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT,
        "hidden_size": TEXT_WIDTH,
        "intermediate_size": TEXT_MLP,
        "num_hidden_layers": TEXT_DEPTH,
        "num_attention_heads": TEXT_HEADS,
        "projection_size": WIDTH,
    },
}


def sentencepiece_model(**options: Any) -> bytes:
    """A vocabulary such as SigLIP's: <pad>, </s> and <unk> first, no start token; with options, one that is learned."""
    if not options:
        return lzma.decompress(VOCABULARY_FILE.read_bytes())
    written = io.BytesIO()
    layout = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "pad_piece": "<pad>"}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=written,
        vocab_size=VOCABULARY,
        minloglevel=2,
        num_threads=1,
        hard_vocab_limit=True,
        **{**layout, **options},
    )
    return written.getvalue()


def tokenizer_json(model: bytes) -> str:
    """The same vocabulary as a file of the library tokenizers."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=processor.unk_id()))
    tokenizer.normalizer = normalizers.Replace(" +", " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([piece for piece, _ in pieces[:3]])
    tokenizer.enable_padding(length=4)  # as in published files; padding and truncation are not taken from them
    return tokenizer.to_str()


def write_open_clip_folder(folder: Path) -> open_clip.CustomTextCLIP:
    """What ``timm/ViT-B-16-SigLIP`` holds; returns the model."""
    folder.mkdir()
    model = open_clip_siglip()
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    configuration = {"embed_dim": WIDTH, "custom_text": True, "vision_cfg": VISION, "text_cfg": TEXT}
    pictures = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    described = {"model_cfg": configuration, "preprocess_cfg": pictures}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    (folder / "tokenizer.json").write_text(tokenizer_json(sentencepiece_model()))
    return model


def write_hugging_face_folder(folder: Path, **configuration: Any) -> dict[str, Tensor]:
    """What ``google/siglip-base-patch16-224`` holds; returns the weights."""
    folder.mkdir()
    state = random_values(hugging_face_shapes())
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**HUGGING_FACE_CONFIGURATION, **configuration}))
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    (folder / "spiece.model").write_bytes(sentencepiece_model())
    return state


def read_tokenizer(folder: Path, entries: int = VOCABULARY) -> SiglipTokenizer:
    """The tokenizer of one of these models, or of a vocabulary of another size."""
    return read_siglip_tokenizer(folder, vocabulary_size=entries, context_length=CONTEXT)

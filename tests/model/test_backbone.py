"""Loading CLIP from every kind of file, by name, and the one that comes along; what is refused and how."""

import hashlib
import json
import logging
import shutil
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError

import open_clip
import pytest
import torch
from jit_archive import write_jit_archive
from open_clip.transformer import QuickGELU
from safetensors.torch import save_file
from small_clip import CONFIGURATION, small_clip
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone, load_backbone, load_demo_backbone
from pointad.model.vision import encode_images
from pointad.model.weight_locations import demo_checkpoints, demo_folder, folder_for_downloads


@pytest.fixture(scope="module")
def golden_state(golden_weights: Path) -> dict[str, Tensor]:
    return torch.load(golden_weights / "clip_tiny.pt", weights_only=True)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``checkpoints`` of a working folder of its own; the user's cache folder is empty."""
    monkeypatch.setenv("POINTAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def has_quick_gelu(backbone: ClipBackbone) -> bool:
    both = (backbone.vision, backbone.text)
    kinds = {any(isinstance(module, QuickGELU) for module in tower.modules()) for tower in both}
    assert len(kinds) == 1
    return kinds.pop()


def test_openai_state_dict(golden_backbone: ClipBackbone, golden_state: dict[str, Tensor]) -> None:
    own = {**golden_backbone.vision.state_dict(prefix="visual."), **golden_backbone.text.state_dict()}
    assert set(golden_state) - set(own) == {"logit_scale"}
    assert all(torch.equal(entry, golden_state[name]) for name, entry in own.items())
    assert has_quick_gelu(golden_backbone)
    assert not golden_backbone.is_demo
    assert not any(module.training for module in golden_backbone.modules())
    assert not any(parameter.requires_grad for parameter in golden_backbone.parameters())
    described = (golden_backbone.image_size, golden_backbone.patch_size, golden_backbone.embedding_dim)
    assert described == (336, 14, 64)
    assert golden_backbone.depth == 24


def test_jit_archive_is_read_in_full_precision(
    golden_backbone: ClipBackbone, golden_state: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "archive.pt"
    write_jit_archive(golden_state, path)
    assert load_backbone(weights=path).fingerprint == golden_backbone.fingerprint


@pytest.mark.parametrize("kind", ["state dict", "archive"])
def test_half_precision_is_widened(kind: str, golden_state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "half.pt"
    half = {name: entry.half() if entry.ndim > 1 else entry for name, entry in golden_state.items()}
    if kind == "archive":
        write_jit_archive(half, path)
    else:
        torch.save(half, path)
    backbone = load_backbone(weights=path)
    for name, parameter in backbone.vision.state_dict(prefix="visual.").items():
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, half[name].float()), name


def test_safetensors_and_training_checkpoints(
    golden_backbone: ClipBackbone, golden_state: dict[str, Tensor], tmp_path: Path
) -> None:
    save_file(golden_state, tmp_path / "weights.safetensors")
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": entry for name, entry in golden_state.items()}}
    torch.save(wrapped, tmp_path / "wrapped.pt")
    for name in ("weights.safetensors", "wrapped.pt"):
        assert load_backbone(weights=tmp_path / name).fingerprint == golden_backbone.fingerprint


def test_activation_can_be_told(golden_weights: Path) -> None:
    path = golden_weights / "clip_tiny.pt"
    assert not has_quick_gelu(load_backbone(weights=path, quick_gelu=False))
    assert has_quick_gelu(load_backbone(weights=path, quick_gelu=True))


@pytest.mark.parametrize(
    ("name", "from_openai", "expected"),
    [
        ("ViT-B-32", False, False),  # weights of both kinds were published under this name
        ("ViT-B-32", True, True),
        ("ViT-B-32-quickgelu", False, True),
        ("ViT-L-14-336", False, True),  # only OpenAI published weights under this name
    ],
)
def test_activation_of_a_named_file(
    name: str,
    from_openai: bool,
    expected: bool,
    golden_state: dict[str, Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configuration = {key: CONFIGURATION[key] for key in ("embed_dim", "vision_cfg", "text_cfg")}
    monkeypatch.setattr(open_clip, "get_model_config", lambda _: {**configuration})
    path = tmp_path / "weights.pt"
    state = small_clip().state_dict()
    if from_openai:
        write_jit_archive(state, path)
    else:
        torch.save(state, path)
    backbone = load_backbone(name, path)
    assert backbone.name == name
    assert has_quick_gelu(backbone) == expected


def test_fingerprint_tells_weights_apart(golden_state: dict[str, Tensor], tmp_path: Path) -> None:
    changed = {name: entry.clone() for name, entry in golden_state.items()}
    changed["visual.proj"][0, 0] += 1e-6
    torch.save(changed, tmp_path / "changed.pt")
    torch.save(golden_state, tmp_path / "same.pt")
    fingerprints = [load_backbone(weights=tmp_path / name).fingerprint for name in ("changed.pt", "same.pt")]
    assert fingerprints[0] != fingerprints[1]


def test_fingerprint_tells_apart_how_weights_are_read(golden_backbone: ClipBackbone, golden_weights: Path) -> None:
    path = golden_weights / "clip_tiny.pt"
    plain, quick = (load_backbone(weights=path, quick_gelu=quick) for quick in (False, True))
    assert quick.fingerprint == golden_backbone.fingerprint != plain.fingerprint
    others = [ClipBackbone(small_clip(), "clip", mean=mean) for mean in ((0.5, 0.5, 0.5), (0.4, 0.5, 0.5))]
    for other in others:
        other.load_state_dict(others[0].state_dict())
    assert others[0].fingerprint != others[1].fingerprint


@pytest.mark.parametrize(
    ("tower", "change"),
    [("vision_cfg", {"norm_kwargs": {"eps": 0.01}}), ("text_cfg", {"act_kwargs": {"approximate": "tanh"}})],
)
def test_fingerprint_tells_apart_what_a_configuration_says(tower: str, change: dict, tmp_path: Path) -> None:
    folder = demo_folder()
    configuration = json.loads((folder / "demo_clip.json").read_text())
    shutil.copy(folder / "demo_clip.safetensors", tmp_path / "open_clip_model.safetensors")
    prints = []
    for options in ({}, change):
        configuration[tower] |= options
        (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": configuration}))
        prints.append(load_backbone(weights=tmp_path).fingerprint)
    assert prints[0] != prints[1]


def test_the_demo_read_as_a_file_is_another_model_without_its_configuration(tmp_path: Path) -> None:
    """Nothing in the file says that its activation and heads are not those of OpenAI's models."""
    weights = tmp_path / "demo_clip.safetensors"
    shutil.copy(demo_folder() / weights.name, tmp_path)
    assert load_backbone(weights=weights).fingerprint != load_backbone().fingerprint
    shutil.copy(demo_folder() / "demo_clip.json", tmp_path)
    for place in (weights, demo_folder() / weights.name, f"checkpoints/{weights.name}"):
        demo = load_backbone(weights=place)
        assert demo.is_demo and demo.fingerprint == load_backbone().fingerprint
    with pytest.raises(InputError, match="the demo weights have their own architecture"):
        load_backbone("ViT-B-16", weights)
    with pytest.raises(InputError, match="have a known activation"):
        load_backbone(weights=weights, quick_gelu=True)


def test_fingerprints_of_the_demo_and_of_openai_stay(golden_backbone: ClipBackbone) -> None:
    told = json.loads(demo_checkpoints()[0].with_name("run.json").read_text())
    assert load_backbone().fingerprint == told["backbone_fingerprint"]
    digest = hashlib.sha256()  # as records of earlier versions have it
    for name, tensor in sorted(golden_backbone.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    assert golden_backbone.fingerprint == digest.hexdigest()


def test_encoding_through_the_backbone(golden_backbone: ClipBackbone) -> None:
    images = torch.randn(1, 3, 42, 42)
    direct = encode_images(golden_backbone.vision, images, (6, 24))
    torch.testing.assert_close(golden_backbone.encode_images(images, (6, 24)).patch_features, direct.patch_features)
    assert golden_backbone.encode_texts(["a photo", "another photo", "."]).shape == (3, 64)


def test_demo(tmp_path: Path) -> None:
    model = small_clip()
    half = {name: entry.half().contiguous() for name, entry in model.state_dict().items()}
    save_file(half, tmp_path / "demo_clip.safetensors")
    (tmp_path / "demo_clip.json").write_text(json.dumps(CONFIGURATION))
    backbone = load_demo_backbone(tmp_path)
    assert backbone.is_demo and backbone.name == "demo_clip" and has_quick_gelu(backbone)
    assert torch.equal(backbone.vision.proj, half["visual.proj"].float())


def test_demo_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the demo backbone is missing"):
        load_demo_backbone(tmp_path)


def test_demo_takes_no_model_name() -> None:
    with pytest.raises(InputError, match="omit --clip_model"):
        load_backbone("ViT-B-16", "demo")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("RN50", "ResNet"),
        ("ViT-B-16-SigLIP", "download the folder huggingface.co/timm/ViT-B-16-SigLIP and give its path"),
        ("nllb-clip-base-siglip", "its text encoder is not SigLIP's own"),
        ("EVA02-E-14", "timm's eva02_enormous"),
        ("EVA01-g-14", "timm's eva_giant"),
        ("convnext_base", "timm's convnext_base"),
        ("coca_ViT-L-14", "class token"),
        ("ViT-H-14-CLIPA", "class token"),
        ("xlm-roberta-base-ViT-B-32", "text encoder"),
        ("ViT-H-14-worldwide", "text encoder|not a name"),  # open_clip before 3 does not know it
        ("ViT-X-99", "not a name that open_clip knows"),
    ],
)
@pytest.mark.parametrize("weights", ["random", "openai"])
def test_models_that_cannot_carry_the_method(name: str, reason: str, weights: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        load_backbone(name, weights)
    assert "\n" not in str(caught.value) and "ViT-B-16" in str(caught.value)


def test_openai_resnet_file(tmp_path: Path) -> None:
    torch.save({"visual.attnpool.positional_embedding": torch.zeros(2, 2)}, tmp_path / "RN.pt")
    with pytest.raises(InputError, match="ResNet"):
        load_backbone(weights=tmp_path / "RN.pt")


def test_without_a_network_it_says_which_file_to_put_where(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> str:
        raise URLError("no network")

    monkeypatch.setattr(open_clip, "download_pretrained", no_network)
    with pytest.raises(InputError) as caught:
        load_backbone(weights="openai")
    assert "openaipublic.azureedge.net" in str(caught.value)
    assert str(folder_for_downloads() / "ViT-L-14-336px.pt") in str(caught.value)


@pytest.mark.parametrize(
    "refusal",
    [
        HTTPError("https://openaipublic.azureedge.net", 403, "Forbidden", Message(), None),
        URLError(TimeoutError("timed out")),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_an_unreachable_host_of_openai_is_replaced_by_the_hub(
    refusal: Exception, checkpoints: Path, golden_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(_: object, prefer_hf_hub: bool = True) -> str:
        asked.append(prefer_hf_hub)
        if not prefer_hf_hub:
            raise refusal
        return str(golden_weights / "clip_tiny.pt")

    monkeypatch.setattr(open_clip, "download_pretrained", download)
    with pytest.raises(InputError, match="weights of another model"):  # a small one, but it was read
        load_backbone("ViT-B-16", "openai")
    assert asked == [False, True]


def test_file_put_there_is_taken(checkpoints: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A model of the right size is too large to make up here; that of another size is refused with the file's name."""
    torch.save(small_clip().state_dict(), checkpoints / "ViT-B-32.pt")
    with caplog.at_level(logging.WARNING), pytest.raises(InputError, match=r"ViT-B-32\.pt: weights of another model"):
        load_backbone("ViT-B-32", "openai")
    assert "differs from the file that OpenAI published" in caplog.text
    assert "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af" in caplog.text


def test_published_digest_that_fits_gives_no_warning(
    golden_weights: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = golden_weights / "clip_tiny.pt"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    address = f"https://example.org/models/{digest}/clip_tiny.pt"
    monkeypatch.setattr(open_clip, "get_pretrained_url", lambda *_: address)
    with caplog.at_level(logging.WARNING):
        load_backbone(weights=path)
    assert "differs" not in caplog.text


def test_tag_of_another_model() -> None:
    with pytest.raises(InputError, match=r"not published for ViT-L-14-336; give the --clip_model .*: openai"):
        load_backbone(weights="laion2b_s32b_b82k")


def test_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match="neither a file nor a name"):
        load_backbone(weights="nowhere.pt")


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04broken"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_files_that_are_no_weights(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a file of CLIP weights"):
        load_backbone(weights=path)


def test_pickles_are_never_run(tmp_path: Path) -> None:
    torch.save({"state_dict": nn.Linear(1, 1)}, tmp_path / "pickle.pt")
    with pytest.raises(InputError, match="not a file of CLIP weights"):
        load_backbone(weights=tmp_path / "pickle.pt")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "depth", "size"), [("ViT-B-16", 12, 336), ("ViT-L-14-336", 24, 336), ("ViT-H-14", 32, 336)]
)
def test_full_size(name: str, depth: int, size: int) -> None:
    backbone = load_backbone(name, "random")
    images = torch.randn(1, 3, size, size)
    layers = (1, depth // 2, depth)
    with torch.no_grad():
        features = backbone.encode_images(images, layers)
        native = torch.randn(1, 3, backbone.image_size, backbone.image_size)
        plain = backbone.vision(native)
        ours = backbone.encode_images(native).global_features
    patches = (size // backbone.patch_size) ** 2
    assert features.patch_features.shape == (1, len(layers), patches, backbone.embedding_dim)
    assert features.global_features.isfinite().all() and features.patch_features.isfinite().all()
    torch.testing.assert_close(ours, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("tag", "places"), [("openai", 2), ("laion2b_s34b_b88k", 1)])
def test_weights_that_cannot_be_fetched_name_both_ways_out(
    tag: str, places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*_: object, **__: object) -> str:
        asked.append(tag)
        raise OSError("no network")

    monkeypatch.setattr("pointad.model.backbone.open_clip.download_pretrained", refuse)
    monkeypatch.setattr("pointad.model.backbone.openai_file", lambda _: None)
    with pytest.raises(InputError, match=r"could not be downloaded; .* from https://.*, or name others"):
        load_backbone("ViT-B-16", tag)
    assert len(asked) == places

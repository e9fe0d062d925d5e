"""Which activation and how many heads the weights of a file are read with, on which grounds, and what is asked for."""

from pathlib import Path

import open_clip
import pytest
import torch
from small_clip import CONFIGURATION, small_clip

from pointad.errors import InputError
from pointad.model.architecture import build, named_configuration
from pointad.model.configuration_choice import choose_configuration, foreign_normalization
from pointad.model.weights import WeightsFile

FILE = Path("weights.pt")


def of_model(name: str) -> WeightsFile:
    """A file with the shapes of a model and nothing that tells more."""
    return WeightsFile(FILE, dict(build(named_configuration(name), device="meta").state_dict()), from_openai=False)


@pytest.mark.parametrize(
    ("name", "quick_gelu", "head_width"),
    [
        ("ViT-L-14-336", True, 64),  # only OpenAI published weights of these dimensions
        ("ViT-B-32-256", False, 64),  # only DataComp did
        ("ViT-g-14", False, 88),
        ("ViT-H-14-378", True, 80),
    ],
)
def test_dimensions_that_tell(name: str, quick_gelu: bool, head_width: int) -> None:
    choice = choose_configuration(of_model(name), None, None)
    assert choice.configuration["quick_gelu"] is quick_gelu
    assert choice.configuration["vision_cfg"].get("head_width", 64) == head_width
    assert name in choice.grounds


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-H-14"])
def test_what_dimensions_do_not_tell_is_asked_for(name: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_configuration(of_model(name), None, None)
    plain, quick = str(caught.value).split(f"--clip_model: {name} (")[1].split(f"), {name}-quickgelu (")
    published = {tag: open_clip.get_pretrained_cfg(name, tag) for tag in open_clip.list_pretrained_tags_by_model(name)}
    for named, has_quick_gelu in ((plain, False), (quick.removesuffix(")"), True)):
        tags = [tag for tag in named.split(", ") if tag != "…"]
        assert tags and all(bool(published[tag].get("quick_gelu")) is has_quick_gelu for tag in tags)
    assert "\n" not in str(caught.value)


def test_an_answer_keeps_the_heads_of_the_registry() -> None:
    """1280 channels are 16 heads of 80, not 20 of 64 as in OpenAI's models."""
    for quick_gelu in (True, False):
        configuration = choose_configuration(of_model("ViT-H-14"), None, quick_gelu).configuration
        assert configuration["vision_cfg"]["head_width"] == 80
        assert configuration["quick_gelu"] is quick_gelu


def test_openai_entries_decide() -> None:
    weights = of_model("ViT-B-32")
    choice = choose_configuration(WeightsFile(FILE, weights.state, from_openai=True), None, None)
    assert choice.configuration["quick_gelu"] and "OpenAI" in choice.grounds


@pytest.fixture
def small_b32(monkeypatch: pytest.MonkeyPatch) -> None:
    """ViT-B-32, of which weights with both activations were published, as a small model."""
    configuration = {key: CONFIGURATION[key] for key in ("embed_dim", "vision_cfg", "text_cfg")}
    monkeypatch.setattr(open_clip, "get_model_config", lambda _: {**configuration})


@pytest.mark.usefixtures("small_b32")
def test_openai_weights_under_a_name_with_plain_gelu_are_asked_about() -> None:
    """As open_clip's files of OpenAI's weights are: full precision in type, half precision in value."""
    state = {name: entry.half().float() for name, entry in small_clip().state_dict().items()}
    weights = WeightsFile(FILE, state, from_openai=False)
    with pytest.raises(InputError, match=r"--clip_model ViT-B-32-quickgelu .* or --clip_activation gelu"):
        choose_configuration(weights, "ViT-B-32", None)
    assert choose_configuration(weights, "ViT-B-32-quickgelu", None).configuration["quick_gelu"] is True
    assert choose_configuration(weights, "ViT-B-32", False).configuration["quick_gelu"] is False


@pytest.mark.usefixtures("small_b32")
def test_weights_of_full_precision_have_what_their_name_says() -> None:
    weights = WeightsFile(FILE, dict(small_clip().state_dict()), from_openai=False)
    choice = choose_configuration(weights, "ViT-B-32", None)
    assert choice.configuration["quick_gelu"] is False
    assert "as open_clip defines ViT-B-32 (ViT-B-32-quickgelu is for openai" in choice.grounds


def test_dimensions_of_no_known_model_are_read_as_openai_builds_its_own() -> None:
    weights = WeightsFile(FILE, dict(small_clip().state_dict()), from_openai=False)
    choice = choose_configuration(weights, None, None)
    assert choice.configuration["quick_gelu"] is True
    assert "no known model has these dimensions" in choice.grounds
    assert choose_configuration(weights, None, False).configuration["quick_gelu"] is False


def test_weights_of_another_normalization_are_warned_about() -> None:
    assert foreign_normalization(named_configuration("ViT-L-14")) == ["laion2b_s32b_b82k"]
    assert foreign_normalization(named_configuration("ViT-L-14-quickgelu")) == []
    assert foreign_normalization(named_configuration("ViT-B-32")) == []


def test_contradiction_between_name_and_folder(tmp_path: Path) -> None:
    from pointad.model.hugging_face import FileConfiguration

    told = FileConfiguration(tmp_path / "config.json", quick_gelu=False)
    weights = WeightsFile(FILE, {"visual.proj": torch.zeros(1)}, from_openai=False, configuration=told)
    with pytest.raises(InputError, match=r"has plain GELU \(config.json says so\), while ViT-B-32-quickgelu"):
        choose_configuration(weights, "ViT-B-32-quickgelu", None)
    assert choose_configuration(weights, "ViT-B-32", None).configuration["quick_gelu"] is False

"""What neither a file of weights, nor its folder, nor a flag says is told as a guess; what is said is not."""

import json
from pathlib import Path
from typing import Any

import pytest
import timm
from safetensors.torch import save_file
from small_clip import CONFIGURATION, small_clip
from small_siglip import write_hugging_face_folder, write_open_clip_folder

from pointad.errors import InputError
from pointad.model.architecture import named_configuration
from pointad.model.backbone import load_backbone
from pointad.model.configuration_choice import Choice
from pointad.model.untold import normalization
from pointad.model.weights import WeightsFile

STATED = {"mean": [0.5, 0.5, 0.5], "std": [0.4, 0.4, 0.4]}


def warnings_of(weights: Path, caplog: pytest.LogCaptureFixture, **options: Any) -> str:
    caplog.clear()
    load_backbone(weights=weights, **options)
    return "\n".join(record.getMessage() for record in caplog.records if record.levelname == "WARNING")


@pytest.mark.parametrize(
    ("quick_gelu", "guessed", "remedy"),
    [
        (None, "activation, attention heads and normalization of pictures", "or --clip_activation"),
        (False, "attention heads and normalization of pictures", "them"),
    ],
)
def test_dimensions_that_no_published_model_has(
    quick_gelu: bool | None, guessed: str, remedy: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_file(small_clip().state_dict(), tmp_path / "weights.safetensors")
    said = warnings_of(tmp_path / "weights.safetensors", caplog, quick_gelu=quick_gelu)
    assert f"nothing states the model's {guessed}, which are taken as in OpenAI's models, with " in said
    assert said.endswith(remedy)


@pytest.mark.parametrize(
    ("pictures", "is_told"), [(STATED, False), ({}, True), ({"mean": STATED["mean"]}, True), (None, True)]
)
def test_normalization_that_a_folder_does_not_state(
    pictures: dict | None, is_told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_file(small_clip().state_dict(), tmp_path / "open_clip_model.safetensors")
    described = {"model_cfg": CONFIGURATION, "preprocess_cfg": pictures}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(described))
    said = warnings_of(tmp_path, caplog)
    assert ("nothing states the model's normalization of pictures, which is taken as in OpenAI's" in said) is is_told
    assert bool(said) is is_told


def test_normalization_that_the_folder_of_a_siglip_does_not_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_hugging_face_folder(tmp_path / "hugging")
    write_open_clip_folder(tmp_path / "open")
    for folder in ("hugging", "open"):
        assert not warnings_of(tmp_path / folder, caplog)
    (tmp_path / "hugging" / "preprocessor_config.json").unlink()
    described = json.loads((tmp_path / "open" / "open_clip_config.json").read_text())
    (tmp_path / "open" / "open_clip_config.json").write_text(json.dumps({"model_cfg": described["model_cfg"]}))
    for folder in ("hugging", "open"):
        said = warnings_of(tmp_path / folder, caplog)
        assert "normalization of pictures, which is taken as in all published SigLIPs" in said


@pytest.mark.parametrize("name", ["ViT-B-16", "EVA02-B-16", "ViT-B-16-SigLIP"])
def test_the_name_of_a_published_model_is_no_guess(name: str, caplog: pytest.LogCaptureFixture) -> None:
    normalization(WeightsFile(Path("any.pt"), {}, from_openai=False), Choice(named_configuration(name), "named"))
    assert not caplog.records


def test_a_folder_cannot_have_other_weights_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    create = timm.create_model

    def noted(*arguments: Any, **options: Any) -> Any:
        asked.append(options.get("pretrained"))
        return create(*arguments, **{**options, "pretrained": False})

    monkeypatch.setattr("timm.create_model", noted)
    configuration = named_configuration("EVA02-B-16")
    configuration["vision_cfg"]["timm_model_pretrained"] = True
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": configuration}))
    save_file(small_clip().state_dict(), tmp_path / "open_clip_model.safetensors")
    with pytest.raises(InputError, match="weights of another model"):
        load_backbone(weights=tmp_path)
    assert asked == [False]

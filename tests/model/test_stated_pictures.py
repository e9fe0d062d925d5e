"""What a folder of weights states about the pictures of its model: followed, refused, or told not to be followed."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file
from small_clip import CONFIGURATION, small_clip
from small_siglip import write_hugging_face_folder

from pointad.errors import InputError
from pointad.model.backbone import load_backbone


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def test_pictures_as_transformers_5_describes_them(tmp_path: Path) -> None:
    """It writes the settings of pictures into those of the whole processor, and reads them there first."""
    folder = tmp_path / "siglip"
    write_hugging_face_folder(folder)
    pictures = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "do_normalize": True, "resample": 3}
    write(folder / "processor_config.json", {"processor_class": "SiglipProcessor", "image_processor": pictures})
    backbone = load_backbone(weights=folder)
    assert backbone.mean == (0.1, 0.2, 0.3) and backbone.std == (0.4, 0.5, 0.6)
    write(folder / "processor_config.json", {"image_processor": {**pictures, "do_normalize": False}})
    with pytest.raises(InputError, match=r"processor_config\.json: its do_normalize is False"):
        load_backbone(weights=folder)
    write(folder / "processor_config.json", {"processor_class": "SiglipProcessor"})
    assert load_backbone(weights=folder).mean == (0.5, 0.5, 0.5)
    for broken in (["a"], {"image_processor": [1]}):
        write(folder / "processor_config.json", broken)
        with pytest.raises(InputError, match="does not state how pictures are normalized"):
            load_backbone(weights=folder)


@pytest.mark.parametrize(("number", "is_told"), [(3, False), (2, True)])
def test_another_resizing_of_transformers_is_told(
    number: int, is_told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_hugging_face_folder(tmp_path / "siglip")
    write(tmp_path / "siglip" / "preprocessor_config.json", {"image_mean": [0.5] * 3, "resample": number})
    load_backbone(weights=tmp_path / "siglip")
    assert ("preprocessor_config.json: states other resizing of pictures (2)" in caplog.text) is is_told


@pytest.mark.parametrize(("stated", "is_told"), [("bicubic", False), ("random", False), ("bilinear", True)])
def test_another_resizing_of_open_clip_is_told(
    stated: str, is_told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_file(small_clip().state_dict(), tmp_path / "open_clip_model.safetensors")
    pictures = {"mean": [0.5] * 3, "std": [0.5] * 3, "mode": "RGB", "interpolation": stated}
    write(tmp_path / "open_clip_config.json", {"model_cfg": CONFIGURATION, "preprocess_cfg": pictures})
    with caplog.at_level(logging.WARNING):
        load_backbone(weights=tmp_path)
    assert ("states other resizing of pictures (bilinear)" in caplog.text) is is_told


def test_pictures_of_another_mode_are_refused(tmp_path: Path) -> None:
    save_file(small_clip().state_dict(), tmp_path / "open_clip_model.safetensors")
    write(tmp_path / "open_clip_config.json", {"model_cfg": CONFIGURATION, "preprocess_cfg": {"mode": "L"}})
    with pytest.raises(InputError, match=r"open_clip_config\.json: its pictures have the mode L, not RGB"):
        load_backbone(weights=tmp_path)


def test_a_siglip_without_its_pooling_head(tmp_path: Path) -> None:
    state = write_hugging_face_folder(tmp_path / "siglip")
    rest = {name: entry for name, entry in state.items() if not name.startswith("vision_model.head.")}
    save_file(rest, tmp_path / "siglip" / "model.safetensors")
    with pytest.raises(
        InputError, match=r"model_type 'siglip'.; give the folder of a SiglipModel with its pooling head"
    ):
        load_backbone(weights=tmp_path / "siglip")

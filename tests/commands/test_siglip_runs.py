"""SigLIP through the command line: prompts are learned, tested and used for a scan, and its fingerprint is recorded."""

import json
from pathlib import Path

import pytest
from robustness.invocation import assert_one_error_line, invoke

pytest.importorskip("sentencepiece", reason="requirements-siglip.txt is not installed")
pytest.importorskip("tokenizers", reason="requirements-siglip.txt is not installed")

from model.small_siglip import write_hugging_face_folder, write_open_clip_folder

from pointad.demo import scans
from pointad.demo.scans import ScanName


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good and an anomalous scan of each of two classes."""
    folder = tmp_path_factory.mktemp("raw") / "spools"
    for class_name in ("gear", "leaf"):
        for index, species in enumerate(("good", "pit")):
            scans.write_scan(ScanName(class_name, "test", species, index), 0, folder)
    return folder


def test_train_test_and_predict(raw: Path, tmp_path: Path) -> None:
    write_hugging_face_folder(tmp_path / "siglip")
    clip = ("--clip_weights", tmp_path / "siglip", "--device", "cpu")
    data = ("--data_path", raw, "--render", "on_the_fly", "--views", "x0", "y15", "--num_workers", 0)
    learning = ("--train_class", "gear", "--epoch", 1, "--depth", 3, "--n_ctx", 6, "--save_path", tmp_path / "train")
    trained = invoke("train.py", *clip, *data, *learning)
    assert trained.code == 0, trained.err
    assert "normalized as for OpenAI's" not in trained.err
    prompts = ("--checkpoint_path", tmp_path / "train" / "epoch_1.pth")
    tested = invoke("test.py", *clip, *data, *prompts, "--save_path", tmp_path / "test")
    assert tested.code == 0, tested.err
    run = json.loads((tmp_path / "test" / "results.json").read_text())["run"]
    assert run["differences"] == [] and run["image_size"] == 40
    scan = next(raw.glob("leaf/test/pit/xyz/*.tiff"))
    predicted = invoke("scripts/predict.py", scan, *clip, *prompts, "--output", tmp_path / "out")
    assert predicted.code == 0, predicted.err
    (facts,) = (tmp_path / "out").rglob("prediction.json")
    assert 0 <= json.loads(facts.read_text())["score"] <= 1

    write_open_clip_folder(tmp_path / "other")
    elsewhere = ("--clip_weights", tmp_path / "other", "--save_path", tmp_path / "elsewhere")
    assert_one_error_line(invoke("test.py", *data, *prompts, *elsewhere), "--allow_mismatch")


def test_what_is_missing_is_said_in_one_line(raw: Path, tmp_path: Path) -> None:
    write_open_clip_folder(tmp_path / "siglip")
    flags = ("--data_path", raw, "--render", "on_the_fly", "--prompts", "ensemble", "--views", "x0", "--device", "cpu")
    ending = invoke("test.py", *flags, "--clip_weights", tmp_path / "siglip", "--save_path", tmp_path / "plain")
    assert ending.code == 0, ending.err
    (tmp_path / "siglip" / "tokenizer.json").unlink()
    flags = ("--data_path", raw, "--render", "on_the_fly", "--prompts", "ensemble", "--save_path", tmp_path / "out")
    ending = invoke("test.py", *flags, "--clip_weights", tmp_path / "siglip")
    assert_one_error_line(ending, str(tmp_path / "siglip"), "tokenizer.json", "spiece.model")
    ending = invoke("test.py", *flags, "--clip_model", "ViT-B-16-SigLIP2", "--clip_weights", "webli")
    assert_one_error_line(ending, "ViT-B-16-SigLIP2", "huggingface.co/timm/ViT-B-16-SigLIP2")
    assert not (tmp_path / "out" / "results.json").exists()

"""From nothing to result tables through the real programs, with the commands that the README shows."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from commands.programs import ROOT, run_successfully
from robustness.invocation import invoke

CLASSES = ("gear", "pear")
KEPT = ("good/000", "good/001", "pit/000", "stain/000")  # of every class: enough for every metric
TERMS = ("d2_pixel_loss", "d3_point_loss", "d3_global_loss", "d2_image_loss")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered data set of two demo classes, made by the programs."""
    raw, rendered = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("rendered")
    run_successfully("scripts/make_demo_data.py", "--output", raw, "--classes", *CLASSES)
    for class_name in CLASSES:
        for species in (raw / class_name / "test").iterdir():
            for scan in species.glob("xyz/*.tiff"):
                if f"{species.name}/{scan.stem}" not in KEPT:
                    scan.unlink()
                    for folder in ("rgb", "gt"):
                        (species / folder / f"{scan.stem}.png").unlink(missing_ok=True)
            if not any(species.glob("xyz/*")):
                shutil.rmtree(species)
    run_successfully(
        "scripts/render_dataset.py", "--dataset", "mvtec_pc_3d_rgb", "--data_path", raw, "--save_path", rendered
    )
    for listed in rendered.glob("*.json"):
        listed.unlink()
    said = run_successfully("generate_dataset_json/mvtec3d-ad.py", "--data_path", rendered)
    assert all(class_name in said for class_name in CLASSES)
    return rendered


def test_render_list_train_test_report(rendered: Path, tmp_path: Path) -> None:
    trained, tested = tmp_path / "trained", tmp_path / "tested"
    run_successfully(
        "train.py",
        *("--data_path", rendered, "--clip_weights", "demo", "--train_class", "gear"),
        *("--epoch", 8, "--save_path", trained),
    )
    rows = list(csv.DictReader((trained / "losses.csv").open()))
    first, last = rows[0], rows[-1]
    assert int(last["epoch"]) == 8
    assert sum(float(last[term]) for term in TERMS) < sum(float(first[term]) for term in TERMS)
    assert json.loads((trained / "run.json").read_text())["training_class"] == "gear"

    said = run_successfully(
        "test.py",
        *("--data_path", rendered, "--clip_weights", "demo", "--checkpoint_path", trained / "epoch_8.pth"),
        *("--save_path", tested, "--save_maps", "--visualize"),
    )
    assert "DEMO backbone" in said and "| pear" in said
    assert "| gear" not in said  # the class that was trained on is left out
    results = json.loads((tested / "results.json").read_text())
    assert set(results["classes"]) == {"pear"}
    assert set(results["mean"]) == {"point", "color", "fused"}
    for metrics in results["mean"].values():
        assert set(metrics) == {"image_auroc", "image_ap", "pixel_auroc", "pixel_aupro"}
        assert all(0 <= value <= 1 for value in metrics.values())
    assert len(list(csv.DictReader((tested / "scores.csv").open()))) == len(KEPT)
    assert len(list((tested / "maps" / "pear").glob("*/*.npz"))) == len(KEPT)
    assert len(list((tested / "visualization" / "pear").glob("*/*.png"))) == len(KEPT)

    tables = run_successfully("scripts/report.py", tested)
    assert "PointAD" in tables


def test_plain_prompts_need_no_checkpoint(rendered: Path, tmp_path: Path) -> None:
    ending = invoke(
        "test.py",
        *("--data_path", rendered, "--clip_weights", "demo", "--prompts", "ensemble", "--save_path", tmp_path),
    )
    assert ending.code == 0, ending.err
    assert set(json.loads((tmp_path / "results.json").read_text())["classes"]) == set(CLASSES)


def test_backbone_that_comes_along_is_small() -> None:
    weights = [path for path in (ROOT / "checkpoints").rglob("*") if path.suffix in (".safetensors", ".pth")]
    assert weights and sum(path.stat().st_size for path in weights) < 30e6

"""train.py and test.py reproduce the published numbers, through their flags and files alone."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from commands.programs import run_successfully
from robustness.invocation import invoke

SCORED = ("bagel/contamination/000", "cookie/good/001")  # both have points that no view sees


def select_samples(data: Path, folder: Path, file_name: str, names: list[str]) -> Path:
    """A data set folder that holds a JSON list of these samples of another one, and links to that one's folders.

    A sample named twice, which programs refuse to list, comes a second time as a twin: another species by another link.
    """
    listed = json.loads((data / "all_meta.json").read_text().replace(f"{data}/", ""))["test"]
    by_name = {
        f"{entry['cls_name']}/{entry['specie_name']}/{Path(entry['d2_render_img_path']).name}": entry
        for entries in listed.values()
        for entry in entries
    }
    chosen: dict[str, list[dict]] = {}
    for name in names:
        class_name, entry = name.split("/")[0], by_name[name]
        link = folder / class_name
        if entry in chosen.get(class_name, []):
            link = folder / f"{class_name}_twin"
            moved = json.loads(json.dumps(entry).replace(f'"{class_name}/', f'"{link.name}/'))
            entry = {**moved, "specie_name": f"{entry['specie_name']}_twin"}
        if not link.is_symlink():
            link.symlink_to(data / class_name)
        chosen.setdefault(class_name, []).append(entry)
    (folder / file_name).write_text(json.dumps({"train": {}, "test": chosen}))
    return folder


def test_maps_and_scores(
    golden_inputs: Path, golden_expected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # as many as most people's programs have at least
    root = tmp_path / "data set with spaces"
    root.mkdir()
    select_samples(golden_inputs / "data", root, "all_meta.json", list(SCORED))
    output = tmp_path / "out"
    printed = run_successfully(
        "test.py",
        *("--dataset", "mvtec_pc_3d_rgb", "--data_path", root, "--save_path", output, "--save_maps"),
        *("--clip_weights", golden_inputs / "clip_tiny.pt", "--checkpoint_path", golden_inputs / "prompts.pth"),
    )
    assert all(heading in printed for heading in ("Point anomaly", "Colour anomaly", "Fused"))
    expected = np.load(golden_expected / "samples.npz")
    rows = {f"{r['class']}/{r['species']}/{r['id']}": r for r in csv.DictReader((output / "scores.csv").open())}
    assert set(rows) == set(SCORED)
    for name in SCORED:
        index = list(expected["names"]).index(name)
        maps = np.load(output / "maps" / f"{name}.npz")
        for modality in ("point", "color", "fused"):
            golden_map = expected[f"{modality}_map_s4"][index]
            np.testing.assert_allclose(maps[f"{modality}_map"][::4, ::4], golden_map, rtol=0, atol=5e-6)
            assert float(rows[name][f"{modality}_score"]) == pytest.approx(
                expected[f"score_{modality}"][index], abs=5e-6
            )


@pytest.mark.parametrize("kind", ["twin", "pair"])
def test_three_epochs(kind: str, golden_inputs: Path, golden_expected: Path, tmp_path: Path) -> None:
    expected = json.loads((golden_expected / f"train_{kind}.json").read_text())
    root = tmp_path / "data"
    root.mkdir()
    select_samples(golden_inputs / "data", root, "cookie_meta.json", expected["samples"])
    output = tmp_path / "out"
    trained = invoke(
        "train.py",
        *("--data_path", root, "--train_class", "cookie", "--batch_size", 2, "--epoch", 3, "--save_path", output),
        *("--clip_weights", golden_inputs / "clip_tiny.pt", "--init_checkpoint", golden_inputs / "prompts.pth"),
    )
    assert trained.code == 0, trained.err
    rows = list(csv.DictReader((output / "losses.csv").open()))
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "1"), ("2", "1"), ("3", "1")]
    for row, losses in zip(rows, expected["losses"], strict=True):
        losses["d3_global_loss"] = losses["d3_global_correct"]
        for term in ("d2_pixel_loss", "d3_point_loss", "d3_global_loss", "d2_image_loss"):
            assert float(row[term]) == pytest.approx(losses[term], rel=2e-5), term

    arrays = np.load(golden_expected / f"train_{kind}.npz")
    for epoch in (1, 2, 3):
        state = torch.load(output / f"epoch_{epoch}.pth", weights_only=True)["prompt_learner"]
        names = [name.removeprefix(f"epoch{epoch}/") for name in arrays.files if name.startswith(f"epoch{epoch}/")]
        errors = [np.abs(state[name].numpy() - arrays[f"epoch{epoch}/{name}"]).ravel() for name in names]
        assert np.quantile(np.concatenate(errors), 0.999) <= 1e-4
    released = torch.load(golden_inputs / "prompts.pth", weights_only=True)["prompt_learner"]
    assert {name: (entry.shape, entry.dtype) for name, entry in state.items()} == {
        name: (entry.shape, entry.dtype) for name, entry in released.items()
    }


def test_wrong_depth_is_one_clear_line(golden_inputs: Path, tmp_path: Path) -> None:
    ending = invoke(
        "test.py",
        *("--data_path", golden_inputs / "data", "--save_path", tmp_path / "out", "--depth", 5),
        *("--clip_weights", golden_inputs / "clip_tiny.pt", "--checkpoint_path", golden_inputs / "prompts.pth"),
    )
    assert ending.code == 2
    last = ending.err.strip().splitlines()[-1]
    assert "prompts.pth" in last and "depth 5" in last and "depth 9" in last
    assert "Traceback" not in ending.err

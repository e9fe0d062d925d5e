"""The programs that are killed, on inputs so small that a run takes well under a second."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import tifffile
import torch
from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from PIL import Image
from safetensors.torch import save_file

from pointad.demo import scans
from pointad.demo.scans import ScanName
from pointad.encoding.feature_cache import read_entry
from pointad.model.architecture import build

DATASET = "mvtec_pc_3d_rgb"
CLASS = "gear"
TINY_CLIP = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 56, "layers": 1, "width": 16, "head_width": 16, "patch_size": 28},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 2},
}
VOLATILE = ("log.txt", "run.json", "results.json", "prediction.json", "epoch_*.json", "training_state.pt")
"""Files that tell when and where they were made; of the JSON files, all else in them is compared."""
WHEN_AND_WHERE = ("provenance", "timings", "output")
"""What these files, and `shots.json`, tell of that."""


@dataclass(frozen=True)
class Job:
    """A program with its flags, working in a folder that every run of it shares."""

    prepare: Callable[[Path], None]  # makes the folder as it is before the first run
    command: Callable[[Path, int], list[str]]  # folder, number of the process
    results: Callable[[Path], dict[str, str]]  # folder -> what must be as after an undisturbed run


def write_inputs(folder: Path) -> None:
    """Two scans of 50 x 50 points to test, two good ones beside, and a CLIP of a few thousand numbers."""
    named = (("test", "good"), ("test", "pit"), ("train", "good"), ("train", "good"))
    for index, (split, species) in enumerate(named):
        made = scans.make_scan(ScanName(CLASS, split, species, index), 0)
        place = folder / "raw" / CLASS / split / species
        for kind in ("xyz", "rgb", "gt"):
            (place / kind).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(place / "xyz" / f"00{index}.tiff", np.ascontiguousarray(made.xyz[::8, ::8]))
        Image.fromarray(np.asarray(made.rgb)[::8, ::8]).save(place / "rgb" / f"00{index}.png")
        Image.fromarray(np.asarray(made.mask)[::8, ::8]).save(place / "gt" / f"00{index}.png")
    torch.manual_seed(0)
    weights = folder / "clip"
    weights.mkdir()
    state = {name: entry.contiguous() for name, entry in build(TINY_CLIP).state_dict().items()}
    save_file(state, weights / "open_clip_model.safetensors")
    pictures = {"mean": OPENAI_DATASET_MEAN, "std": OPENAI_DATASET_STD}
    (weights / "open_clip_model.safetensors").chmod(0o644)  # safetensors lets nobody else read what it writes
    configuration = {"model_cfg": TINY_CLIP, "preprocess_cfg": pictures}
    (weights / "open_clip_config.json").write_text(json.dumps(configuration))


def render_command(folder: Path, output: Path, workers: int = 1) -> list[str]:
    """The command that renders the raw scans."""
    flags = ["--dataset", DATASET, "--data_path", str(folder / "raw"), "--save_path", str(output), "--views", "x0"]
    return ["scripts/render_dataset.py", *flags, "--num_workers", str(workers)]


def jobs(inputs: Path) -> dict[str, Job]:
    """All jobs, by name.

    Args:
        inputs: from ``write_inputs``, with the scans rendered into ``rendered`` in it, good ones too, prompts trained
            into ``train``, pictures encoded into ``cache`` and a test in ``tested``.
    """
    data = ["--data_path", str(inputs / "rendered"), "--clip_weights", str(inputs / "clip"), "--device", "cpu"]
    train = ["train.py", *data, "--train_class", CLASS, "--epoch", "3", "--depth", "2", "--batch_size", "1"]
    train += ["--num_workers", "0"]
    test = ["test.py", *data, "--save_maps", "--prompts", "ensemble", "--num_workers", "1"]
    scan = next((inputs / "raw" / CLASS / "test" / "pit" / "xyz").glob("*.tiff"))
    model = ["--clip_weights", str(inputs / "clip"), "--device", "cpu"]
    model += ["--checkpoint_path", str(inputs / "train" / "epoch_3.pth")]
    predict = ["scripts/predict.py", str(scan), *model, "--html"]
    good = ["--good", str(inputs / "raw" / CLASS / "train" / "good" / "xyz")]
    shots = ["test.py", *data, "--prompts", "ensemble", "--shots", "1", "--draws", "2", "--num_workers", "0"]
    reference = ["scripts/reference.py", str(scan), *model]
    report = ["scripts/report.py", str(inputs / "tested")]
    views = ["scripts/render_scans.py", str(scan), "--views", "x0", "y30"]
    demo = ["scripts/make_demo_data.py", "--classes", CLASS, "--good", "1", "--workers", "1"]
    whole = [path.relative_to(inputs / "cache") for path in sorted((inputs / "cache").rglob("*.safetensors"))]

    def spoil_cache(folder: Path) -> None:
        shutil.copytree(inputs / "cache", folder, dirs_exist_ok=True)
        (folder / whole[0]).write_bytes((folder / whole[0]).read_bytes()[:-1])

    def forget_lists(folder: Path) -> None:
        shutil.copytree(inputs / "rendered", folder, ignore=shutil.ignore_patterns("*_meta.json", "good_scans.json"))

    return {
        "render": Job(make, lambda out, _: render_command(inputs, out), files),
        "render in 2 processes": Job(make, lambda out, _: render_command(inputs, out, workers=2), files),
        "render with good scans": Job(make, lambda out, _: [*render_command(inputs, out), "--good_scans"], files),
        "list": Job(
            forget_lists, lambda out, _: ["generate_dataset_json/mvtec3d-ad.py", "--data_path", str(out)], files
        ),
        "train": Job(make, lambda out, _: [*train, "--save_path", str(out)], files),
        "test": Job(make, lambda out, _: [*test, "--save_path", str(out)], files),
        "few-shot test": Job(make, lambda out, _: [*shots, "--save_path", str(out)], files),
        "predict": Job(make, lambda out, _: [*predict, "--output", str(out)], files),
        "predict with good scans": Job(
            make,
            lambda out, _: [*predict, *good, "--reference_cache", str(out / "kept"), "--output", str(out / "results")],
            files,
        ),
        "reference": Job(make, lambda out, _: [*reference, "--output", str(out / "good.safetensors")], files),
        "report": Job(make, lambda out, _: [*report, "--save_path", str(out), "--html", str(out)], files),
        "views of a scan": Job(make, lambda out, _: [*views, "--save_path", str(out)], files),
        "demo data": Job(make, lambda out, _: [*demo, "--output", str(out)], files),
        "cache": Job(
            make,
            lambda out, number: [
                *(*test, "--feature_cache", str(out / "cache"), "--save_path", str(out / f"run_{number}"))
            ],
            lambda out: {**whole_features(out / "cache"), **rounded_scores(out / "run_0")},
        ),
        "upkeep of the cache": Job(
            spoil_cache,
            lambda out, _: ["scripts/feature_cache.py", str(out), "--check", "--keep", "1G"],
            files,
        ),
    }


def make(folder: Path) -> None:
    """An empty folder."""
    folder.mkdir(parents=True)


def files(folder: Path) -> dict[str, str]:
    """Every file, hidden ones too: what it holds, apart from when and where it was made, or that it is there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.name.startswith("."):
            continue
        found[str(path.relative_to(folder))] = "" if path.is_dir() else _content(path)
    return found


def _content(path: Path) -> str:
    told = path.read_bytes()
    if path.suffix == ".json" and any(path.match(pattern) for pattern in (*VOLATILE, "shots.json")):
        try:
            told = json.dumps(_lasting(json.loads(told))).encode()
        except ValueError:
            return "no JSON"
    elif any(path.match(pattern) for pattern in VOLATILE):
        return ""
    return sha256(told).hexdigest()


def _lasting(value: object) -> object:
    if isinstance(value, dict):
        return {name: _lasting(entry) for name, entry in value.items() if name not in WHEN_AND_WHERE}
    return value


def whole_features(folder: Path) -> dict[str, str]:
    """The files of a feature cache; their last digits depend on which pictures were encoded together."""
    found = dict.fromkeys(files(folder), "")
    for name in found:
        try:
            read_entry(folder / name)
        except (OSError, ValueError) as error:
            found[name] = str(error)
    return found


def rounded_scores(folder: Path) -> dict[str, str]:
    """The files of a test, and its scores to four digits."""
    found = dict.fromkeys(files(folder), "")
    path = folder / "scores.csv"
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = [name for name in (rows[0] if rows else ()) if name.endswith("score")]
        found["scores"] = str([[f"{float(row[name] or 0):.4f}" for name in names] for row in rows])
    return found

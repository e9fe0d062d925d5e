"""Finished runs on generated toys, written by the same code that test.py writes with."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from PIL import Image

from pointad.data.layout import SampleFiles
from pointad.data.sample_identity import views_digest
from pointad.evaluation.class_outcome import ClassOutcome
from pointad.evaluation.modalities import MODALITIES
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter
from pointad.evaluation.scored_sample import ScoredSample
from pointad.metrics import PixelScores, class_metrics, curves
from pointad.metrics.ranking import rank
from pointad.report.runs import Run

SIDE = 48
VIEWS = np.full((9, SIDE, SIDE, 3), 200, np.uint8)
TOYS = ("bear", "duck", "train <2>")  # the last one must be escaped
FACTS: dict[str, Any] = {
    "dataset": "mvtec_pc_3d_rgb",
    "dataset_title": "toys",
    "backbone": "tiny ViT",
    "is_demo": True,
    "prompts": "learned",
    "object_aware": False,
    "depth": 9,
    "training_dataset": "mvtec_pc_3d_rgb",
    "training_class": "kite",
    "protocol": "one-vs-rest",
    "seed": 111,
    "views": list(range(9)),
    "sigma": 4.0,
    "aupro": "exact",
}


def toy_samples(class_name: str, seed: int) -> list[ScoredSample]:
    """Six samples of a class, four of them with a square defect that the maps show more or less."""
    random = np.random.default_rng(seed)
    samples = []
    for index in range(6):
        label = int(index >= 2)
        mask = np.zeros((SIDE, SIDE), bool)
        if label:
            mask[10:20, 15 : 20 + index] = True
        maps = {m: (0.6 * random.random((SIDE, SIDE)) + 0.5 * mask).astype(np.float32) for m in MODALITIES}
        samples.append(
            ScoredSample(
                prompts="kite",
                class_name=class_name,
                species="hole" if label else "good",
                identifier=f"{index:03d}",
                label=label,
                scores={m: float(one.max() + 0.4 * random.random()) for m, one in maps.items()},
                maps=maps,
                mask=mask,
                valid=np.ones((SIDE, SIDE), bool),
                view_maps=random.random((9, SIDE, SIDE)).astype(np.float32),
                view_scores=random.random(9).astype(np.float32),
                views=VIEWS,
                color=(color := np.full((SIDE, SIDE, 3), 120, np.uint8)),
                picture=views_digest(torch.from_numpy(color)),
                renderings=views_digest(torch.from_numpy(VIEWS)),
            )
        )
    return samples


def write_scan(sample: ScoredSample, data_path: Path) -> None:
    """The scan of a sample where a rendered data set has it: a bowl with a hole in one corner."""
    files = SampleFiles(data_path, sample.class_name, sample.species, sample.identifier)
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    xyz = np.stack([columns, rows, 2 + rows**2 + columns**2], axis=-1).astype(np.float32)
    xyz[:5, :5] = 0
    for path in (files.xyz, files.rgb, files.mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(files.xyz, xyz, photometric="rgb")
    Image.fromarray(sample.color).save(files.rgb)
    Image.fromarray(sample.mask).save(files.mask)


def write_run(folder: Path, *, seed: int = 0, save_maps: bool = False, visualize: bool = False, **facts: Any) -> Run:
    """Write a finished run and return it."""
    writer = RunWriter(folder, RunRecord.from_json(FACTS | facts), save_maps=save_maps, visualize=visualize)
    for number, class_name in enumerate(TOYS):
        samples = toy_samples(class_name, seed=100 * seed + number)
        labels = np.array([sample.label for sample in samples])
        masks = np.stack([sample.mask for sample in samples])
        metrics, drawn = {}, {}
        for modality in MODALITIES:
            scores = np.array([sample.scores[modality] for sample in samples])
            maps = np.stack([sample.maps[modality] for sample in samples])
            metrics[modality] = class_metrics(labels, scores, masks, maps)
            pixels = PixelScores.of(maps, masks).ranking()
            drawn[modality] = {"image": curves(rank(labels, scores)), "pixel": curves(pixels)}
        for sample in samples:
            writer.add_sample(sample)
            if "data_path" in facts:
                write_scan(sample, Path(facts["data_path"]))
        writer.add_class(ClassOutcome("kite", class_name, metrics, drawn))
    return Run(folder, writer.finish())


def write_losses(checkpoint: Path) -> None:
    """Losses of two epochs of three steps, beside a checkpoint."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    lines = ["epoch,step,d2_pixel_loss,d3_point_loss,d3_global_loss,d2_image_loss"]
    lines += [f"{e},{s},{1.5 / e},{1.8 - s / 10},{0.5 / e},0.0" for e in (1, 2) for s in (1, 2, 3)]
    checkpoint.with_name("losses.csv").write_text("\n".join(lines) + "\n")

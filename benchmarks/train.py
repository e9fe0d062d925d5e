"""Times a training of one class, from loading to the last epoch, against the published procedure.

    python benchmarks/train.py                                       # 24 samples, 15 epochs, ViT-L/14@336px
    python benchmarks/train.py --precision bf16
    python benchmarks/train.py --model ViT-B-32 --encoded 2          # a small one, to see that it runs
    python benchmarks/train.py --device cuda --samples 120 --encoded 120

The published procedure encodes every sample in every epoch; here it is measured on one sample and one step, and
multiplied. Ours encodes ``--encoded`` samples, whose time is multiplied too, and takes all the steps of all epochs.
Last comes where the time of a step goes, by PyTorch's profiler.
Weights and samples are random: time does not depend on them.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.published_learning import encode_published, step_published
from benchmarks.synthetic_samples import synthetic_dataset
from benchmarks.timing import peak_gigabytes, time_in_turns
from pointad.compute.device import choose_device
from pointad.compute.precision_names import PRECISIONS
from pointad.data.batch import collate
from pointad.encoding.features import PictureEncoder
from pointad.model.backbone import RANDOM, ClipBackbone, load_backbone
from pointad.model.prompt_learner import PromptLearner
from pointad.training.training import STEP_PARTS, Training, TrainingExamples, TrainingSettings, load_examples


def main() -> None:
    """Print where the time goes, ours beside the published procedure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ViT-L-14-336", help="an open_clip name")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="precision of our encoder")
    parser.add_argument("--samples", type=int, default=24, help="samples of the class")
    parser.add_argument("--epochs", type=int, default=15, help="epochs of training")
    parser.add_argument("--encoded", type=int, default=2, help="samples whose encoding is measured")
    arguments = parser.parse_args()

    device = choose_device(arguments.device)
    backbone = load_backbone(arguments.model, RANDOM, device)
    settings = TrainingSettings(epochs=arguments.epochs)
    samples, steps = arguments.samples, -(-arguments.samples // settings.batch_size)

    encoder = PictureEncoder(backbone, precision=arguments.precision)
    dataset = synthetic_dataset(max(arguments.encoded, 2), image_size=backbone.image_size, training=True)
    encoder.encode(collate([dataset[0]]))  # warm
    started = time.perf_counter()
    examples = load_examples(encoder, dataset, description=None)
    encoding = (time.perf_counter() - started) / examples.count * samples
    learning = statistics.median(seconds_of_learning(backbone, examples, settings, samples) for _ in range(3))
    print(f"ours: {peak_gigabytes(device)} of GPU memory at most")

    published_encoding, published_step = published_seconds(backbone, settings.batch_size, device)
    published_encoding *= samples * arguments.epochs
    published_steps = published_step * steps * arguments.epochs
    rows = [
        ["published procedure", published_encoding, published_steps, published_encoding + published_steps],
        [f"ours, {arguments.precision}", encoding, learning, encoding + learning],
    ]
    total = rows[0][-1]
    table = [[name, *(f"{value:.1f}" for value in values), f"{total / values[-1]:.1f}"] for name, *values in rows]
    headers = ["", "encoding, s", "steps, s", "together, s", "times faster"]
    print(tabulate(table, headers=headers, tablefmt="pipe", disable_numparse=True))
    print(f"\n{arguments.model}, {samples} samples, {arguments.epochs} epochs, {torch.get_num_threads()} threads")
    print(f"one step of ours: {learning / (steps * arguments.epochs):.3f} s; published: {published_step:.3f} s")
    print(tabulate(parts_of_a_step(backbone, examples, settings, samples), headers=["part of a step", "share, %"]))


def seconds_of_learning(
    backbone: ClipBackbone, examples: TrainingExamples, settings: TrainingSettings, samples: int
) -> float:
    """All epochs on that many samples."""
    training = Training(backbone, PromptLearner(backbone), repeated(examples, samples), settings)
    started = time.perf_counter()
    for _ in training.epochs():
        pass
    return time.perf_counter() - started


def repeated(examples: TrainingExamples, samples: int) -> TrainingExamples:
    """That many samples, which take the features of the encoded ones in turn."""
    return TrainingExamples(
        samples,
        {index: examples.features[index % examples.count] for index in range(samples)},
        {index: examples.targets[index % examples.count] for index in range(samples)},
        examples.path,
    )


def parts_of_a_step(
    backbone: ClipBackbone, examples: TrainingExamples, settings: TrainingSettings, samples: int
) -> list[tuple[str, str]]:
    """The named parts of the steps of one epoch, each with its share of their time in per cent."""
    settings = replace(settings, epochs=1)
    training = Training(backbone, PromptLearner(backbone), repeated(examples, samples), settings)
    with torch.profiler.profile() as profile:
        for _ in training.epochs():
            pass
    on_gpu = any(event.device_time_total for event in profile.key_averages())
    times = {
        event.key: event.device_time_total if on_gpu else event.cpu_time_total
        for event in profile.key_averages()
        if event.key in STEP_PARTS
    }
    return [(part, f"{100 * times[part] / sum(times.values()):.0f}") for part in STEP_PARTS]


def published_seconds(backbone: ClipBackbone, batch_size: int, device: torch.device) -> tuple[float, float]:
    """Seconds for encoding one sample, and for one step on a batch whose features are there."""
    dataset = synthetic_dataset(batch_size, image_size=backbone.image_size, training=True)
    batch = collate([dataset[index] for index in range(batch_size)]).to(device)
    assert batch.views is not None
    color = batch.views[:1, :1]  # the published loader encodes the RGB picture in training, too
    pictures = torch.cat([batch.views[:1], color], dim=1)
    learner = PromptLearner(backbone)
    optimizer = torch.optim.Adam(learner.learned_parameters(), lr=0.001, betas=(0.5, 0.999))
    features = encode_published(backbone, pictures)
    global_features, patch_features = (each[:, :-1].expand(batch_size, *each[:, :-1].shape[1:]) for each in features)
    ways: dict[str, Callable[[], object]] = {
        "encode": lambda: encode_published(backbone, pictures),
        "step": lambda: step_published(backbone, learner, optimizer, batch, global_features, patch_features),
    }
    timings = time_in_turns(ways, 1 if device.type == "cpu" else 5, device)
    return timings["encode"].seconds, timings["step"].seconds


if __name__ == "__main__":
    main()

"""Times the encoding of one sample (nine views and the RGB picture) against plain CLIP and the published encoder.

    python benchmarks/encode.py                                  # ViT-L/14@336px with random weights
    python benchmarks/encode.py --model ViT-B-32 --rounds 1      # a small one, to see that it runs
    python benchmarks/encode.py --device cuda --samples 8        # several samples together; a whole test pass, too

Weights are random: time does not depend on them. All ways take turns in one run; medians over the rounds.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.published_learning import encode_published
from benchmarks.synthetic_samples import synthetic_dataset
from benchmarks.timing import peak_gigabytes, time_in_turns
from pointad.compute.device import choose_device
from pointad.compute.precision import computing_in, supported_precisions, with_rounded_matrices
from pointad.compute.precision_names import PRECISIONS
from pointad.data.batch import collate
from pointad.encoding.features import PictureEncoder, normalize_pictures
from pointad.evaluation.evaluation import evaluate
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.scored_sample import PromptSet
from pointad.model.backbone import RANDOM, ClipBackbone, load_backbone

PASS_SAMPLES = 16  # of the whole test pass on a GPU


def main() -> None:
    """Print a line for every way and precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ViT-L-14-336", help="an open_clip name")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument(
        "--precisions", nargs="+", choices=PRECISIONS, help="precisions to time (default: fp32 and bf16 if supported)"
    )
    parser.add_argument("--samples", type=int, default=1, help="samples that are encoded together")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each variant")
    parser.add_argument("--skip_published", action="store_true", help="leave out the published encoder")
    arguments = parser.parse_args()

    device = choose_device(arguments.device)
    backbone = load_backbone(arguments.model, RANDOM, device)
    precisions = arguments.precisions or [p for p in ("fp32", "bf16") if p in supported_precisions(device)]
    dataset = synthetic_dataset(arguments.samples, image_size=backbone.image_size, training=False)
    batch = collate([dataset[index] for index in range(arguments.samples)]).to(device)
    assert batch.views is not None and batch.color is not None
    pictures = torch.cat([batch.views, batch.color[:, None]], dim=1)  # (B, 10, S, S, 3)

    ways: dict[str, Callable[[], object]] = {}
    for precision in precisions:
        vision = with_rounded_matrices(backbone.vision, precision)
        ways[f"plain CLIP, {precision}"] = partial(plain_clip, vision, backbone, pictures.flatten(0, 1), precision)
        ways[f"two paths, ours, {precision}"] = partial(PictureEncoder(backbone, precision=precision).encode, batch)
    if not arguments.skip_published:
        ways["two paths, published, fp32"] = partial(encode_published, backbone, pictures)
    timings = time_in_turns(ways, arguments.rounds, device)

    rows = []
    for name, timing in timings.items():
        plain = timings.get(f"plain CLIP, {name.rsplit(' ', 1)[1]}", timing)
        per_sample = timing.seconds / arguments.samples
        ratio = f"{timing.seconds / plain.seconds:.2f}"
        rows.append([name, f"{per_sample:.3f}", f"{timing.core_seconds / arguments.samples:.3f}", ratio])
    headers = ["way", "seconds a sample", "core seconds", "against plain CLIP"]
    print(tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True))
    print(f"\n{arguments.model}, {torch.get_num_threads()} threads, peak memory {peak_gigabytes(device)}")
    if device.type == "cuda":
        time_test_pass(backbone, precisions[-1], device)


@torch.no_grad()
def plain_clip(vision: torch.nn.Module, backbone: ClipBackbone, pictures: torch.Tensor, precision: str) -> torch.Tensor:
    """Global features of pictures (K, S, S, 3) by open_clip's own vision transformer."""
    with computing_in(precision, pictures.device):
        return vision(normalize_pictures(pictures, backbone.mean, backbone.std))


def time_test_pass(backbone: ClipBackbone, precision: str, device: torch.device) -> None:
    """Loading, encoding, scoring and measuring of some samples, as test.py does it."""
    text_features = torch.nn.functional.normalize(torch.randn(2, backbone.embedding_dim, device=device), dim=-1)
    prompts = PromptSet("random", lambda class_name: text_features)
    settings = EvaluationSettings(num_workers=4, keep_views=False, description=None)
    encoder = PictureEncoder(backbone, precision=precision)
    dataset = synthetic_dataset(PASS_SAMPLES, image_size=backbone.image_size, training=False)
    timing = time_in_turns({"pass": lambda: list(evaluate(encoder, dataset, [prompts], settings))}, 3, device)["pass"]
    per_sample = timing.seconds / PASS_SAMPLES
    print(f"whole test pass, {precision}: {per_sample:.3f} s a sample, peak memory {peak_gigabytes(device)}")


if __name__ == "__main__":
    main()

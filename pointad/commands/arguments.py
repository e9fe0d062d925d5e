"""The flags that train.py and test.py have in common: one definition, one help text, one default each."""

import argparse
from pathlib import Path

from pointad.commands.argument_types import (
    blur_in_pixels,
    label,
    non_negative_integer,
    positive_integer,
    side_in_pixels,
)
from pointad.commands.folder_arguments import add_folder_arguments
from pointad.commands.reading_arguments import add_reading_arguments
from pointad.commands.rig_arguments import RIG_FILE_HELP, view_or_count
from pointad.compute.precision_names import PRECISIONS
from pointad.datasets.registry import DATASETS
from pointad.rendering.options import CORRESPONDENCES, NORMALS_METHODS, VISIBILITIES
from pointad.scoring.back_projection import MEAN, VIEW_FUSIONS
from pointad.scoring.options import DEFAULT_SIGMA, FUSIONS

DEMO_TRAINING_CLASS = "gear"
SMALLEST_OLD_GRID = 28  # with fewer points a side, --point_size was meant as the size of a point
ACTIVATIONS = {"auto": None, "quick_gelu": True, "gelu": False}  # as load_backbone's quick_gelu


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Which data set, where it is, and how its samples are loaded."""
    group = parser.add_argument_group("data")
    group.add_argument("--dataset", choices=tuple(DATASETS), default=next(iter(DATASETS)), help="the data set's format")
    group.add_argument(
        "--data_path",
        "--train_data_path",
        type=Path,
        help="the rendered data set with its JSON files, or the raw one with --render on_the_fly "
        "(default: the demo data, which are generated and rendered on first use)",
    )
    group.add_argument(
        "--render",
        choices=("stored", "on_the_fly"),
        default="stored",
        help="read renderings from the data set's folder, or render raw scans when needed, without storing them",
    )
    group.add_argument(
        "--normals",
        choices=NORMALS_METHODS,
        help="with --render on_the_fly only: how normals are estimated; grid is faster, for organized scans "
        "(default: exact)",
    )
    group.add_argument(
        "--visibility",
        choices=VISIBILITIES,
        help="with --render on_the_fly only: which points are visible in a view: the nearest one at each pixel, as "
        "published, or all on the surface drawn there (default: nearest)",
    )
    group.add_argument(
        "--correspondence",
        choices=CORRESPONDENCES,
        help="with --render on_the_fly only: the pixel of a point: its coordinates truncated, as published, or the "
        "pixel that contains it (default: truncated)",
    )
    group.add_argument(
        "--image_size",
        type=side_in_pixels,
        help="side of the encoder's input images in pixels (default: the model's own, 336 for ViT-L-14-336)",
    )
    group.add_argument(
        "--grid_size",
        type=side_in_pixels,
        default=336,
        help="side of the point grid and of the renderings in pixels; 336 in the published layout, and always with "
        "--render on_the_fly",
    )
    group.add_argument(
        "--point_size",
        dest="grid_size",
        type=_grid_size,
        default=argparse.SUPPRESS,
        help="the published name of --grid_size (the size of a point in pixels is --point_pixels of the renderers)",
    )
    group.add_argument("--rig", type=Path, metavar="FILE", help=f"{RIG_FILE_HELP} (default: as rendered)")
    group.add_argument(
        "--views",
        type=view_or_count,
        nargs="+",
        metavar="VIEW",
        help="views to use: their number, or rotations about x or y in degrees, such as x-45 x0 x45; stored renderings "
        "offer only the views that were rendered (default: all views)",
    )
    group.add_argument(
        "--num_workers",
        type=non_negative_integer,
        default=2,
        help="number of processes that load samples, at most 256 and one for each sample; 0 loads in the program's own",
    )
    add_reading_arguments(parser)
    add_folder_arguments(parser)


def _grid_size(text: str) -> int:
    size = positive_integer(text)
    if size < SMALLEST_OLD_GRID:
        raise argparse.ArgumentTypeError(
            f"{text} is too small for the side of the point grid, which --point_size means here, like --grid_size; the "
            "size of a point in pixels is set when rendering"
        )
    return size


def add_model_arguments(parser: argparse.ArgumentParser, *, demo: str = "for the demo data") -> None:
    """Which backbone, from which weights, on which device.

    Args:
        parser: of a program.
        demo: when the program takes the demo weights by default, in words.
    """
    group = parser.add_argument_group("model")
    group.add_argument(
        "--clip_model",
        help="an open_clip ViT by name (ViT-L-14-336, ViT-B-16, ...) (default: the model of the weights)",
    )
    group.add_argument(
        "--clip_weights",
        help="demo (the small backbone in checkpoints/), openai (downloaded by open_clip unless in its cache), "
        "another open_clip tag of --clip_model, a weights file, or a Hugging Face folder; see docs/backbones.md "
        f"(default: demo {demo}, openai otherwise)",
    )
    group.add_argument(
        "--clip_activation",
        choices=tuple(ACTIVATIONS),
        default="auto",
        help="activation of the model in a weights file; auto takes it from the file, the configuration next to it or "
        "the model name; if none of them specifies it, it stops where published models of these dimensions differ, and "
        "warns that it takes quick_gelu where there are none",
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    group.add_argument(
        "--features_list",
        type=positive_integer,
        nargs="+",
        help="blocks of the image encoder whose local features are compared with the text, counted from 1; the maps "
        "of several blocks are averaged (default: the last block, 24 for ViT-L/14)",
    )


def add_encoding_arguments(parser: argparse.ArgumentParser, *, with_cache: bool = True) -> None:
    """How the image encoder runs, and where its features are kept; ``with_cache`` False for single scans."""
    group = parser.add_argument_group("encoding")
    if with_cache:
        group.add_argument(
            "--feature_cache",
            type=Path,
            metavar="DIR",
            help="cache the encoder's features in this folder, so that later runs do not encode the same images again; "
            "scripts/feature_cache.py shows its size, shrinks or checks it",
        )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="fp32",
        help="precision of the image encoder; bf16 and fp16 are faster where the device supports them, "
        "and change probabilities by about 0.01",
    )
    group.add_argument("--compile", action="store_true", help="compile the image encoder with torch.compile")
    group.add_argument(
        "--pictures_at_once",
        type=positive_integer,
        help="images per forward pass of the encoder (default: chosen for the device's memory)",
    )


def add_prompt_arguments(parser: argparse.ArgumentParser, *, learned_only: bool = False) -> None:
    """The kind and the sizes of the prompts; ``learned_only`` omits the plain ensemble."""
    group = parser.add_argument_group("prompts")
    group.add_argument(
        "--depth",
        type=positive_integer,
        help="number of text encoder blocks with learned tokens, the first included; "
        "1 learns the context only (default: as in the checkpoint, else 9)",
    )
    group.add_argument(
        "--n_ctx",
        type=positive_integer,
        help="number of learned context tokens (default: as in the checkpoint, else 12)",
    )
    group.add_argument(
        "--t_n_ctx",
        type=positive_integer,
        help="number of learned tokens per text encoder block (default: as in the checkpoint, else 4)",
    )
    group.add_argument(
        "--prompts",
        choices=("learned", "object_aware") if learned_only else ("learned", "object_aware", "ensemble"),
        default="learned",
        help="learned: object-agnostic prompts ('object'); object_aware: prompts with the class name"
        + ("" if learned_only else "; ensemble: no learning, the mean of many hand-written sentences (CLIP + R.)"),
    )


def add_experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """What a run is called, and the fusion of the views, which training and test share."""
    group = parser.add_argument_group("experiment")
    group.add_argument(
        "--name",
        type=label,
        metavar="LABEL",
        help="name of the method in tables and pages (default: in tests that of the training, else derived from the "
        "settings)",
    )
    group.add_argument(
        "--data_name",
        type=label,
        metavar="LABEL",
        help="name of the data in tables (default: the published data set's name if all its classes, and of MVTec "
        "3D-AD all its test samples, are there and no others, else the folder's name)",
    )
    group.add_argument(
        "--view_fusion",
        choices=tuple(VIEW_FUSIONS),
        default=MEAN,
        help="how a point fuses the views in which it is visible: mean (as published), maximum, or mean of the two "
        "largest values",
    )


def add_seed_argument(parser: argparse.ArgumentParser) -> None:
    """The seed of everything random."""
    parser.add_argument("--seed", type=non_negative_integer, default=111, help="random seed")


def add_scoring_arguments(parser: argparse.ArgumentParser) -> None:
    """How maps become scores."""
    group = parser.add_argument_group("scoring")
    group.add_argument(
        "--sigma",
        type=blur_in_pixels,
        default=DEFAULT_SIGMA,
        help="standard deviation of the Gaussian smoothing, in grid points; 0 disables it",
    )
    group.add_argument(
        "--fusion",
        choices=FUSIONS,
        default="both",
        help="what a sample's score combines: the maximum of its map and the global probability of its images (as "
        "published), the map only, or the images only",
    )

"""The flags that train.py and test.py have in common: one definition, one help text, one default each."""

import argparse
from pathlib import Path

from pointad.commands.folder_arguments import add_folder_arguments
from pointad.commands.program import non_negative_float, non_negative_integer, positive_integer, side_in_pixels
from pointad.commands.reading_arguments import add_reading_arguments
from pointad.commands.rig_arguments import view_or_count
from pointad.compute.precision_names import PRECISIONS
from pointad.datasets.registry import DATASETS
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
        "(default: the demo data, which are generated and rendered when they are not there yet)",
    )
    group.add_argument(
        "--render",
        choices=("stored", "on_the_fly"),
        default="stored",
        help="read renderings from the data set's folder, or render raw scans when they are needed and store nothing",
    )
    group.add_argument(
        "--normals",
        choices=("exact", "grid"),
        help="with --render on_the_fly only: how normals are estimated; grid is faster, for organized scans "
        "(default: exact)",
    )
    group.add_argument(
        "--visibility",
        choices=("nearest", "splat"),
        help="with --render on_the_fly only: a view sees the nearest point on each pixel, as published, or the points "
        "on the surface that the picture shows (default: nearest)",
    )
    group.add_argument(
        "--correspondence",
        choices=("truncated", "centred"),
        help="with --render on_the_fly only: which pixel a point lies on, as published, or the one that contains it "
        "(default: truncated)",
    )
    group.add_argument(
        "--image_size",
        type=side_in_pixels,
        help="side of the encoder's pictures, pixels (default: as its model was trained, 336 for ViT-L-14-336)",
    )
    group.add_argument(
        "--grid_size",
        type=side_in_pixels,
        default=336,
        help="side of the grid of points and of the renderings; the published layout has 336",
    )
    group.add_argument(
        "--point_size",
        dest="grid_size",
        type=_grid_size,
        default=argparse.SUPPRESS,
        help="the published name of --grid_size; how many pixels a point covers is chosen when rendering",
    )
    group.add_argument(
        "--views",
        type=view_or_count,
        nargs="+",
        metavar="VIEW",
        help="how many of the views are used, or which: turns about x or y in degrees such as x-45 x0 x45; stored "
        "renderings have the views that they were rendered with (default: all that there are)",
    )
    group.add_argument("--num_workers", type=non_negative_integer, default=2, help="processes that load samples")
    add_reading_arguments(parser)
    add_folder_arguments(parser)


def _grid_size(text: str) -> int:
    size = positive_integer(text)
    if size < SMALLEST_OLD_GRID:
        raise argparse.ArgumentTypeError(
            f"{text} is the side of the grid of points here, see --grid_size; how many pixels a point covers is chosen "
            "when rendering"
        )
    return size


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Which backbone, from which weights, on which device."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--clip_model",
        help="an open_clip ViT by name (ViT-L-14-336, ViT-B-16, ...) (default: the one that the weights belong to)",
    )
    group.add_argument(
        "--clip_weights",
        help="demo (the small backbone in checkpoints/), openai (downloaded by open_clip, or found in its cache), "
        "another of open_clip's tags for --clip_model, or a file or a folder from Hugging Face, see docs/backbones.md "
        "(default: demo for the demo data, openai for all others)",
    )
    group.add_argument(
        "--clip_activation",
        choices=tuple(ACTIVATIONS),
        default="auto",
        help="of a file of weights: auto takes what the file, the configuration beside it or its model's name says, "
        "and asks where nothing does",
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    group.add_argument(
        "--features_list",
        type=positive_integer,
        nargs="+",
        help="blocks of the image encoder whose local features are compared with the text, counted from 1; several: "
        "the mean of their maps (default: the last block, 24 of ViT-L/14)",
    )


def add_encoding_arguments(parser: argparse.ArgumentParser, *, with_cache: bool = True) -> None:
    """How the image encoder runs, and where its features are kept; ``with_cache`` False for single scans."""
    group = parser.add_argument_group("encoding")
    if with_cache:
        group.add_argument(
            "--feature_cache",
            type=Path,
            metavar="DIR",
            help="keep the encoder's features in this folder, so that no picture is encoded again by another run; "
            "scripts/feature_cache.py says how big it is and makes it smaller",
        )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="fp32",
        help="precision of the image encoder; bf16 and fp16 are faster where the device has instructions for "
        "them, and move probabilities by about a hundredth",
    )
    group.add_argument("--compile", action="store_true", help="compile the image encoder first (torch.compile)")
    group.add_argument(
        "--pictures_at_once",
        type=positive_integer,
        help="pictures that go through the encoder together (default: as many as suit the device's memory)",
    )


def add_prompt_arguments(parser: argparse.ArgumentParser, *, learned_only: bool = False) -> None:
    """The kind and the sizes of the prompts; ``learned_only`` leaves the plain ensemble out."""
    group = parser.add_argument_group("prompts")
    group.add_argument(
        "--depth",
        type=positive_integer,
        help="text blocks that get tokens of their own, the first one counted in; "
        "1 learns the context alone (default: what the checkpoint holds, else 9)",
    )
    group.add_argument(
        "--n_ctx", type=positive_integer, help="learned context tokens (default: what the checkpoint holds, else 12)"
    )
    group.add_argument(
        "--t_n_ctx",
        type=positive_integer,
        help="learned tokens a text block (default: what the checkpoint holds, else 4)",
    )
    group.add_argument(
        "--prompts",
        choices=("learned", "object_aware") if learned_only else ("learned", "object_aware", "ensemble"),
        default="learned",
        help="learned: prompts that say 'object'; object_aware: prompts that say the class's name"
        + ("" if learned_only else "; ensemble: nothing learned, the mean of many plain sentences (CLIP + R.)"),
    )


def add_experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """What a run is called, and the fusion of the views, which training and test share."""
    group = parser.add_argument_group("experiment")
    group.add_argument(
        "--name", metavar="LABEL", help="what the method is called in tables and pages (default: by its settings)"
    )
    group.add_argument(
        "--data_name",
        metavar="LABEL",
        help="what the data are called in tables (default: the published data set's name if these are its classes, "
        "else the folder's)",
    )
    group.add_argument(
        "--view_fusion",
        choices=tuple(VIEW_FUSIONS),
        default=MEAN,
        help="how the views that see a point are brought together: their mean (as published), the largest value, or "
        "the mean of the two largest",
    )


def add_seed_argument(parser: argparse.ArgumentParser) -> None:
    """The seed of everything random."""
    parser.add_argument("--seed", type=non_negative_integer, default=111, help="seed of everything random")


def add_scoring_arguments(parser: argparse.ArgumentParser) -> None:
    """How maps become scores."""
    group = parser.add_argument_group("scoring")
    group.add_argument(
        "--sigma",
        type=non_negative_float,
        default=DEFAULT_SIGMA,
        help="standard deviation of the smoothing, in points; 0 smooths nothing",
    )
    group.add_argument(
        "--fusion",
        choices=FUSIONS,
        default="both",
        help="what a sample's score is made of: the peak of its map and the probability of its pictures as a whole (as "
        "published), the map alone, or the pictures alone",
    )

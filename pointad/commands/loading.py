"""From the flags that train.py and test.py share to a backbone and a data set."""

import argparse
import logging
from pathlib import Path

import torch

from pointad.commands.arguments import DEMO_DATA
from pointad.commands.ensure_demo_data import ensure_demo_data
from pointad.commands.program import OneLineFormatter
from pointad.compute.device import choose_device
from pointad.compute.processes import ALONE, Processes, own_device
from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.opening import open_dataset
from pointad.data.raw import RenderingOptions
from pointad.data.view_subset import view_subset
from pointad.datasets.registry import specification
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.files.atomic import make_folder
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.vision import check_layers

logger = logging.getLogger(__name__)


def log_to_file(folder: Path, processes: Processes = ALONE) -> None:
    """Append everything that is logged from now on to ``log.txt`` in a folder, which is made if it is missing.

    Of several processes only the first one logs; the others say only what goes wrong.
    """
    if not processes.is_first:
        logging.getLogger().setLevel(logging.WARNING)
        return
    make_folder(folder)
    path = folder / "log.txt"
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror})", "choose a writable folder") from error
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # the screen has the line, the disk is full
    handler.setFormatter(OneLineFormatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)


def settle_data(arguments: argparse.Namespace, processes: Processes = ALONE) -> None:
    """Without a data path take the demo data; without CLIP weights take those that suit the data."""
    arguments.demo_data = arguments.data_path is None or arguments.data_path.resolve().is_relative_to(DEMO_DATA)
    if arguments.data_path is None:
        with processes.first_goes_first():
            arguments.data_path = ensure_demo_data()
    if arguments.clip_weights is None:
        arguments.clip_weights = "demo" if arguments.demo_data and arguments.clip_model is None else "openai"


def load_model(arguments: argparse.Namespace, processes: Processes = ALONE) -> ClipBackbone:
    """The backbone that the flags ask for, on their device; ``arguments.features_list`` is filled in."""
    device = own_device(choose_device(arguments.device))
    with processes.first_goes_first():  # weights may have to be downloaded
        backbone = load_backbone(arguments.clip_model, arguments.clip_weights, device)
    arguments.features_list = list(check_layers(arguments.features_list, backbone.depth))
    logger.info(
        "backbone %s%s on %s, local features of block %s",
        backbone.name,
        " (DEMO backbone)" if backbone.is_demo else "",
        device,
        " ".join(map(str, arguments.features_list)),
    )
    return backbone


def make_encoder(arguments: argparse.Namespace, backbone: ClipBackbone) -> PictureEncoder:
    """The image encoder as the flags want it."""
    return PictureEncoder(
        backbone,
        arguments.features_list,
        precision=arguments.precision,
        compiled=arguments.compile,
        pictures_at_once=arguments.pictures_at_once,
        cache_folder=arguments.feature_cache,
    )


def log_encoded(encoder: PictureEncoder, processes: Processes = ALONE) -> None:
    """Say how many pictures had to be encoded, by all processes together."""
    encoded, from_cache = processes.sum(torch.tensor([encoder.encoded, encoder.from_cache])).tolist()
    logger.info("encoded %d pictures, %d from the cache", encoded, from_cache)


def load_data(arguments: argparse.Namespace, *, training: bool) -> MultiViewDataset:
    """The samples that the flags ask for: one class with the ground truth of its views, or all classes to be tested."""
    dataset = specification(arguments.dataset)
    options = SampleOptions(
        image_size=arguments.image_size,
        point_size=arguments.point_size,
        view_indices=view_subset(arguments.views, organized=dataset.organized),
        with_color=dataset.has_color and not training,
        with_views_gt=training,
    )
    class_name = arguments.train_class if training else None
    return open_dataset(
        dataset,
        arguments.data_path,
        options,
        class_name=class_name,
        render=arguments.render,
        rendering=RenderingOptions(
            normals_method=arguments.normals,
            visibility=arguments.visibility,
            correspondence=arguments.correspondence,
        ),
    )

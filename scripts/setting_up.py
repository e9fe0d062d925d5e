"""From the flags that train.py and test.py share to a backbone and a data set."""

import argparse
import logging
from pathlib import Path

from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.opening import open_dataset
from pointad.data.raw import RenderingOptions
from pointad.data.specification import specification
from pointad.data.view_subset import view_subset
from pointad.device import choose_device
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.vision import check_layers
from scripts.demo import ensure_demo_data

logger = logging.getLogger(__name__)


def log_to_file(folder: Path) -> None:
    """Append everything that is logged from now on to ``log.txt`` in a folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)


def settle_data(arguments: argparse.Namespace) -> None:
    """Without a data path take the demo data; without CLIP weights take those that suit the data."""
    arguments.demo_data = arguments.data_path is None
    if arguments.demo_data:
        arguments.data_path = ensure_demo_data()
    if arguments.clip_weights is None:
        arguments.clip_weights = "demo" if arguments.demo_data and arguments.clip_model is None else "openai"


def load_model(arguments: argparse.Namespace) -> ClipBackbone:
    """The backbone that the flags ask for, on their device; ``arguments.features_list`` is filled in."""
    device = choose_device(arguments.device)
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

"""From the settings that train.py and test.py share to a backbone, an encoder and a data set."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

import torch

from pointad.commands.ensure_demo_data import ensure_demo_data
from pointad.commands.program import OneLineFormatter
from pointad.commands.run_inputs import looked_again
from pointad.commands.settings import DataSettings, EncodingSettings, ModelSettings
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.compute.device import choose_device
from pointad.compute.processes import ALONE, Processes, own_device
from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.layout import STORED
from pointad.data.opening import ListedDataset, list_dataset
from pointad.data.own_data import settled
from pointad.data.picture_presence import with_pictures_of_whole_classes
from pointad.data.raw import RenderingOptions
from pointad.data.rendering_settings import read_settings, settings_of
from pointad.data.sample_source import SampleSource
from pointad.datasets.base import DatasetSpecification
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.files.atomic import make_folder, require_folder_place
from pointad.files.in_place import append_to
from pointad.files.locks import own_folder
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.vision import check_layers

Settings = TypeVar("Settings", TestSettings, TrainSettings)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedData:
    """Samples, and how their views were made as far as it is known."""

    about: DatasetSpecification
    samples: MultiViewDataset
    views: tuple[int, ...]  # indices of those that are used
    view_names: tuple[str, ...] | None  # their directions
    rendering: Mapping[str, Any]  # see pointad.data.rendering_settings.settings_of; empty where nothing was noted


@dataclass(frozen=True)
class ListedData:
    """The samples found, and the views of them to be used."""

    settings: DataSettings
    about: DatasetSpecification
    listed: ListedDataset
    views: tuple[int, ...]  # indices
    rendering: Mapping[str, Any]  # as in LoadedData

    @property
    def all_samples(self) -> list[SampleSource]:
        """Those of the test split, and the good scans outside it where they were asked for."""
        return [*self.listed.sources, *self.listed.good]

    def for_training(self, image_size: int) -> LoadedData:
        """With the ground truth of their views and without RGB pictures; ``image_size`` is the side of the pictures."""
        return self._opened(image_size, with_color=False, with_views_gt=True)

    def for_test(self, image_size: int, region_neighbours: int | None = None) -> LoadedData:
        """With RGB pictures where the data set has any.

        Args:
            image_size: side of the encoder's pictures.
            region_neighbours: number the anomalous regions of clouds without a grid on this graph, for AUPRO.
        """
        return self._opened(
            image_size, with_color=self.about.has_color, with_views_gt=False, region_neighbours=region_neighbours
        )

    def _opened(
        self, image_size: int, *, with_color: bool, with_views_gt: bool, region_neighbours: int | None = None
    ) -> LoadedData:
        options = SampleOptions(
            image_size=image_size,
            point_size=self.settings.grid_size,
            view_indices=self.views,
            with_color=with_color,
            with_views_gt=with_views_gt,
            region_neighbours=region_neighbours,
            allow_empty_masks=self.settings.reading.allow_empty_masks,
        )
        names = self.listed.views.names(self.views)
        listed = self.listed
        if with_color:
            listed = replace(listed, sources=with_pictures_of_whole_classes(listed.sources, self.settings.folder))
        return LoadedData(self.about, listed.open(options), self.views, names, self.rendering)


class _LogFile(logging.FileHandler):
    """A file that is appended to; its first lines are kept until it may be."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self._kept: list[logging.LogRecord] | None = []

    def _open(self) -> TextIOWrapper:
        return append_to(self.baseFilename)

    def emit(self, record: logging.LogRecord) -> None:
        if self._kept is None:
            super().emit(record)
        else:
            self._kept.append(record)

    def begin(self) -> None:
        """Write what was kept, and from now on everything at once."""
        kept, self._kept = self._kept or [], None
        for record in kept:
            self.handle(record)


def log_to_file(folder: Path, processes: Processes = ALONE) -> Callable[[], None]:
    """Append everything that is logged from now on to ``log.txt`` in a folder, which is made if it is missing.

    Of several processes only the first one logs; the others say only what goes wrong.

    Returns:
        what to call once it is certain that this file is none of those that are read: nothing is written before.
    """
    if not processes.is_first:
        logging.getLogger().setLevel(logging.WARNING)
        return lambda: None
    make_folder(folder)
    path = folder / "log.txt"
    try:
        handler = _LogFile(path)
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror})", "choose a writable folder") from error
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # the screen has the line, the disk is full
    handler.setFormatter(OneLineFormatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler.begin


@contextlib.contextmanager
def begun(settings: Settings, processes: Processes = ALONE) -> Iterator[tuple[Settings, contextlib.ExitStack]]:
    """Make the demo data if they are needed and missing, and keep the output folder for this run until the block ends.

    Yields:
        The settings with what the program is given now, and what else is to end with the run.
    """
    if settings.data.make_if_missing:
        with processes.first_goes_first():
            ensure_demo_data()
    settings = replace(settings, given=looked_again(settings.given, settings.data))
    with contextlib.ExitStack() as owned:
        if processes.is_first:
            owned.enter_context(own_folder(settings.save_path))
        yield settings, owned


def load_encoder(
    model: ModelSettings, encoding: EncodingSettings, processes: Processes = ALONE
) -> tuple[ClipBackbone, PictureEncoder]:
    """The backbone on its device, and its image encoder as the settings want it."""
    if encoding.feature_cache is not None:
        require_folder_place(encoding.feature_cache)
    device = own_device(choose_device(model.device))
    with processes.first_goes_first():  # weights may have to be downloaded
        backbone = load_backbone(model.clip_model, model.clip_weights, device, quick_gelu=model.quick_gelu)
    layers = check_layers(model.layers, backbone.depth)
    logger.info(
        "backbone %s%s on %s, local features of block %s",
        backbone.name,
        " (DEMO backbone)" if backbone.is_demo else "",
        device,
        " ".join(map(str, layers)),
    )
    return backbone, make_encoder(backbone, layers, encoding)


def make_encoder(backbone: ClipBackbone, layers: Sequence[int], encoding: EncodingSettings) -> PictureEncoder:
    """The backbone's image encoder, which gives the local features of these blocks, as the settings want it."""
    return PictureEncoder(
        backbone,
        layers,
        precision=encoding.precision,
        compiled=encoding.compiled,
        pictures_at_once=encoding.pictures_at_once,
        cache_folder=encoding.feature_cache,
    )


def log_encoded(encoder: PictureEncoder, processes: Processes = ALONE) -> None:
    """Say how many pictures had to be encoded, by all processes together."""
    encoded, from_cache = processes.sum(torch.tensor([encoder.encoded, encoder.from_cache])).tolist()
    logger.info("encoded %d pictures, %d from the cache", encoded, from_cache)


def picture_size(data: DataSettings, backbone: ClipBackbone) -> int:
    """The side of the encoder's pictures: the requested one, else the one the model was trained with."""
    return backbone.image_size if data.image_size is None else data.image_size


def list_data(data: DataSettings, class_name: str | None = None, *, with_good: bool = False) -> ListedData:
    """The samples of a class, or of all, found and counted before a model is loaded for them.

    With ``with_good``, also the good scans outside the test split, where the data set has any.

    Raises:
        InputError: the data, the class or the requested views were not found.
    """
    about = settled(data.dataset, data.folder, data.render)
    views = data.views.within_rig(organized=about.organized)
    rendering = RenderingOptions(
        views=views.directions or about.own_directions,
        normals_method=data.normals,
        visibility=data.visibility,
        correspondence=data.correspondence,
        reading=data.reading,
    )
    rendering.require_grid(about)
    listed = list_dataset(
        about, data.folder, class_name=class_name, render=data.render, rendering=rendering, with_good=with_good
    )
    indices = listed.views.chosen(views, organized=about.organized)
    stored = read_settings(data.folder) if data.render == STORED else settings_of(about.name, rendering)
    return ListedData(data, about, listed, indices, stored or {})

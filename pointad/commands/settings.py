"""What train.py, test.py and the programs that inspect scans work with: settings, final once the flags are parsed.

Defaults of the folder and of the weights depend on other flags; everything else is taken over under the name that
the library has for it. Nothing changes a setting afterwards.
"""

import argparse
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.arguments import ACTIVATIONS
from pointad.commands.folder_arguments import chosen_dataset
from pointad.commands.places import demo_data_folder
from pointad.commands.reading_arguments import reading_options
from pointad.commands.rig_arguments import view_choice
from pointad.data.layout import ON_THE_FLY
from pointad.data.view_subset import ViewChoice
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError
from pointad.scans.grid import GRID_SIZE
from pointad.scans.reading_options import ReadingOptions

DEMO_WEIGHTS, REAL_WEIGHTS = "demo", "openai"
RENDERING_FLAGS = (  # of `add_data_arguments`, for --render on_the_fly
    *("normals", "visibility", "correspondence"),
    *("metres_per_unit", "keep_clusters", "good_folder"),
)


@dataclass(frozen=True)
class DataSettings:
    """Which data set, where it is, and how its samples are loaded; the flags of `add_data_arguments`."""

    dataset: DatasetSpecification
    folder: Path
    is_demo: bool  # it is below data/demo
    make_if_missing: bool  # nobody named a folder: the demo data may have to be made first
    render: str  # "stored" or "on_the_fly"
    normals: str
    visibility: str
    correspondence: str
    image_size: int | None  # side of the encoder's pictures in pixels; None: as the model was trained
    grid_size: int  # side of the grid of points
    views: ViewChoice
    num_workers: int  # processes that load samples
    reading: ReadingOptions  # of raw scans

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "DataSettings":
        """The settings that parsed flags ask for; without a folder, the demo data.

        Raises:
            InputError: a flag for rendering is used with stored renderings, or one for these with raw scans.
        """
        given = [name for name in RENDERING_FLAGS if getattr(flags, name) is not None]
        if flags.render == "stored" and given:
            named = ", ".join(f"--{name}" for name in given)
            raise InputError(named, "has no effect on stored renderings", "omit it, or add --render on_the_fly")
        if flags.render == ON_THE_FLY and flags.grid_size != GRID_SIZE:
            problem = f"raw scans are rendered with {GRID_SIZE} pixels a side"
            raise InputError(f"--grid_size {flags.grid_size}", problem, "omit it")
        folder = flags.data_path or demo_data_folder() / "rendered"
        return cls(
            dataset=chosen_dataset(flags),
            folder=folder,
            is_demo=folder.resolve().is_relative_to(demo_data_folder().resolve()),  # which may be a link
            make_if_missing=flags.data_path is None,
            render=flags.render,
            normals=flags.normals or "exact",
            visibility=flags.visibility or "nearest",
            correspondence=flags.correspondence or "truncated",
            image_size=flags.image_size,
            grid_size=flags.grid_size,
            views=view_choice(flags.views, flags.rig),
            num_workers=flags.num_workers,
            reading=reading_options(flags),
        )


@dataclass(frozen=True)
class ModelSettings:
    """Which backbone, from which weights, on which device; the flags of `add_model_arguments`."""

    clip_model: str | None  # an open_clip name; None: the one that the weights belong to
    clip_weights: str  # "demo", "openai", a file or a folder
    quick_gelu: bool | None  # the activation of a file's model; None: what the file or its model says
    device: str
    layers: tuple[int, ...] | None  # blocks of the image encoder, from 1; None: the last one

    @classmethod
    def from_flags(cls, flags: argparse.Namespace, *, default_weights: str) -> "ModelSettings":
        """The settings that parsed flags ask for; ``default_weights`` are taken when no flag names any."""
        return cls(
            clip_model=flags.clip_model,
            clip_weights=flags.clip_weights or default_weights,
            quick_gelu=ACTIVATIONS[flags.clip_activation],
            device=flags.device,
            layers=None if flags.features_list is None else tuple(flags.features_list),
        )

    @classmethod
    def for_data(cls, flags: argparse.Namespace, data: DataSettings) -> "ModelSettings":
        """The same; without a choice of weights, those that suit the data."""
        suits_demo = data.is_demo and flags.clip_model is None
        return cls.from_flags(flags, default_weights=DEMO_WEIGHTS if suits_demo else REAL_WEIGHTS)


@dataclass(frozen=True)
class EncodingSettings:
    """How the image encoder runs, and where its features are kept; the flags of `add_encoding_arguments`."""

    feature_cache: Path | None  # None: features are not kept
    precision: str
    compiled: bool
    pictures_at_once: int | None  # None: as many as suit the device's memory

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "EncodingSettings":
        """The settings that parsed flags ask for."""
        return cls(
            feature_cache=getattr(flags, "feature_cache", None),  # single scans have none
            precision=flags.precision,
            compiled=flags.compile,
            pictures_at_once=flags.pictures_at_once,
        )


@dataclass(frozen=True)
class PromptSettings:
    """The kind and the sizes of the prompts; None: as the checkpoint has it, else the published one."""

    kind: str  # "learned", "object_aware" or "ensemble"
    context_tokens: int | None
    deep_tokens: int | None
    depth: int | None

    @property
    def object_aware(self) -> bool:
        """Whether prompts say the class's name."""
        return self.kind == "object_aware"

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "PromptSettings":
        """The settings that parsed flags ask for."""
        return cls(kind=flags.prompts, context_tokens=flags.n_ctx, deep_tokens=flags.t_n_ctx, depth=flags.depth)


@dataclass(frozen=True)
class ScoringSettings:
    """How maps become scores; the flags of `add_scoring_arguments`."""

    sigma: float  # standard deviation of the smoothing, in points
    fusion: str

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "ScoringSettings":
        """The settings that parsed flags ask for."""
        return cls(sigma=flags.sigma, fusion=flags.fusion)


@dataclass(frozen=True)
class ExperimentSettings:
    """What a run is called, and the fusion of the views; the flags of `add_experiment_arguments`."""

    name: str | None  # of the method in tables; None: by its settings
    data_name: str | None  # of the data in tables; None: what they are
    view_fusion: str
    command: str  # the command line, as it can be typed again

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "ExperimentSettings":
        """The settings that parsed flags ask for."""
        return cls(
            name=flags.name,
            data_name=flags.data_name,
            view_fusion=flags.view_fusion,
            command=shlex.join(["python", *sys.argv] if sys.argv[0].endswith(".py") else sys.argv),
        )


@dataclass(frozen=True)
class DetectorSettings:
    """The prompts and the model of the programs that inspect single scans."""

    checkpoint: Path | None  # None: the demo's prompts
    model: ModelSettings
    encoding: EncodingSettings

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "DetectorSettings":
        """The settings that parsed flags ask for; without a choice of weights, those that suit the prompts."""
        default_weights = DEMO_WEIGHTS if flags.checkpoint_path is None else REAL_WEIGHTS
        return cls(
            checkpoint=flags.checkpoint_path,
            model=ModelSettings.from_flags(flags, default_weights=default_weights),
            encoding=EncodingSettings.from_flags(flags),
        )

"""What scripts/render_dataset.py works with."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.folder_arguments import chosen_dataset
from pointad.commands.reading_arguments import reading_options
from pointad.commands.rig_arguments import view_choice
from pointad.data.layout import ON_THE_FLY
from pointad.data.own_data import settled
from pointad.data.raw import RenderingOptions
from pointad.data.raw_places import refuse_nested
from pointad.data.shards import Shard
from pointad.data.view_subset import chosen_directions
from pointad.datasets.base import DatasetSpecification

CPU = "cpu"


@dataclass(frozen=True)
class RenderSettings:
    """One run of scripts/render_dataset.py."""

    dataset: DatasetSpecification
    archive: Path
    save_path: Path
    classes: tuple[str, ...] | None  # None: all that are there
    good_scans: int | None  # at most so many a class, beside the test split; None: none
    rendering: RenderingOptions
    num_workers: int
    shard: Shard
    overwrite: bool

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "RenderSettings":
        """The settings that parsed flags ask for.

        Raises:
            InputError: the renderings would be written into the archive.
        """
        refuse_nested(flags.data_path, flags.save_path)
        about = settled(chosen_dataset(flags), flags.data_path, ON_THE_FLY)
        directions = chosen_directions(view_choice(flags.views, flags.rig), about.rig, organized=about.organized)
        rendering = RenderingOptions(
            views=directions or about.own_directions,
            point_size=flags.point_pixels,
            normals_method=flags.normals,
            visibility=flags.visibility,
            correspondence=flags.correspondence,
            device=drawing_device(flags.device),
            reading=reading_options(flags),
        )
        rendering.require_grid(about)
        return cls(
            dataset=about,
            archive=flags.data_path,
            save_path=flags.save_path,
            classes=None if flags.classes is None else tuple(flags.classes),
            good_scans=flags.good_scans,
            rendering=rendering,
            num_workers=flags.num_workers,
            shard=flags.shard,
            overwrite=flags.overwrite,
        )


def drawing_device(name: str) -> str | None:
    """The device that PyTorch draws on; None for the CPU, where NumPy does.

    Raises:
        InputError: the device was not found, or does not support rendering.
    """
    if name == CPU:
        return None
    from pointad.compute.device import choose_device  # PyTorch takes seconds to import
    from pointad.rendering.batched_drawing import check_device

    device = choose_device(name)
    check_device(device)
    return None if device.type == CPU else str(device)

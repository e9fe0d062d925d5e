"""What lies beside weights, prompts and lists in place of a file is told: without that file they are read otherwise."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pointad.data.metadata import read_good_scans
from pointad.errors import InputError
from pointad.model.hugging_face import read_configuration
from pointad.model.model_folder import weights_in
from pointad.model.open_clip_configuration import read_open_clip_configuration
from pointad.training.run_folder import read_origin

KINDS: dict[str, Callable[[Path], None]] = {
    "a link that leads nowhere": lambda path: path.symlink_to("gone"),
    "a symbolic link in a loop": lambda path: path.symlink_to(path.name),
    "a named pipe": os.mkfifo,
    "a folder": Path.mkdir,
}
READERS: dict[str, Callable[[Path], object]] = {
    "open_clip_config.json": lambda folder: read_open_clip_configuration(folder / "open_clip_model.safetensors"),
    "config.json": lambda folder: read_configuration({}, folder),
    "model.safetensors": weights_in,
    "epoch_1.json": lambda folder: read_origin(folder / "epoch_1.pth"),
    "run.json": lambda folder: read_origin(folder / "epoch_1.pth"),
    "good_scans.json": read_good_scans,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_not_taken_for_missing(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "epoch_1.pth").write_bytes(b"")
    KINDS[kind](tmp_path / name)
    with pytest.raises(InputError, match=f"{name}: is {kind}"):
        READERS[name](tmp_path)

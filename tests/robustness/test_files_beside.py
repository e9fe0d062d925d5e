"""What lies in place of a file that need not be there is told: without that file, others are read otherwise."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from datasets.miniatures import MINIATURES, write_mvtec
from report.toy_runs import write_losses, write_run

from pointad.data.layout import SampleFiles
from pointad.data.listing import write_metadata
from pointad.data.metadata import read_good_scans
from pointad.data.raw import RenderingOptions, list_raw_samples
from pointad.data.rendered_files import read_nonzero_indices
from pointad.data.rendering_settings import agree_on_settings, read_settings
from pointad.datasets.archive import picture_beside
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.folder import FolderLayout, folder_dataset
from pointad.demo.generation import Generation, agree_on_generation
from pointad.errors import InputError
from pointad.evaluation.sample_outputs import is_unfinished
from pointad.files.existing import is_beside
from pointad.files.regular import regular_file_size
from pointad.files.torch_files import read_kept_state
from pointad.model.hugging_face import read_configuration
from pointad.model.model_folder import weights_in
from pointad.model.open_clip_configuration import read_open_clip_configuration
from pointad.report.belongings import belongings
from pointad.report.runs import Run, SampleScore, find_runs, read_curves, read_losses, read_scores
from pointad.report.samples import JudgedSample, files_of, sample_picture, saved_maps
from pointad.training.run_folder import check_folder, read_origin

KINDS: dict[str, Callable[[Path], None]] = {
    "is a link that leads nowhere": lambda path: path.symlink_to("gone"),
    "is a symbolic link in a loop": lambda path: path.symlink_to(path.name),
    "is a named pipe": os.mkfifo,
    "is a folder": Path.mkdir,
    "cannot be read (Permission denied)": Path.touch,
}
IN_READERS = {"is a link that leads nowhere": "does not exist", "is a named pipe": "is a pipe"}
FOLDERS: dict[str, Callable[[Path], None]] = {**KINDS, "is a file": Path.touch}
del FOLDERS["is a folder"]

MVTEC = "mvtec_pc_3d_rgb"
RENDERED = "tire/test/good"


def finished_run(folder: Path) -> Run:
    return find_runs([folder / "run"])[0]


def sample(folder: Path) -> SampleScore:
    return read_scores(finished_run(folder))[3]


def read_picture(folder: Path) -> None:
    sample_picture(finished_run(folder), JudgedSample(sample(folder), 1.0), None)


def read_scan(folder: Path) -> None:
    files_of(finished_run(folder), sample(folder), folder / "data")


def own_data(folder: Path) -> None:
    read_all(folder_dataset(FolderLayout()), folder)


def read_all(dataset: str | DatasetSpecification, folder: Path) -> None:
    """List the samples, and read the files of each; a broken one of them shall not keep others from being listed."""
    for one in list_raw_samples(dataset, folder):
        for path in (one.rgb_path, one.mask_path):
            if path is not None:
                regular_file_size(path)


def find_picture(folder: Path) -> None:
    path = picture_beside(folder / "pictures", "scan")
    assert path is not None
    regular_file_size(path)


READERS: dict[str, Callable[[Path], object]] = {
    "weights/open_clip_config.json": lambda folder: read_open_clip_configuration(
        folder / "weights/open_clip_model.safetensors"
    ),
    "weights/config.json": lambda folder: read_configuration({}, folder / "weights"),
    "weights/model.safetensors": lambda folder: weights_in(folder / "weights"),
    "prompts/epoch_1.json": lambda folder: read_origin(folder / "prompts/epoch_1.pth"),
    "prompts/epoch_2.json": lambda folder: read_origin(folder / "prompts/epoch_1.pth"),
    "prompts/run.json": lambda folder: read_origin(folder / "prompts/epoch_1.pth"),
    "prompts/./run.json": lambda folder: check_folder(folder / "prompts", {}),
    "prompts/training_state.pt": lambda folder: read_kept_state(
        folder / "prompts/training_state.pt", {}, kind="a state", remedy="remove it"
    ),
    "rendered/good_scans.json": lambda folder: read_good_scans(folder / "rendered"),
    "rendered/rendering.json": lambda folder: read_settings(folder / "rendered"),
    "rendered/./rendering.json": lambda folder: agree_on_settings(folder / "rendered", MVTEC, RenderingOptions()),
    f"rendered/{RENDERED}/rgb/0.png": lambda folder: write_metadata(folder / "rendered", MVTEC),
    f"rendered/{RENDERED}/xyz/0.tiff": lambda folder: write_metadata(folder / "rendered", "folder"),
    f"rendered/{RENDERED}/2d_3d_cor/0/nonzero_indices.npy": lambda folder: read_nonzero_indices(
        folder / "rendered" / RENDERED / "2d_3d_cor/0"
    ),
    "demo/demo_data.json": lambda folder: agree_on_generation(folder / "demo", Generation("mvtec", 0, None), []),
    "tests/unfinished.csv": lambda folder: is_unfinished(folder / "tests"),
    "pictures/scan.jpg": find_picture,
    f"{MVTEC}/tire/test/good/rgb/000.png": partial(read_all, MVTEC),
    f"{MVTEC}/tire/test/good/gt/000.png": partial(read_all, MVTEC),
    "mulsen_pc_3d/light/RGB/GT/color/data.csv": partial(read_all, "mulsen_pc_3d"),
    "realiad_pc_3d_rgb/audio_jack/test/GOOD/gt/rgb/S0001.png": partial(read_all, "realiad_pc_3d_rgb"),
    "adam_pc_3d_rgb/gripper/test/good/rgb/004_C.png": partial(read_all, "adam_pc_3d_rgb"),
    "own/0_mask.png": own_data,
    "run/scores.csv": lambda folder: belongings(finished_run(folder)),
    "run/./scores.csv": sample,
    "run/curves.json": lambda folder: belongings(finished_run(folder)),
    "run/./curves.json": lambda folder: read_curves(finished_run(folder)),
    "training/losses.csv": lambda folder: read_losses(finished_run(folder), [folder]),
    "run/visualization/bear/hole/003.png": read_picture,
    "run/maps/bear/hole/003.npz": lambda folder: saved_maps(finished_run(folder), sample(folder)),
    "data/bear/test/hole/rgb/003.png": read_scan,
    "data/bear/test/hole/gt/003.png": read_scan,
    "data/bear/test/hole/xyz/003.tiff": read_scan,
    "data/bear/test/hole/pcd/003.pcd": read_scan,
}
FOLDERS_READ: dict[str, Callable[[Path], object]] = {
    f"{MVTEC}/tire/test/good/rgb": partial(list_raw_samples, MVTEC),
    f"{MVTEC}/tire/test/good/gt": partial(list_raw_samples, MVTEC),
    f"{MVTEC}/bagel/test": partial(list_raw_samples, MVTEC),
    "mulsen_pc_3d/light/RGB": partial(list_raw_samples, "mulsen_pc_3d"),
    "rendered/cookie/test": lambda folder: write_metadata(folder / "rendered", MVTEC),
    "rendered/tire/test/hole/2d_rendering": lambda folder: write_metadata(folder / "rendered", MVTEC),
    "data/bear/test/hole/2d_rendering/003": read_scan,
    "data/bear/test/hole/2d_3d_cor/003": read_scan,
}
LINKED: dict[str, Callable[[Path], object]] = {
    f"{MVTEC}/bagel": partial(list_raw_samples, MVTEC),
    f"{MVTEC}/tire/test/hole": partial(list_raw_samples, MVTEC),
    "shapenet_pc_3d/pcd/vase9": partial(list_raw_samples, "shapenet_pc_3d"),
    "rendered/cookie": lambda folder: write_metadata(folder / "rendered", MVTEC),
    "rendered/tire/test/hole": lambda folder: write_metadata(folder / "rendered", MVTEC),
    "rendered/tire/test/good/2d_rendering/1": lambda folder: write_metadata(folder / "rendered", MVTEC),
}


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all the readers read; tests read copies of it."""
    folder = tmp_path_factory.mktemp("everything")
    for name in ("weights", "prompts", "demo", "tests", "pictures", "own"):
        (folder / name).mkdir()
    (folder / "prompts/epoch_1.pth").write_bytes(b"")
    (folder / "own/0.xyz").write_text("0 0 0\n")
    (folder / "own/samples.csv").write_text("scan,species,mask\n0.xyz,good,0_mask.png\n")
    for name, write in {**MINIATURES, MVTEC: write_mvtec}.items():
        write(folder / name)
    (folder / MVTEC / "bagel").mkdir()
    files = SampleFiles(folder / "rendered", "tire", "good", "0")
    for place in (files.views, files.views_gt, files.correspondences, files.rgb.parent, files.xyz.parent):
        place.mkdir(parents=True)
    (files.views / "view_0.png").touch()
    (files.views_gt / "view_0_gt.png").touch()
    np.save(files.correspondences / "view_0_cor.npy", np.zeros((1, 3), np.int16))
    write_losses(folder / "training/epoch_2.pth")
    write_run(
        folder / "run",
        save_maps=True,
        visualize=True,
        data_path=str(folder / "data"),
        checkpoint="training/epoch_2.pth",
    )
    return folder


@pytest.fixture
def copied(everything: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of what the reader of a file reads, and returns the folder for the reader."""

    def copy(name: str) -> Path:
        first = name.partition("/")[0]
        for each in ("run", "training", "data") if first in ("run", "training", "data") else (first,):
            shutil.copytree(everything / each, tmp_path / each)
        return tmp_path / first if first in (*MINIATURES, MVTEC, "own") else tmp_path

    return copy


def spoil(path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put something in place of a file or folder, or forbid to look at it."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    {**KINDS, **FOLDERS}[kind](path)
    if kind.startswith("cannot be read"):
        for call in ("stat", "lstat"):
            monkeypatch.setattr(Path, call, forbidding(getattr(Path, call), path))


def forbidding(look: Callable[..., os.stat_result], locked: Path) -> Callable[..., os.stat_result]:
    def looked(path: Path, **options: bool) -> os.stat_result:
        if path == locked or locked in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **options)

    return looked


def told(read: Callable[[Path], object], folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    """What is said while something is read."""
    try:
        read(folder)
    except InputError as error:
        return str(error)
    return "\n".join(caplog.messages)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_not_taken_for_missing(
    name: str,
    kind: str,
    copied: Callable[[str], Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copied(name)
    spoil(tmp_path / name, kind, monkeypatch)
    said = told(READERS[name], folder, caplog)
    assert any(f"{tmp_path / name}: {one}" in said for one in (kind, IN_READERS.get(kind)))


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("name", FOLDERS_READ)
def test_what_is_no_folder_is_not_taken_for_missing(
    name: str,
    kind: str,
    copied: Callable[[str], Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copied(name)
    spoil(tmp_path / name, kind, monkeypatch)
    assert f"{tmp_path / name}: {kind}" in told(FOLDERS_READ[name], folder, caplog)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if " link " in kind])
@pytest.mark.parametrize("name", LINKED)
def test_what_a_link_leads_to_is_not_taken_for_missing(
    name: str,
    kind: str,
    copied: Callable[[str], Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copied(name)
    spoil(tmp_path / name, kind, monkeypatch)
    assert f"{tmp_path / name}: {kind}" in told(LINKED[name], folder, caplog)


@pytest.mark.parametrize("name", ["missing", "missing/below", f"{'long' * 100}", "."])
def test_what_is_missing_is_missing(name: str, tmp_path: Path) -> None:
    assert not is_beside(tmp_path / name / "file")


def test_names_that_no_file_can_have_are_no_links(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a valid path"):
        is_beside(tmp_path / "a\0b")

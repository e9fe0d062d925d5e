"""Archives of which parts are missing or called otherwise: what is left out is told; masks stay with their scans."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets.miniatures import MINIATURES, write_mvtec

from pointad.data.raw import list_raw_samples
from pointad.errors import InputError

MVTEC = "mvtec_pc_3d_rgb"


@pytest.fixture(scope="module")
def whole_archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the miniature of each data set lies."""
    folder = tmp_path_factory.mktemp("whole")
    writers = {**MINIATURES, MVTEC: two_classes}
    for name, write in writers.items():
        write(folder / name)
    return {name: folder / name for name in writers}


def two_classes(root: Path) -> None:
    for class_name in ("bagel", "tire"):
        write_mvtec(root, class_name)


def names_of(name: str, root: Path) -> list[str]:
    return [f"{one.class_name}/{one.species}/{one.identifier}" for one in list_raw_samples(name, root)]


@pytest.mark.parametrize("name", [*MINIATURES, MVTEC])
def test_of_whole_archives_nothing_is_told(
    whole_archives: dict[str, Path], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    list_raw_samples(name, whole_archives[name])
    assert not caplog.messages


@pytest.mark.parametrize(
    ("name", "lost", "told"),
    [
        (MVTEC, "tire/test", "tire: holds no folder test, so it is not a class of this data set and is left out"),
        (
            MVTEC,
            "tire/test/hole/xyz",
            "hole: holds no folder xyz, so it is not a kind of defect of this data set and is left out",
        ),
        (MVTEC, "tire/test/hole/xyz/000.tiff", "1 masks belong to no scan, such as {root}/tire/test/hole/gt/000.png"),
        ("shapenet_pc_3d", "pcd/vase9/test/vase9_bulge1.pcd", "{root}/pcd/vase9/GT/vase9_bulge1.txt; if scans"),
        ("minishift_pc_3d", "nut/test/pit/easy", "1 masks belong to no scan, such as {root}/nut/gt/pit/easy/3.txt"),
        ("mulsen_pc_3d", "light/Pointcloud/test/hole", "such as {root}/light/Pointcloud/GT/hole/0.txt"),
        ("adam_pc_3d_rgb", "gripper/test/Cuts/xyz/004_C.tiff", "{root}/gripper/test/Cuts/ground_truth/004_C.png"),
        ("realiad_pc_3d_rgb", "audio_jack/test/scratch/xyz", "scratch: holds no folder xyz"),
    ],
)
def test_what_is_left_out_is_told(
    whole_archives: dict[str, Path], name: str, lost: str, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives[name], root)
    removed = root / lost
    shutil.rmtree(removed) if removed.is_dir() else removed.unlink()
    list_raw_samples(name, root)
    assert told.format(root=root) in caplog.text


@pytest.mark.parametrize(
    ("name", "folder", "called"),
    [
        (MVTEC, "tire/test/hole/gt", "GT"),
        (MVTEC, "tire/test/hole/rgb", "RGB"),
        ("shapenet_pc_3d", "pcd/vase9/GT", "gt"),
        ("minishift_pc_3d", "nut/gt", "GT"),
        ("minishift_pc_3d", "nut/test/pit/easy", "Easy"),
        ("mulsen_pc_3d", "light/Pointcloud/GT", "gt"),
        ("adam_pc_3d_rgb", "gripper/test/Cuts/ground_truth", "Ground_Truth"),
        ("realiad_pc_3d_rgb", "audio_jack/test/scratch/gt", "GT"),
        ("realiad_pc_3d_rgb", "audio_jack/test/scratch/gt/rgb", "RGB"),
        ("realiad_pc_3d_rgb", "audio_jack/test/scratch/rgb", "RGB"),
        ("shapenet_pc_3d", "pcd/vase9/GT/vase9_bulge1.txt", "vase9_bulge1.TXT"),
        ("minishift_pc_3d", "nut/gt/pit/easy/3.txt", "3.TXT"),
        ("minishift_pc_3d", "nut/gt/pit", "Pit"),
        ("mulsen_pc_3d", "light/Pointcloud/GT/hole/0.txt", "0.TXT"),
        ("mulsen_pc_3d", "light/Pointcloud/GT/hole", "Hole"),
    ],
)
def test_folders_and_files_in_another_case_are_found(
    whole_archives: dict[str, Path], name: str, folder: str, called: str, tmp_path: Path
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives[name], root)
    (root / folder).rename((root / folder).with_name(called))
    assert names_of(name, root) == names_of(name, whole_archives[name])
    samples = list_raw_samples(name, root)
    paths = [path for one in samples for path in (one.rgb_path, one.mask_path) if path is not None]
    assert all(path.exists() for path in paths)
    assert any(called in path.parts for one in samples for path in (*paths, one.scan_path))


@pytest.mark.parametrize(
    ("folder", "called"),
    [("RGB", "rgb"), ("RGB/GT", "gt"), ("RGB/GT/color", "Color"), ("RGB/GT/color/data.csv", "Data.CSV")],
)
def test_what_the_laser_cannot_see_is_found_in_another_case(
    whole_archives: dict[str, Path], folder: str, called: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives["mulsen_pc_3d"], root)
    (root / "light" / folder).rename((root / "light" / folder).with_name(called))
    assert names_of("mulsen_pc_3d", root) == names_of("mulsen_pc_3d", whole_archives["mulsen_pc_3d"])
    assert not caplog.messages


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        (MVTEC, "tire/test/good/xyz"),
        ("shapenet_pc_3d", "pcd/vase9/test"),
        ("minishift_pc_3d", "nut/test/good"),
        ("mulsen_pc_3d", "light/Pointcloud/test/good"),
        ("adam_pc_3d_rgb", "gripper/test/good/xyz"),
        ("realiad_pc_3d_rgb", "audio_jack/test/GOOD/xyz"),
    ],
)
def test_folders_without_scans_are_told(
    whole_archives: dict[str, Path], name: str, folder: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as archives that were unpacked one folder too deep, and downloads that are not finished."""
    root = tmp_path / "raw"
    shutil.copytree(whole_archives[name], root)
    (root / folder).rename(root / "moved")
    (root / folder).mkdir()
    (root / "moved").rename(root / folder / "deeper")
    list_raw_samples(name, root)
    assert f"{root / folder}: holds no scan" in caplog.text


def test_folders_of_no_difficulty_are_told(
    whole_archives: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives["minishift_pc_3d"], root)
    shutil.copytree(root / "nut/test/pit/easy", root / "nut/test/pit/Easy")
    list_raw_samples("minishift_pc_3d", root)
    assert f"{root}/nut/test/pit/Easy: is not the folder of a difficulty (easy, medium, hard)" in caplog.text


def test_minishift_without_difficulties(whole_archives: dict[str, Path], tmp_path: Path) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives["minishift_pc_3d"], root)
    for folder in (root / "nut/test/pit", root / "nut/gt/pit"):
        (folder / "easy" / "3.txt").rename(folder / "7.txt")
    samples = list_raw_samples("minishift_pc_3d", root, classes=["nut"])
    assert [one.species for one in samples] == ["good", "pit", "pit_hard", "pit_medium"]
    assert samples[1].mask_path == root / "nut/gt/pit/7.txt"


def realiad_with_two(root: Path, change: Callable[[Path], None]) -> tuple[Path | None, ...]:
    MINIATURES["realiad_pc_3d_rgb"](root)
    species = root / "audio_jack" / "test" / "scratch"
    change(species)
    samples = [one for one in list_raw_samples("realiad_pc_3d_rgb", root, classes=["audio_jack"]) if one.label]
    return tuple(one.mask_path for one in samples)


def test_a_picture_belongs_to_the_longest_name_that_it_begins_with(tmp_path: Path) -> None:
    def two(species: Path) -> None:
        (species / "xyz/S0001.tiff").rename(species / "xyz/S_1.tiff")
        shutil.copy(species / "xyz/S_1.tiff", species / "xyz/S_1_2.tiff")
        shutil.move(species / "rgb/S0001/top.jpg", species / "rgb/S_1_2_top.jpg")
        (species / "gt/rgb/top.png").rename(species / "gt/rgb/S_1_2_top.png")

    masks = tmp_path / "audio_jack/test/scratch/gt/rgb"
    assert realiad_with_two(tmp_path, two) == (masks / "S_1.png", masks / "S_1_2_top.png")


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    def odd(species: Path) -> None:
        (species / "rgb/S0001/._top.jpg").write_bytes(b"as macOS leaves them")

    masks = tmp_path / "audio_jack/test/scratch/gt/rgb"
    assert realiad_with_two(tmp_path, odd) == (masks / "top.png",)


def test_a_mask_of_several_scans_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def two(species: Path) -> None:
        shutil.copy(species / "xyz/S0001.tiff", species / "xyz/S0002.tiff")
        shutil.copytree(species / "rgb/S0001", species / "rgb/S0002")

    (first, second) = realiad_with_two(tmp_path, two)
    assert first == second
    assert f"1 masks are each shared by several scans, such as {first} by 2" in caplog.text


def test_masks_in_folders_of_their_scans(tmp_path: Path) -> None:
    def two(species: Path) -> None:
        shutil.copy(species / "xyz/S0001.tiff", species / "xyz/S0002.tiff")
        shutil.copytree(species / "rgb/S0001", species / "rgb/S0002")
        for name in ("S0001", "S0002"):
            (species / "gt/rgb" / name).mkdir()
            shutil.copy(species / "gt/rgb/top.png", species / "gt/rgb" / name / "top.png")

    masks = tmp_path / "audio_jack/test/scratch/gt/rgb"
    assert realiad_with_two(tmp_path, two) == (masks / "S0001/top.png", masks / "S0002/top.png")


def test_empty_folders_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    two_classes(tmp_path)
    for kind in ("xyz", "gt"):
        (tmp_path / f"tire/test/hole/{kind}/000.{'tiff' if kind == 'xyz' else 'png'}").unlink()
    shutil.rmtree(tmp_path / "bagel/test")
    (tmp_path / "bagel/test").mkdir()
    assert names_of(MVTEC, tmp_path) == ["tire/good/000"]
    empty = [tmp_path / "bagel/test", tmp_path / "tire/test/hole/xyz"]
    assert caplog.messages == [f"{folder}: is empty, so no samples of it are listed" for folder in empty]


@pytest.mark.parametrize("name", ["tire", "lost+found"])
def test_folders_that_cannot_be_read_are_told(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_classes(tmp_path)
    (tmp_path / "lost+found").mkdir()
    stat = Path.stat
    closed = tmp_path / name / "test"

    def locked(path: Path, **options: bool) -> os.stat_result:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", locked)
    monkeypatch.setattr(Path, "lstat", lambda path: locked(path, follow_symlinks=False))
    listed = names_of(MVTEC, tmp_path)
    told = f"{closed}: cannot be read (Permission denied); check the permissions of its folder; tire is left out"
    assert caplog.messages == ([told] if name == "tire" else [])
    assert {one.partition("/")[0] for one in listed} == {"bagel", "tire"} - {name}


def test_folders_that_a_disk_fails_to_give_are_not_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_classes(tmp_path)
    stat = Path.stat

    def failing(path: Path, **options: bool) -> os.stat_result:
        if path == tmp_path / "tire/test":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", failing)
    with pytest.raises(InputError, match=r"tire/test: cannot be read \(Input/output error\); check the disk"):
        names_of(MVTEC, tmp_path)


@pytest.mark.parametrize(
    ("name", "scan"),
    [
        (MVTEC, "tire/test/hole/xyz/000.tiff"),
        ("shapenet_pc_3d", "pcd/vase9/test/vase9_bulge1.pcd"),
        ("minishift_pc_3d", "nut/test/good/0.txt"),
        ("minishift_pc_3d", "nut/test/pit/easy/3.txt"),
        ("mulsen_pc_3d", "light/Pointcloud/test/hole/0.stl"),
        ("adam_pc_3d_rgb", "gripper/test/Cuts/xyz/004_C.tiff"),
        ("realiad_pc_3d_rgb", "audio_jack/test/scratch/xyz/S0001.tiff"),
    ],
)
def test_scans_deeper_than_others_are_told(
    whole_archives: dict[str, Path], name: str, scan: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives[name], root)
    for folder in ("more", ".hidden"):
        deeper = root / Path(scan).parent / folder
        deeper.mkdir()
        shutil.copy(root / scan, deeper)
    assert names_of(name, root) == names_of(name, whole_archives[name])
    more = root / Path(scan).parent / "more"
    assert caplog.messages == [f"{more}: its scans lie one folder deeper than those beside it, and are left out"]


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("shapenet_pc_3d", "pcd/vase9/GT/vase9_positive3.txt"),
        ("minishift_pc_3d", "nut/gt/good/0.txt"),
        ("mulsen_pc_3d", "light/Pointcloud/GT/good/0.txt"),
    ],
)
def test_labels_of_good_clouds_are_told(
    whole_archives: dict[str, Path], name: str, mask: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(whole_archives[name], root)
    (root / mask).parent.mkdir(exist_ok=True)
    (root / mask).write_text("1\n")
    assert names_of(name, root) == names_of(name, whole_archives[name])
    assert caplog.messages == [
        f"1 masks of scans that count as good are not read, such as {root / mask}: nothing of these is anomalous"
    ]

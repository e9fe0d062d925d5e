"""scripts/render_dataset.py on raw archives with broken scans: these are reported and counted, the others rendered."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from robustness.invocation import assert_one_error_line, files_below, invoke, render
from robustness.spoiling import empty, linked_copy, remove, replace, truncate

pytestmark = pytest.mark.usefixtures("ready_backbone")

MVTEC, EYECANDIES, REAL3D = "mvtec_pc_3d_rgb", "eye_pc_3d_rgb", "real_pc_3d_rgb"
Spoil = Callable[[Path], object]

XYZ, RGB, GT = (Path(f"gear/test/pit/{kind}") for kind in ("xyz/001.tiff", "rgb/001.png", "gt/001.png"))
DATA = Path("gear/test_public/data")
DEPTH, POSE = DATA / "001_depth.png", DATA / "001_pose.txt"
LIMITS, SAYS = DATA / "001_info_depth.yaml", DATA / "001_metadata.yaml"
CLOUD, TRUTH = Path("gear/test/0_good.pcd"), Path("gear/gt/1_bulge.txt")


def text(content: str) -> Spoil:
    return lambda path: replace(path, content.encode())


def scan(change: Callable[[np.ndarray], np.ndarray]) -> Spoil:
    def write(path: Path) -> None:
        xyz = change(tifffile.imread(path))
        path.unlink()
        tifffile.imwrite(path, xyz, photometric="rgb" if xyz.shape[-1:] == (3,) else "minisblack")

    return write


def two_points(xyz: np.ndarray) -> np.ndarray:
    kept = np.zeros_like(xyz)
    kept[200, 200:202] = [[0.0, 0.0, 0.5], [0.001, 0.0, 0.5]]
    return kept


def rows(count: int, form: Callable[[int], str]) -> Spoil:
    return text("\n".join(form(number) for number in range(count)))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def without_last_rows(path: Path) -> None:
    replace(path, b"".join(path.read_bytes().splitlines(keepends=True)[:-10]))


def in_metres(path: Path) -> None:
    values = np.loadtxt(path)
    path.unlink()
    np.savetxt(path, values * [0.001, 0.001, 0.001, 1])


def column_by_column(path: Path) -> None:
    pose = np.loadtxt(path)
    path.unlink()
    np.savetxt(path, pose.T)


def picture(mode: str, suffix: str, color: object = 1) -> Spoil:
    def write(path: Path) -> None:
        size = Image.open(path).size if suffix == "PNG" else (400, 400)
        path.unlink()
        Image.new(mode, size, color).save(path, suffix)  # type: ignore[arg-type]

    return write


def small_picture(path: Path) -> None:
    path.unlink()
    Image.new("L", (20, 30)).save(path)


CASES = [
    (MVTEC, XYZ, pipe, "001.tiff"),
    (MVTEC, XYZ, picture("RGB", "TIFF", (9, 8, 7)), "8-bit image"),
    (MVTEC, RGB, pipe, "001.png"),
    (MVTEC, RGB, picture("RGB", "PPM"), "give a PNG"),
    (MVTEC, GT, picture("L", "PNG"), "marks every pixel"),
    (EYECANDIES, DEPTH, picture("L", "PNG"), "8-bit"),
    (EYECANDIES, POSE, pipe, "001_pose.txt"),
    (EYECANDIES, LIMITS, pipe, "001_info_depth.yaml"),
    (REAL3D, CLOUD, pipe, "0_good.pcd"),
    (REAL3D, TRUTH, pipe, "1_bulge.txt"),
    (REAL3D, TRUTH, without_last_rows, "rows, but 1_bulge.pcd"),
    (REAL3D, TRUTH, in_metres, "covers another region"),
    (MVTEC, XYZ, truncate, "001.tiff"),
    (MVTEC, XYZ, empty, "001.tiff"),
    (MVTEC, XYZ, text("no TIFF"), "001.tiff"),
    (MVTEC, XYZ, scan(lambda xyz: xyz[..., 0]), "001.tiff"),
    (MVTEC, XYZ, scan(np.zeros_like), "001.tiff"),
    (MVTEC, XYZ, scan(lambda xyz: np.full_like(xyz, np.nan)), "001.tiff"),
    (MVTEC, XYZ, scan(lambda xyz: np.full_like(xyz, np.inf)), "001.tiff"),
    (MVTEC, XYZ, scan(two_points), "001.tiff"),
    (MVTEC, XYZ, scan(lambda xyz: xyz * 0 + np.float32([0, 0, 0.5])), "001.tiff"),
    (MVTEC, RGB, truncate, "001.png"),
    (MVTEC, RGB, small_picture, "001.png"),
    (MVTEC, GT, remove, "001.png"),
    (MVTEC, GT, empty, "001.png"),
    (MVTEC, GT, small_picture, "001.png"),
    (EYECANDIES, DEPTH, truncate, "001_depth.png"),
    (EYECANDIES, DEPTH, empty, "001_depth.png"),
    (EYECANDIES, LIMITS, remove, "001_info_depth.yaml"),
    (EYECANDIES, LIMITS, empty, "001_info_depth.yaml"),
    (EYECANDIES, LIMITS, text("normalization: [1"), "001_info_depth.yaml"),
    (EYECANDIES, LIMITS, text("normalization: {min: 1}"), "001_info_depth.yaml"),
    (EYECANDIES, LIMITS, text("normalization: {min: one, max: .nan}"), "001_info_depth.yaml"),
    (EYECANDIES, LIMITS, text("normalization: {min: 1e999, max: 2}"), "001_info_depth.yaml"),
    (EYECANDIES, LIMITS, text("!!python/object/apply:os.system ['touch witness']"), "001_info_depth.yaml"),
    (EYECANDIES, POSE, truncate, "001_pose.txt"),
    (EYECANDIES, POSE, text("0 " * 16), "001_pose.txt"),
    (EYECANDIES, POSE, text("\n".join(["0 0 0 0"] * 4)), "001_pose.txt"),
    (EYECANDIES, POSE, text("\n".join(["nan nan nan nan"] * 4)), "001_pose.txt"),
    (EYECANDIES, POSE, column_by_column, "001_pose.txt"),
    (EYECANDIES, DATA / "001_image_4.png", truncate, "001_image_4.png"),
    (EYECANDIES, DATA / "001_mask.png", remove, "001_mask.png"),
    (REAL3D, CLOUD, truncate, "0_good.pcd"),
    (REAL3D, CLOUD, empty, "0_good.pcd"),
    (REAL3D, CLOUD, text("FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 1000000000000\nDATA binary\n"), "0_good.pcd"),
    (REAL3D, CLOUD, text("FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 1\nDATA ascii\n1 2 3\n"), "0_good.pcd"),
    (REAL3D, TRUTH, remove, "1_bulge.txt"),
    (REAL3D, TRUTH, truncate, "1_bulge.txt"),
    (REAL3D, TRUTH, rows(50, lambda n: f"{n} 1"), "1_bulge.txt"),
    (REAL3D, TRUTH, rows(50, lambda n: f"{n} 1 2"), "1_bulge.txt"),
    (REAL3D, TRUTH, rows(50, lambda n: "nan inf 1 0"), "1_bulge.txt"),
    (REAL3D, TRUTH, rows(50, lambda n: "1 1 1 0"), "1_bulge.txt"),
]


@pytest.mark.parametrize(("dataset", "path", "spoil", "named"), CASES)
def test_one_broken_scan(
    dataset: str,
    path: Path,
    spoil: Spoil,
    named: str,
    raw_archives: dict[str, Path],
    rendered_archives: dict[str, Path],
    tmp_path: Path,
) -> None:
    source = linked_copy(raw_archives[dataset], tmp_path / "raw")
    spoil(source / path)
    output = linked_copy(rendered_archives[dataset], tmp_path / "out")
    anomalous = path != CLOUD
    (views,) = (p for p in output.glob("gear/test/*/2d_rendering/*") if ("good" not in p.parts) == anomalous)
    remove(views)
    ending = render(dataset, source, output)
    assert ending.code == 2
    (line,) = re.findall(r"failed: .*", ending.err)
    assert named in line and ";" in line
    assert "0 scans rendered, 1 already finished, 1 failed" in ending.out
    assert "1 sample of 1 class listed" in ending.out
    assert "Traceback" not in ending.err + ending.out
    assert not views.exists()
    assert not (Path.cwd() / "witness").exists()


def test_renderings_that_no_longer_agree_with_the_archive_are_told(
    raw_archives: dict[str, Path], rendered_archives: dict[str, Path], tmp_path: Path
) -> None:
    source = linked_copy(raw_archives[MVTEC], tmp_path / "raw")
    output = linked_copy(rendered_archives[MVTEC], tmp_path / "out")
    ending = render(MVTEC, source, output)
    assert "changed since" not in ending.err and "not in the raw data set" not in ending.err
    replace(source / XYZ, (source / XYZ).read_bytes())
    (views,) = output.glob("gear/test/pit/2d_rendering/*")
    os.utime(source / XYZ, (views.stat().st_mtime + 5,) * 2)
    ending = render(MVTEC, source, output)
    assert "2 already finished" in ending.out
    assert (
        f"1 finished scans have changed since, or have other pictures or masks, such as {source / XYZ}; " in ending.err
    )
    (source / "gear/test/pit").rename(source / "gear/test/lump")
    ending = render(MVTEC, source, output)
    assert "3 samples of 1 class listed" in ending.out
    assert f"1 listed samples are not in the raw data set, such as {views}; remove" in ending.err
    (source / "gear").rename(source / "wheel")
    ending = render(MVTEC, source, output)
    assert f"{output}: lists classes that are not in {source}: gear; tests will count them" in ending.err


def test_the_others_are_rendered(
    raw_archives: dict[str, Path], rendered_archives: dict[str, Path], tmp_path: Path
) -> None:
    source = linked_copy(raw_archives[MVTEC], tmp_path / "raw")
    truncate(source / XYZ)
    ending = render(MVTEC, source, tmp_path / "out")
    assert ending.code == 2
    assert "1 scan rendered, 0 already finished, 1 failed" in ending.out
    assert files_below(tmp_path / "out" / "gear/test/good") == files_below(rendered_archives[MVTEC] / "gear/test/good")
    assert not files_below(tmp_path / "out" / "gear/test/pit")


@pytest.mark.parametrize(
    ("spoil", "flags", "named"),
    [
        (remove, (), "raw"),
        (lambda root: [remove(root), root.write_text("")], (), "raw"),
        (lambda root: [remove(root), root.mkdir()], (), "raw"),
        (lambda root: [remove(p) for p in root.glob("gear/test/*")], (), "raw"),
        (lambda root: None, ("--classes", "gear", "bagel"), "bagel"),
    ],
    ids=["no folder", "a file", "empty folder", "class without scans", "class that is not there"],
)
def test_no_archive(
    spoil: Spoil, flags: tuple[str, ...], named: str, raw_archives: dict[str, Path], tmp_path: Path
) -> None:
    source = linked_copy(raw_archives[MVTEC], tmp_path / "raw")
    spoil(source)
    ending = render(MVTEC, source, tmp_path / "out", *flags)
    assert_one_error_line(ending, named)
    assert not (tmp_path / "out").exists()


def test_broken_metadata_of_a_scan_are_named(raw_archives: dict[str, Path], tmp_path: Path) -> None:
    source = linked_copy(raw_archives[EYECANDIES], tmp_path / "raw")
    replace(source / SAYS, b"anomalous: [")
    assert_one_error_line(render(EYECANDIES, source, tmp_path / "out"), SAYS.name)


def test_testing_on_the_fly_names_the_scan(
    raw_archives: dict[str, Path], tmp_path: Path, test_flags: tuple[object, ...]
) -> None:
    source = linked_copy(raw_archives[MVTEC], tmp_path / "raw")
    truncate(source / XYZ)
    flags = ("--data_path", source, "--render", "on_the_fly", "--save_path", tmp_path / "out", *test_flags)
    assert_one_error_line(invoke("test.py", *flags), "001.tiff")

"""Rendered folders: round trip, other integer types, kills at any moment, and files that are broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointad.data import layout, rendered_files
from pointad.data.layout import SampleFiles
from pointad.errors import InputError
from pointad.files.pictures import read_picture
from pointad.rendering.rendered_sample import RenderedSample

VIEWS = 3


@pytest.fixture
def sample() -> RenderedSample:
    rng = np.random.default_rng(0)
    correspondences = rng.integers(0, 336, (VIEWS, 50, 3)).astype(np.int16)
    correspondences[..., 2] %= 2
    pictures = rng.integers(0, 256, (2, VIEWS, 16, 16)).astype(np.uint8)
    places = np.sort(rng.choice(336 * 336, 50, replace=False)).astype(np.int32)
    return RenderedSample(pictures[0], pictures[1], correspondences, places)


@pytest.fixture
def files(tmp_path: Path) -> SampleFiles:
    return SampleFiles(tmp_path, "bagel", "hole", "004")


def test_round_trip(files: SampleFiles, sample: RenderedSample) -> None:
    assert not layout.is_finished(files, VIEWS)
    rendered_files.write_rendered_sample(files, sample)
    assert layout.is_finished(files, VIEWS) and not layout.is_finished(files, VIEWS + 1)
    order = (2, 0)
    views = rendered_files.read_views(files.views, order)
    np.testing.assert_array_equal(views, np.repeat(sample.views[[2, 0]][..., None], 3, axis=-1))
    np.testing.assert_array_equal(rendered_files.read_views_gt(files.views_gt, order), sample.views_gt[[2, 0]])
    read = rendered_files.read_correspondences(files.correspondences, order)
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, sample.correspondences[[2, 0]])
    np.testing.assert_array_equal(rendered_files.read_nonzero_indices(files.correspondences), sample.nonzero_indices)
    assert np.load(files.correspondences / "view_0_cor.npy").dtype == np.int16
    names = sorted(path.name for path in files.folder.rglob("*"))
    assert names == sorted(
        ["2d_rendering", "2d_gt", "2d_3d_cor", "004", "004", "004", "nonzero_indices.npy"]
        + [f"view_{k}{ending}" for k in range(VIEWS) for ending in (".png", "_gt.png", "_cor.npy")]
    )


@pytest.mark.parametrize("dtype", ["<i8", ">i8", "<i4", "<i2", "<u2", "<u4", "<u8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_integer_type(files: SampleFiles, sample: RenderedSample, dtype: str, order: str) -> None:
    files.correspondences.mkdir(parents=True)
    for number, view in enumerate(sample.correspondences):
        np.save(files.correspondences / f"view_{number}_cor.npy", np.array(view, dtype=dtype, order=order))
    np.save(files.correspondences / "nonzero_indices.npy", sample.nonzero_indices.astype(dtype.replace("2", "4")))
    read = rendered_files.read_correspondences(files.correspondences, range(VIEWS))
    np.testing.assert_array_equal(read, sample.correspondences)
    np.testing.assert_array_equal(rendered_files.read_nonzero_indices(files.correspondences), sample.nonzero_indices)


def test_no_indices_for_unorganized_clouds(files: SampleFiles, sample: RenderedSample) -> None:
    rendered_files.write_rendered_sample(files, RenderedSample(sample.views, sample.views_gt, sample.correspondences))
    assert rendered_files.read_nonzero_indices(files.correspondences) is None


def test_killed_at_any_moment(files: SampleFiles, sample: RenderedSample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever write is the last one, the sample looks unfinished until all is there, and the next run completes it."""

    class Killed(BaseException):
        pass

    write_png, save = rendered_files.write_png, np.save
    moment = 0
    while True:
        left = moment

        def count(write, left_at_start=moment):  # type: ignore[no-untyped-def]
            def counted(path: Path, values: np.ndarray) -> None:
                nonlocal left
                if left == 0:
                    Path(path).write_bytes(b"half")
                    raise Killed
                left -= 1
                write(path, values)

            return counted

        monkeypatch.setattr(rendered_files, "write_png", count(write_png))
        monkeypatch.setattr(np, "save", count(save))
        try:
            rendered_files.write_rendered_sample(files, sample)
        except Killed:
            assert not layout.is_finished(files, VIEWS) and not files.views.exists()
            moment += 1
        else:
            break
    assert moment == 3 * VIEWS + 1
    assert layout.is_finished(files, VIEWS)
    np.testing.assert_array_equal(rendered_files.read_views_gt(files.views_gt, range(VIEWS)), sample.views_gt)
    assert not list(files.folder.rglob(".*"))


def test_replacing_a_finished_sample(files: SampleFiles, sample: RenderedSample) -> None:
    rendered_files.write_rendered_sample(files, sample)
    fewer = RenderedSample(sample.views[:1], sample.views_gt[:1], sample.correspondences[:1, :7])
    rendered_files.write_rendered_sample(files, fewer)
    assert len(list(files.views.iterdir())) == len(list(files.correspondences.iterdir())) == 1
    assert rendered_files.read_nonzero_indices(files.correspondences) is None


def saved(folder: Path, name: str, values: np.ndarray, **options: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / name, values, **options)
    return folder


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((5, 3)),
        np.zeros((5, 3), bool),
        np.zeros((5, 2), int),
        np.zeros(15, int),
        np.full((5, 3), -1),
        np.full((5, 3), 40_000),
        np.full((5, 3), 2),
        np.array([[{}] * 3] * 5, dtype=object),
    ],
    ids=["floats", "booleans", "two columns", "flat", "negative", "far away", "visibility 2", "objects"],
)
def test_wrong_correspondences(tmp_path: Path, values: np.ndarray) -> None:
    saved(tmp_path, "view_0_cor.npy", values)
    with pytest.raises(InputError, match=r"view_0_cor\.npy"):
        rendered_files.read_correspondences(tmp_path, [0])


def test_views_of_different_length(tmp_path: Path) -> None:
    saved(tmp_path, "view_0_cor.npy", np.zeros((5, 3), int))
    saved(tmp_path, "view_1_cor.npy", np.zeros((6, 3), int))
    with pytest.raises(InputError, match=r"view_1_cor\.npy.*\(6, 3\).*view_0_cor\.npy"):
        rendered_files.read_correspondences(tmp_path, [0, 1])


@pytest.mark.parametrize("values", [np.zeros((5, 1), int), np.array([-1]), np.array([2**40]), np.zeros(3)])
def test_wrong_indices(tmp_path: Path, values: np.ndarray) -> None:
    saved(tmp_path, "nonzero_indices.npy", values)
    with pytest.raises(InputError, match=r"nonzero_indices\.npy"):
        rendered_files.read_nonzero_indices(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PNG", None])
def test_broken_pictures(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "view_0.png").write_bytes(content)
    with pytest.raises(InputError, match=r"view_0\.png"):
        rendered_files.read_views(tmp_path, [0])


def test_sizes_are_compared_before_pictures_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "view_0.png")
    assert rendered_files.read_views(tmp_path, [0]).shape == (1, 20, 30, 3)
    monkeypatch.setattr(rendered_files, "read_picture", lambda *_: pytest.fail("decoded"))
    with pytest.raises(InputError, match=r"view_0\.png: holds a picture of 30 x 20 pixels, expected 336 x 336"):
        rendered_files.read_views(tmp_path, [0], 336)


def test_pictures_in_folders_of_impossible_names(tmp_path: Path) -> None:
    """Lists may name any folder."""
    for name in ("a" * 300, "a\0b"):
        with pytest.raises(InputError, match=r"name that is too long|is not a valid path"):
            rendered_files.read_views(tmp_path / name, [0], 336)


def test_truncated_and_huge_pictures(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.png"):
        read_picture(tmp_path / "a.png", "RGB")
    Image.new("1", (20_000, 10)).save(tmp_path / "wide.png")
    with pytest.raises(InputError, match="20000 x 10"):
        read_picture(tmp_path / "wide.png", "RGB")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_masks_of_every_depth(tmp_path: Path, mode: str) -> None:
    expected = np.zeros((12, 10), np.uint8)
    expected[3:5, 2:7] = 255
    if mode == "I;16":
        picture = Image.fromarray(expected.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(expected).convert(mode)
    picture.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(rendered_files.read_mask(tmp_path / "mask.png"), expected)


def test_masks_with_small_values(tmp_path: Path) -> None:
    expected = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(expected).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(rendered_files.read_mask(tmp_path / "mask.png"), np.where(expected > 0, 255, 0))

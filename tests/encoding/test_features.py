"""Features of batches: the same whatever the chunks, the batches and the cache; counted; in several precisions."""

import errno
import os
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest
import torch
from small_engine import IMAGE_SIZE, VIEWS, random_scan, small_backbone, small_dataset

from pointad.commands.cache_upkeep import look_after, remove_damaged
from pointad.compute.precision import BF16, FP16, computing_in, supported_precisions, with_rounded_matrices
from pointad.data.batch import collate
from pointad.data.dataset import MultiViewDataset
from pointad.encoding.feature_cache import FeatureCache, PictureFeatures, evict, list_entries, read_entry
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.vision import encode_images

PICTURES = VIEWS + 1  # of a sample, the RGB picture counted in
DATASET = small_dataset({"cube": 3})
BATCH = collate([DATASET[0], DATASET[1], DATASET[2]])


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return small_backbone()


def assert_same(found: SampleFeatures, expected: SampleFeatures, tolerance: float = 0) -> None:
    for field in fields(SampleFeatures):
        torch.testing.assert_close(
            getattr(found, field.name), getattr(expected, field.name), rtol=0, atol=tolerance, msg=field.name
        )


@pytest.mark.parametrize("pictures_at_once", [1, 2, 100])
def test_chunks_change_nothing(backbone: ClipBackbone, pictures_at_once: int) -> None:
    encoder = PictureEncoder(backbone, [1, 3], pictures_at_once=pictures_at_once)
    expected = PictureEncoder(backbone, [1, 3]).encode(BATCH)
    assert expected.views_patches.shape == (3, VIEWS, 2, (IMAGE_SIZE // 14) ** 2, backbone.embedding_dim)
    assert_same(encoder.encode(BATCH), expected, 1e-6)
    assert encoder.encoded == 3 * PICTURES and encoder.from_cache == 0


def test_samples_do_not_depend_on_their_batch(backbone: ClipBackbone) -> None:
    together = PictureEncoder(backbone).encode(BATCH)
    assert_same(PictureEncoder(backbone).encode(collate([DATASET[1]])), together.sample(1), 1e-6)


def test_features_have_unit_length(backbone: ClipBackbone) -> None:
    features = PictureEncoder(backbone).encode(BATCH)
    torch.testing.assert_close(features.views_patches.norm(dim=-1), torch.ones(features.views_patches.shape[:-1]))


def test_without_color(backbone: ClipBackbone) -> None:
    dataset = small_dataset({"cube": 1}, with_color=False)
    features = PictureEncoder(backbone).encode(collate([dataset[0]]))
    assert features.color_global is None and features.color_patches is None


def test_a_batch_without_pictures_is_refused(backbone: ClipBackbone) -> None:
    without = type(BATCH)(**{**vars(BATCH), "views": None})
    with pytest.raises(InputError, match="without pictures"):
        PictureEncoder(backbone).encode(without)


@pytest.mark.parametrize("precision", [BF16, FP16])
def test_half_precision_stays_near(backbone: ClipBackbone, precision: str) -> None:
    if precision not in supported_precisions(torch.device("cpu")):
        with pytest.raises(InputError, match=precision):
            PictureEncoder(backbone, precision=precision)
        return
    features = PictureEncoder(backbone, precision=precision).encode(BATCH)
    expected = PictureEncoder(backbone).encode(BATCH)
    assert features.views_patches.dtype == torch.float32
    assert_same(features, expected, 0.02)
    assert not torch.equal(features.views_patches, expected.views_patches)


@pytest.mark.parametrize("precision", [BF16, FP16])
def test_rounding_the_weights_once_is_as_near_as_rounding_them_always(backbone: ClipBackbone, precision: str) -> None:
    """Autocast rounds frozen weights in every call, which took far longer than the products on CPUs."""
    if precision not in supported_precisions(torch.device("cpu")):
        pytest.skip(f"{precision} is not supported on this CPU")
    before = {name: entry.clone() for name, entry in backbone.state_dict().items()}
    images = torch.randn(2, 3, backbone.image_size, backbone.image_size, generator=torch.Generator().manual_seed(0))
    rounded = with_rounded_matrices(backbone.vision, precision)
    with computing_in(precision, torch.device("cpu")):
        ours, plain = encode_images(rounded, images), backbone.encode_images(images)
    exact = backbone.encode_images(images)
    for name in ("global_features", "patch_features"):
        rounding = (getattr(plain, name) - getattr(exact, name)).abs().max()
        assert (getattr(ours, name) - getattr(plain, name)).abs().max() <= 2 * rounding
        assert (getattr(ours, name) - getattr(exact, name)).abs().max() <= 2 * rounding
    assert any(parameter.dtype != torch.float32 for parameter in rounded.parameters())
    for name, entry in backbone.state_dict().items():
        assert torch.equal(entry, before[name])


def test_unknown_precision(backbone: ClipBackbone) -> None:
    with pytest.raises(InputError, match="int4"):
        PictureEncoder(backbone, precision="int4")


def test_cache_gives_what_was_encoded(backbone: ClipBackbone, tmp_path: Path) -> None:
    first, second = (PictureEncoder(backbone, cache_folder=tmp_path) for _ in range(2))
    encoded = first.encode(BATCH)
    assert_same(second.encode(BATCH), encoded)
    assert (first.encoded, first.from_cache) == (3 * PICTURES, 0)
    assert (second.encoded, second.from_cache) == (0, 3 * PICTURES)
    assert_same(encoded, PictureEncoder(backbone).encode(BATCH), 2**-11)  # patch features in float16


def test_pictures_that_are_there_are_not_encoded_again(backbone: ClipBackbone, tmp_path: Path) -> None:
    encoder = PictureEncoder(backbone, cache_folder=tmp_path)
    encoder.encode(collate([DATASET[1]]))
    encoder.encode(BATCH)
    assert (encoder.encoded, encoder.from_cache) == (3 * PICTURES, PICTURES)


def test_anything_else_meets_no_old_feature(backbone: ClipBackbone, tmp_path: Path) -> None:
    PictureEncoder(backbone, cache_folder=tmp_path).encode(BATCH)
    others = [PictureEncoder(small_backbone(seed=1), cache_folder=tmp_path)]
    others.append(PictureEncoder(backbone, [1], cache_folder=tmp_path))
    if BF16 in supported_precisions(torch.device("cpu")):
        others.append(PictureEncoder(backbone, precision=BF16, cache_folder=tmp_path))
    for other in others:
        other.encode(BATCH)
        assert (other.encoded, other.from_cache) == (3 * PICTURES, 0)
    repainted = MultiViewDataset(DATASET.sources, partial(random_scan, repaint=1), DATASET.options)
    encoder = PictureEncoder(backbone, cache_folder=tmp_path)
    encoder.encode(collate([repainted[0]]))
    assert encoder.encoded == PICTURES


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "swapped"])
def test_damaged_files_are_encoded_again(
    backbone: ClipBackbone, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    expected = PictureEncoder(backbone, cache_folder=tmp_path).encode(BATCH)
    path, other = (entry.path for entry in list_entries(tmp_path)[:2])
    content = path.read_bytes()
    damaged = {
        "truncated": content[:-100],
        "changed": content[:-1] + bytes([content[-1] ^ 1]),
        "empty": b"",
        "swapped": other.read_bytes(),
    }
    path.write_bytes(damaged[damage])
    encoder = PictureEncoder(backbone, cache_folder=tmp_path)
    found = encoder.encode(BATCH)
    assert str(path) in caplog.text
    assert (encoder.encoded, encoder.from_cache) == (1, 3 * PICTURES - 1)
    assert_same(found, expected, 2**-11)  # alone in its chunk a picture may be rounded the other way
    again = PictureEncoder(backbone, cache_folder=tmp_path)
    assert_same(again.encode(BATCH), found)
    assert again.encoded == 0


@pytest.mark.parametrize("change", ["width", "patches", "layers", "not finite"])
def test_foreign_entries_are_encoded_again(
    backbone: ClipBackbone, tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = PictureEncoder(backbone, cache_folder=tmp_path)
    expected = encoder.encode(BATCH)
    path = list_entries(tmp_path)[0].path
    own = read_entry(path)
    foreign = {
        "width": (own.global_features[:5], own.patch_features[..., :5]),
        "patches": (own.global_features, own.patch_features[:, :-1]),
        "layers": (own.global_features, torch.cat([own.patch_features, own.patch_features])),
        "not finite": (own.global_features * torch.nan, own.patch_features),
    }
    cache = FeatureCache(tmp_path, fingerprint="any", layers=[1], precision="fp32")
    cache.write(path.stem, PictureFeatures(*foreign[change]))
    found = PictureEncoder(backbone, cache_folder=tmp_path).encode(BATCH)
    assert f"{path}: damaged" in caplog.text
    assert_same(found, expected, 2**-11)


def test_an_unwritable_cache_is_named(backbone: ClipBackbone, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        PictureEncoder(backbone, cache_folder=tmp_path / "file").encode(BATCH)


def test_size_is_stated_before_anything_is_written(
    backbone: ClipBackbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = tmp_path / "not" / "yet"
    encoder = PictureEncoder(backbone, [1, 2, 3], cache_folder=folder)
    encoder.expect(1000, PICTURES, IMAGE_SIZE)
    assert not folder.exists()
    encoder.encode(BATCH)
    stated = float(caplog.text.split("take up to ")[1].split(" GB")[0]) * 1e9
    written = sum(entry.size for entry in list_entries(folder)) / len(BATCH.class_name) * 1000
    assert written == pytest.approx(stated, rel=0.1)


def test_eviction_begins_with_what_was_not_used_for_longest(backbone: ClipBackbone, tmp_path: Path) -> None:
    encoder = PictureEncoder(backbone, cache_folder=tmp_path)
    encoder.encode(BATCH)
    for entry in list_entries(tmp_path):
        os.utime(entry.path, (0, 0))  # long ago: file times are too coarse for what happens within a tick
    encoder.encode(collate([DATASET[0]]))
    entries = list_entries(tmp_path)
    removed = evict(tmp_path, sum(entry.size for entry in entries[-PICTURES:]))
    assert {entry.path for entry in removed} == {entry.path for entry in entries[:-PICTURES]}
    encoder.encode(collate([DATASET[0]]))
    assert encoder.encoded == 3 * PICTURES


def test_cleaning_up_removes_nothing_but_features(backbone: ClipBackbone, tmp_path: Path) -> None:
    PictureEncoder(backbone, cache_folder=tmp_path / "cache").encode(collate([DATASET[0]]))
    kept = [tmp_path / "cache" / "ad" / "model.safetensors", tmp_path / "elsewhere" / f"{'a' * 64}.safetensors"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for name in {f"{number:02x}" for number in range(256)} - {path.name for path in (tmp_path / "cache").iterdir()}:
        (tmp_path / "cache" / name).symlink_to(tmp_path / "elsewhere")
        break
    assert len(list_entries(tmp_path / "cache")) == PICTURES
    assert remove_damaged(tmp_path / "cache") == 0
    assert len(evict(tmp_path / "cache", 0)) == PICTURES
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("pointad.encoding.feature_cache.own_tensor", PermissionError(errno.EACCES, "Permission denied")),
        (
            "pointad.files.safetensors_files.safe_open",
            RuntimeError("unable to open file <a>: Too many (24)"),
        ),
    ],
)
def test_features_that_cannot_be_read_are_not_taken_for_damaged(
    name: str, error: Exception, backbone: ClipBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PictureEncoder(backbone, cache_folder=tmp_path).encode(collate([DATASET[0]]))

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(name, fail)
    assert remove_damaged(tmp_path) == 0 and len(list_entries(tmp_path)) == PICTURES


def test_features_are_not_checked_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tensor: torch.Tensor) -> None:
        raise RuntimeError("Failed to initialize cpuinfo!")

    monkeypatch.setattr(torch.Tensor, "half", fail)
    with pytest.raises(InputError, match="mount /proc"):
        look_after(tmp_path, check=True, keep_bytes=None)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_compiled_encoder_gives_the_same(backbone: ClipBackbone) -> None:
    assert_same(PictureEncoder(backbone, compiled=True).encode(BATCH), PictureEncoder(backbone).encode(BATCH), 1e-5)


@pytest.mark.parametrize("at_once", [0, -1])
def test_at_least_one_picture_is_encoded_at_once(at_once: int, backbone: ClipBackbone) -> None:
    with pytest.raises(InputError, match=f"pictures_at_once {at_once}: is not a number of pictures; give at least 1"):
        PictureEncoder(backbone, pictures_at_once=at_once)


def test_the_summary_of_a_cache_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "two\nlines\x1b[31m"
    folder.mkdir()
    look_after(folder, check=False, keep_bytes=None)
    assert capsys.readouterr().out.count("\n") == 1

"""Scans to tensors: sizes, thresholds, filled visibility, and clear errors where files do not fit together."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image

from pointad.data.batch import collate
from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions, resize_mask, to_sample
from pointad.data.loader import iterate_batches
from pointad.data.view_subset import view_subset
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.errors import InputError
from pointad.rendering.views import directions

SIZE = 12
OPTIONS = SampleOptions(image_size=SIZE, point_size=SIZE, view_indices=(0, 1, 2), with_views_gt=True)


@dataclass(frozen=True)
class Source:
    """The least that names a scan."""

    class_name: str = "cup"
    species: str = "good"
    identifier: str = "000"
    label: int = 0


def make_scan(seed: int = 0, points: int = 60) -> LoadedScan:
    rng = np.random.default_rng(seed)
    return LoadedScan(
        views=rng.integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8),
        views_gt=rng.integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8),
        correspondences=np.concatenate(
            [rng.integers(0, SIZE, (3, points, 2)), rng.integers(0, 2, (3, points, 1))], axis=-1
        ),
        nonzero_indices=np.sort(rng.choice(SIZE * SIZE, points, replace=False)),
        color=rng.integers(0, 256, (30, 40, 3), dtype=np.uint8),
        mask=rng.integers(0, 2, (30, 40), dtype=np.uint8) * 255,
    )


def test_points_keep_their_places_on_the_grid() -> None:
    scan = make_scan()
    sample = to_sample(Source(), scan, OPTIONS)
    assert sample.correspondences.dtype == torch.int16
    assert torch.equal(sample.non_zero.nonzero().flatten(), torch.from_numpy(scan.nonzero_indices))
    on_points = sample.correspondences[:, sample.non_zero]
    assert np.array_equal(on_points[..., :2], scan.correspondences[..., :2])
    seen = scan.correspondences[..., 2].any(axis=0)
    assert np.array_equal(on_points[:, seen, 2], scan.correspondences[:, seen, 2])
    assert on_points[..., 2].any(dim=0).all()  # never-seen points have borrowed flags
    assert not sample.correspondences[:, ~sample.non_zero].any()


def test_pictures_come_at_the_encoders_size_and_maps_at_the_grids() -> None:
    sample = to_sample(Source(), make_scan(), replace(OPTIONS, image_size=20))
    assert sample.views is not None and sample.views.shape == (3, 20, 20, 3)
    assert sample.color is not None and sample.color.shape == (20, 20, 3)
    assert sample.views_gt is not None and sample.views_gt.shape == (3, SIZE, SIZE)
    assert sample.mask.shape == (SIZE * SIZE,)


def test_mask_threshold_is_torchvisions() -> None:
    torchvision = pytest.importorskip("torchvision.transforms")
    mask = np.random.default_rng(3).integers(0, 3, (50, 70)).astype(np.uint8)
    picture = Image.fromarray(((mask > 0) * 255).astype(np.uint8))
    resize = torchvision.Compose([torchvision.Resize((33, 33)), torchvision.ToTensor()])
    assert np.array_equal(resize_mask(mask, 33), resize(picture)[0].numpy() > 0.5)


def test_a_mask_that_vanishes_on_the_grid_is_told(caplog: pytest.LogCaptureFixture) -> None:
    mask = np.zeros((120, 120), np.uint8)
    mask[50:80, 50:80] = 255
    assert to_sample(Source(label=1), replace(make_scan(), mask=mask), OPTIONS).mask.any() and not caplog.messages
    mask[:] = 0
    mask[50, 50] = 255
    assert not to_sample(Source(label=1), replace(make_scan(), mask=mask), OPTIONS).mask.any()
    assert "cup/good/000: its mask marks too little to be seen on the grid of 12 x 12 points" in caplog.text


def test_a_good_sample_has_an_empty_mask() -> None:
    assert not to_sample(Source(), replace(make_scan(), mask=None), OPTIONS).mask.any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nonzero_indices": None}, "no nonzero_indices.npy"),
        ({"nonzero_indices": np.arange(59)}, "59 nonzero indices but 60"),
        ({"nonzero_indices": np.arange(60) + SIZE * SIZE}, "does not match a grid"),
        ({"nonzero_indices": np.zeros(60, int)}, "increasing"),
        ({"mask": np.ones(7, bool)}, "7 labels"),
        ({"correspondences": np.full((3, 60, 3), SIZE)}, "outside"),
        ({"correspondences": np.zeros((3, 60, 3), int)}, "no view sees any point"),
    ],
)
def test_files_that_do_not_fit_together(change: dict, words: str) -> None:
    with pytest.raises(InputError, match="cup/good/000") as caught:
        to_sample(Source(), replace(make_scan(), **change), OPTIONS)
    assert words in str(caught.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_keeps_order_whatever_the_number_of_processes(workers: int) -> None:
    sources = [Source(identifier=f"{number:03d}") for number in range(5)]
    dataset = MultiViewDataset(sources, lambda source, _: make_scan(int(source.identifier)), OPTIONS)
    batches = list(iterate_batches(dataset, batch_size=2, num_workers=workers))
    assert [name for batch in batches for name in batch.identifier] == [source.identifier for source in sources]
    whole = collate([dataset[number] for number in range(5)])
    assert torch.equal(torch.cat([batch.correspondences for batch in batches]), whole.correspondences)


def test_errors_come_out_of_loader_processes_as_they_went_in() -> None:
    def fail(source: Source, _: SampleOptions) -> LoadedScan:
        raise InputError("cup/000.png", "is cut off", "copy it again")

    with pytest.raises(InputError, match=r"cup/000\.png: is cut off; copy it again"):
        list(iterate_batches(MultiViewDataset([Source()] * 3, fail, OPTIONS), num_workers=2))


@pytest.mark.parametrize("organized", [True, False])
def test_view_subsets(organized: bool) -> None:
    for count in range(1, 10):
        chosen = view_subset(count, organized=organized)
        assert len(set(chosen)) == count and list(chosen) == sorted(chosen) and set(chosen) <= set(range(9))
    assert view_subset(1, organized=True) == (2,)  # the frontal view
    assert view_subset(1, organized=False) == (4,)
    with pytest.raises(InputError, match="1 to 9"):
        view_subset(10, organized=organized)


def test_nine_views_of_ones_own_are_chosen_by_their_directions() -> None:
    own = directions((-80, -60, -40, 0), (-50, -20, 20, 50, 70))
    assert view_subset(3, organized=True, directions=own) == (3, 5, 6)
    assert view_subset(3, organized=True, directions=MVTEC3D_RIG.views) == view_subset(3, organized=True) == (1, 2, 3)

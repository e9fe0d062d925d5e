"""Banks of patches and bends: nothing differs from itself, what is new does, and leaving out leaves out."""

import numpy as np
import torch
from sample_scans import closed_shape, ring

from pointad.reference.coreset import spread_out
from pointad.reference.geometry_bank import (
    GeometryBank,
    compare_geometry,
    describe_geometry,
    gather_geometry,
    spread_to_points,
)
from pointad.reference.patch_bank import (
    ScanPatches,
    compare_patches,
    gather_patches,
    patch_descriptors,
    seen_patches,
)


def bends(points: np.ndarray, bank: GeometryBank) -> np.ndarray:
    """Distance of every point's bends from those of good scans."""
    scan = describe_geometry(points, None)
    return spread_to_points(scan, compare_geometry(scan, bank))


def random_patches(seed: int) -> ScanPatches:
    features = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(seed))  # V, L, N, D
    seen = torch.ones(2, 9, dtype=torch.bool)
    seen[:, 0] = False
    return ScanPatches(patch_descriptors(features), seen)


def test_descriptors_have_unit_length_and_count_every_layer_alike() -> None:
    features = torch.randn(2, 3, 9, 8) * torch.tensor([1.0, 50.0, 0.1])[:, None, None]
    descriptors = patch_descriptors(features)
    torch.testing.assert_close(descriptors.norm(dim=-1), torch.ones(2, 9))
    torch.testing.assert_close(descriptors.view(2, 9, 3, 8).norm(dim=-1), torch.full((2, 9, 3), 3**-0.5))


def test_nothing_is_far_from_itself() -> None:
    first, second = random_patches(1), random_patches(2)
    bank = gather_patches([first, second], 10**6)
    assert bank.counts == (16, 16)
    assert compare_patches(first, bank).max() < 1e-3
    third = compare_patches(random_patches(3), bank)
    assert third[:, 1:].min() > 0.05 and (third[:, 0] == 0).all()  # no point lies on the first patch


def test_a_scan_that_is_left_out_is_compared_with_the_others_alone() -> None:
    scans = [random_patches(seed) for seed in range(3)]
    without = gather_patches(scans, 10**6).without(0)
    torch.testing.assert_close(
        compare_patches(scans[0], without), compare_patches(scans[0], gather_patches(scans[1:], 10**6))
    )


def test_banks_stay_within_their_size() -> None:
    scans = [random_patches(seed) for seed in range(6)]
    bank = gather_patches(scans, 2 * 5 * 24 * 2)  # views, patches, numbers, bytes
    assert bank.counts == (5, 5) and bank.descriptors.nbytes == 480


def test_spread_out_takes_one_of_each_cluster() -> None:
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(6), 50)
    vectors = torch.from_numpy(10 * np.eye(6)[clusters] + 0.1 * random.normal(size=(300, 6)))
    chosen = spread_out(vectors, 6)
    assert sorted(clusters[chosen]) == list(range(6))
    assert torch.equal(spread_out(vectors, 300), torch.arange(300))


def test_equal_vectors_are_chosen_once_each() -> None:
    vectors = torch.ones(20, 3)
    assert len(set(spread_out(vectors, 7).tolist())) == 7


def test_bends_are_roots_of_histograms_so_that_all_have_unit_length() -> None:
    scan = describe_geometry(closed_shape(600), None)
    np.testing.assert_allclose(np.linalg.norm(scan.descriptors, axis=1), 1, rtol=1e-4)
    assert scan.descriptors.min() >= 0


def test_where_no_good_bends_are_left_all_are_as_far_as_can_be() -> None:
    scan = describe_geometry(closed_shape(300), None)
    assert (compare_geometry(scan, gather_geometry([scan], 10**7).without(0)) == 1).all()


def test_patches_are_seen_where_points_lie_or_beside() -> None:
    correspondences = torch.tensor([[[0, 0, 1], [11, 0, 0], [11, 11, 1]]])  # column, row, visible on 12 x 12 pixels
    non_zero = torch.tensor([True, True, False])
    seen = seen_patches(correspondences, non_zero, 12, 16).view(4, 4)
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[:2, :2] = True
    assert torch.equal(seen, expected)


def test_a_dent_bends_the_surface_as_no_good_scan_does() -> None:
    good = [describe_geometry(closed_shape(6000, seed), None) for seed in (0, 1)]
    bank = gather_geometry(good, 10**7)
    points = closed_shape(6000, 2)
    place = points[np.argmax(points[:, 0])]
    distance = np.linalg.norm(points - place, axis=1)
    dented = points * (1 - 0.12 * np.exp(-((distance / 4) ** 2)))[:, None]
    before, after = (bends(cloud, bank) for cloud in (points, dented))
    assert after[distance < 4].mean() > 2 * before[distance < 4].mean()
    far = distance > 20
    assert after[far].mean() < 1.2 * before[far].mean()


def test_concave_closed_shapes_have_the_same_bends_in_every_pose() -> None:
    bank = gather_geometry([describe_geometry(ring(6000, seed), None) for seed in (0, 1)], 10**7)
    turned, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    good = bends(ring(6000, 2), bank)
    cut = ring(6000, 2)
    cut = cut[cut[:, 0] > -10]  # its middle lies elsewhere, which says nothing about the sides of its surface
    inside = np.hypot(cut[:, 0], cut[:, 1]) < 20
    kept = inside & (cut[:, 0] > 0)
    assert np.median(bends(cut, bank)[kept]) < 1.5 * np.median(good)
    assert np.median(bends(ring(6000, 2) @ turned, bank)) < 1.5 * np.median(good)
    bulging = ring(6000, 2, bulge=2.5)
    place = np.linalg.norm(bulging - [10.5, 0, 0], axis=1) < 3
    assert bends(bulging, bank)[place].mean() > 2 * good.mean()


def test_bends_do_not_depend_on_unit_or_order() -> None:
    points = closed_shape(3000)
    order = np.random.default_rng(0).permutation(3000)
    bank = gather_geometry([describe_geometry(points, None)], 10**7)
    moved = bends(points[order] * 25.4 + 100, bank)
    assert moved.max() < 0.02

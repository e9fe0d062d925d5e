"""What makes two samples the same: views as they were rendered, with the places of their points, labels and masks."""

import numpy as np

from pointad.data.sample_identity import ScanFingerprints, looks_and_sights

SIZE = 8


def sights(seed: int, views: tuple[int, ...] = (0, 1, 2), **changed: np.ndarray) -> tuple[str, ...]:
    random, chosen = np.random.default_rng(seed), list(views)
    pictures = random.integers(0, 256, (3, SIZE, SIZE), np.uint8)
    places = random.integers(0, SIZE, (3, 20, 2))
    seen = random.integers(0, 2, (3, 20, 1))
    non_zero = np.arange(SIZE**2) < 20
    found = {"pictures": pictures, "correspondences": np.concatenate([places, seen], axis=-1), "non_zero": non_zero}
    found |= changed
    return looks_and_sights(found["pictures"][chosen], found["correspondences"][chosen], found["non_zero"])[1]


def test_a_view_is_the_same_whichever_others_are_used() -> None:
    every = sights(0)
    assert len(set(every)) == 3 and sights(0, views=(2, 0)) == (every[2], every[0])
    assert not set(sights(1)) & set(every)
    assert not set(sights(0, non_zero=np.arange(SIZE**2) >= SIZE**2 - 20)) & set(every)


def test_what_several_processes_collect_is_the_same_as_of_one() -> None:
    whole, parts = ScanFingerprints(), [ScanFingerprints(), ScanFingerprints(), ScanFingerprints()]
    for number in range(5):
        mask = np.arange(SIZE**2) < number
        for each in (whole, parts[1 + number % 2]):  # the first has no samples
            each.add("dent", f"{number}", int(number > 0), mask, sights(number))
    assert ScanFingerprints(one.parts for one in parts).texts == whole.texts and len(set(whole.texts)) == 3
    assert ScanFingerprints().texts == ()
    for label, defects in ((0, 5), (1, 6)):
        parts[0] = ScanFingerprints()
        parts[0].add("dent", "5", label, np.arange(SIZE**2) < defects, sights(5))
        assert not set(ScanFingerprints(one.parts for one in parts).texts) & set(whole.texts)

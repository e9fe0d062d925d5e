"""One map and one score of all cues: the score keeps the level of a scan, the map half of it."""

import numpy as np
import pytest

from pointad.reference.cues import COLOR_POWERS, CUES, ReferenceScores, cue_powers, join_scores

NAMES = (*CUES, *COLOR_POWERS)


def random_cues(names: tuple[str, ...] = NAMES, places: int = 400) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    return {name: random.uniform(0.01, 1, places).astype(np.float32) for name in names}


def joined(cues: dict[str, np.ndarray], good_scans: int = 2) -> ReferenceScores:
    return join_scores(cues, cue_powers(good_scans), lambda values: values)


def test_the_score_is_the_highest_product_of_the_cues() -> None:
    cues, powers = random_cues(CUES), cue_powers(4)
    found = joined(cues, 4)
    product = np.prod([cues[name] ** powers[name] for name in CUES], axis=0)
    assert found.score == pytest.approx(product.max(), rel=1e-5) and set(found.maps) == set(found.scores) == {"point"}
    np.testing.assert_array_equal(np.argsort(found.values), np.argsort(product))


def test_the_picture_counts_as_much_as_the_points() -> None:
    found = joined(random_cues())
    assert set(found.maps) == {"point", "color", "fused"}
    assert found.score == found.scores["fused"] <= np.sqrt(found.scores["point"] * found.scores["color"])


def test_a_scan_that_lies_four_times_as_high_has_four_times_the_score_and_a_map_twice_as_high() -> None:
    cues = random_cues()
    found, higher = joined(cues), joined({name: 4 * values for name, values in cues.items()})
    for name in found.maps:
        assert higher.scores[name] == pytest.approx(4 * found.scores[name], rel=1e-5)
        np.testing.assert_allclose(higher.maps[name], 2 * found.maps[name], rtol=1e-5)


def test_holes_of_the_grid_do_not_change_the_map() -> None:
    cues = random_cues()
    with_holes = {name: np.concatenate([values, np.zeros(1000, np.float32)]) for name, values in cues.items()}
    found = join_scores(with_holes, cue_powers(2), lambda values: values[:400])
    np.testing.assert_allclose(found.values[:400], joined(cues).values, rtol=1e-6)
    assert found.values[400:].max() < found.values[:400].min()

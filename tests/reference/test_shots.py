"""The few-shot protocol on random scans: what is drawn and left out, and what the figures depend on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from small_engine import RandomScan, random_scan, small_backbone, small_dataset

from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.evaluation.draws import largest_bounds
from pointad.evaluation.scored_sample import PromptSet
from pointad.metrics import PixelScores, image_metrics, pixel_metrics
from pointad.reference.building import build_reference
from pointad.reference.good_draws import ClassMembers, check_shots, draw_orders, members_by_class
from pointad.reference.sample_looks import look_at_sample
from pointad.reference.setting import ReferenceSetting
from pointad.reference.shots import ShotOutcome, ShotSettings, evaluate_shots

SETTINGS = ShotSettings(
    shots=(1, 2),
    draws=2,
    seed=5,
    prompt_blocks=(3,),
    bank_blocks=(1, 2),
    sigma=1.0,
    metrics=("image_auroc", "pixel_auroc"),
    aupro="exact",
    organized=True,
)
SETTING = ReferenceSetting("", "", (3,), (1, 2), ("x 0", "y 0"), "", True, "nearest", "", "", 56)


def with_points(scan: RandomScan, options: SampleOptions) -> LoadedScan:
    loaded = random_scan(scan, options, 0)
    assert loaded.nonzero_indices is not None
    places = loaded.nonzero_indices
    height = np.random.default_rng(int(scan.identifier)).normal(size=len(places))
    return replace(loaded, points=np.stack([places % 30, places // 30, height], axis=-1).astype(float))


def dataset(samples_per_class: dict[str, int], *, with_color: bool = False) -> MultiViewDataset[RandomScan]:
    made = small_dataset(samples_per_class, with_color=with_color)
    return MultiViewDataset(made.sources, partial(with_points), replace(made.options, with_points=True))


def outcomes(
    data: MultiViewDataset[RandomScan], settings: ShotSettings = SETTINGS, good: Sequence[RandomScan] = ()
) -> list[ShotOutcome]:
    backbone = small_backbone()
    texts = torch.randn(2, 64, generator=torch.Generator().manual_seed(1))
    prompts = [
        PromptSet("first", lambda _: texts, frozenset({"nut"})),
        PromptSet("second", lambda _: -texts),
    ]
    return list(evaluate_shots(PictureEncoder(backbone, (1, 2, 3)), data, prompts, settings, good))


def test_every_shot_draw_class_and_prompt_has_its_figures() -> None:
    found = outcomes(dataset({"nut": 8, "bolt": 8}))
    keys = [(one.prompts, one.class_name, one.shots, one.draw) for one in found]
    assert len(keys) == len(set(keys)) == 3 * (1 + 2 * 2)
    assert not [key for key in keys if key[:2] == ("first", "nut")]
    for one in found:
        assert len(one.good) == one.shots and set(one.metrics) == {"point"}
        assert set(one.metrics["point"]) == set(SETTINGS.metrics)
        assert all(value is not None and 0 <= value <= 1 for value in one.metrics["point"].values())


def test_a_draw_depends_on_the_seed_and_the_class_alone() -> None:
    orders = draw_orders(range(8), "bolt", 3, 5)
    assert orders == draw_orders(range(8), "bolt", 4, 5)[:3]
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert orders != draw_orders(range(8), "nut", 3, 5) and orders != draw_orders(range(8), "bolt", 3, 6)


@pytest.mark.parametrize("beside", [False, True])
def test_a_draw_holds_the_same_scans_in_whichever_order_a_list_has_them(beside: bool) -> None:
    sources = dataset({"nut": 8, "bolt": 8}).sources
    tested, good = (sources[8:], [source for source in sources[:8] if not source.label]) if beside else (sources, [])
    drawn = []
    for step in (1, -1):
        listed = [*tested[::step], *good[::step]]
        members = members_by_class(listed, len(tested))["nut" if beside else "bolt"]
        drawn.append([listed[number].identifier for number in members.good])
        assert members.drawn_from == ("train" if beside else "test")
    assert drawn[0] == drawn[1] and len(drawn[0]) == 4


def test_a_class_may_have_a_name_that_is_not_text() -> None:
    orders = draw_orders(range(8), "n\udcfft", 3, 5)
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert orders != draw_orders(range(8), "n\udcfet", 3, 5)
    assert draw_orders(range(5), "Büchse", 2, 7) == [[1, 0, 4, 2, 3], [0, 2, 4, 1, 3]]  # as ever


def test_classes_do_not_matter_to_one_another() -> None:
    together = [one for one in outcomes(dataset({"nut": 8, "bolt": 8})) if one.class_name == "bolt"]
    assert together == outcomes(dataset({"bolt": 8}))


def test_too_few_good_scans_are_refused() -> None:
    with pytest.raises(InputError, match=r"--shots 4: class bolt has 4 good scans.*; give at most 3"):
        outcomes(dataset({"bolt": 8}), replace(SETTINGS, shots=(1, 4)))
    with pytest.raises(InputError, match=r"class bolt has 1 good scan, .*; omit the class"):
        outcomes(dataset({"bolt": 2}))
    beside = ClassMembers("bolt", tested=(0, 1), good=(2, 3, 4, 5), drawn_from="train")
    check_shots(beside, (1, 4))
    with pytest.raises(InputError, match="has 4 good scans in its train split; give at most 4, or --good_from test"):
        check_shots(beside, (5,))


def test_all_prototypes_may_be_taken_and_all_test_scans_are_tested() -> None:
    data = dataset({"bolt": 12})
    tested = MultiViewDataset(data.sources[4:], data.load, data.options)
    beside = [source for source in data.sources[:4] if not source.label]
    found = outcomes(tested, replace(SETTINGS, shots=(2,)), beside)
    assert {one.drawn_from for one in found} == {"train"}
    second = [one for one in found if one.prompts == "second" and one.shots]
    assert [sorted(one.good) for one in second] == [["000", "002"]] * 2
    assert second[0].metrics == second[1].metrics  # the same good scans, and nothing left out


def test_scans_outside_the_test_count_in_no_figure() -> None:
    data = dataset({"bolt": 12})
    tested = MultiViewDataset(data.sources[4:], data.load, data.options)
    alone = outcomes(tested)
    beside = outcomes(tested, good=[source for source in data.sources[:4] if not source.label])
    zero = [[one.metrics for one in found if not one.shots] for found in (alone, beside)]
    assert zero[0] == zero[1]


def test_a_draw_gives_the_figures_of_a_reference_made_of_its_good_scans() -> None:
    data = dataset({"bolt": 8}, with_color=True)
    encoder = PictureEncoder(small_backbone(), (1, 2, 3))
    texts = torch.randn(2, 64, generator=torch.Generator().manual_seed(1))
    settings = replace(SETTINGS, shots=(2,), draws=1)
    zero_shot, few_shot = evaluate_shots(encoder, data, [PromptSet("", lambda _: texts)], settings)
    blocks = {"prompt_blocks": settings.prompt_blocks, "bank_blocks": settings.bank_blocks}
    looks = {
        sample.identifier: look_at_sample(encoder, sample, texts, **blocks, sigma=settings.sigma, organized=True)
        for sample in data
    }
    good = [looks[name].seen for name in few_shot.good]
    reference = build_reference(good, few_shot.good, SETTING)
    tested = [look for name, look in looks.items() if name not in few_shot.good]
    compared = [reference.compare(look.seen) for look in tested]
    labels = np.array([look.sample.label for look in tested])
    for modality in ("point", "color", "fused"):
        scores = np.array([one.scores[modality] for one in compared])
        maps = np.stack([one.maps[modality].reshape(30, 30) for one in compared])
        masks = np.stack([look.sample.mask.view(30, 30).numpy() for look in tested])
        expected = image_metrics(labels, scores, ["image_auroc"])
        expected |= pixel_metrics(PixelScores.of(maps, masks), ["pixel_auroc"], "exact")
        assert few_shot.metrics[modality] == pytest.approx(expected, abs=1e-6)
        assert zero_shot.metrics[modality] != few_shot.metrics[modality]


def copying(data: MultiViewDataset[RandomScan], copy: str, original: str) -> MultiViewDataset[RandomScan]:
    """The same data set, in which one scan holds what another one holds."""

    def load(scan: RandomScan, options: SampleOptions) -> LoadedScan:
        return with_points(replace(scan, identifier=original) if scan.identifier == copy else scan, options)

    return MultiViewDataset(data.sources, load, data.options)


def test_a_copy_of_a_good_scan_is_not_tested() -> None:
    data = copying(dataset({"bolt": 12}), "006", "002")
    beside = [source for source in data.sources[:4] if not source.label]
    tested = MultiViewDataset(data.sources[4:], data.load, data.options)
    problem = "bolt/good/006: holds the same points as bolt/good scan/002; compared with itself, its score is too low"
    with pytest.raises(InputError, match=problem):
        outcomes(tested, replace(SETTINGS, shots=(2,)), beside)
    with pytest.raises(InputError, match="holds the same points as"):
        outcomes(data, replace(SETTINGS, shots=(3,)))


def test_a_reference_does_not_hold_a_scan_twice() -> None:
    data = copying(dataset({"bolt": 12}), "002", "000")
    beside = [source for source in data.sources[:4] if not source.label]
    tested = MultiViewDataset(data.sources[4:], data.load, data.options)
    with pytest.raises(InputError, match=r"good scan/00.: holds the same points as bolt/good scan/00"):
        outcomes(tested, replace(SETTINGS, shots=(2,)), beside)


def test_a_good_scan_in_another_format_is_a_copy() -> None:
    data = copying(dataset({"bolt": 12}), "006", "002")
    coarse = MultiViewDataset(data.sources, partial(_rounded, load=data.load, name="006"), data.options)
    beside = [source for source in data.sources[:4] if not source.label]
    tested = MultiViewDataset(data.sources[4:], coarse.load, data.options)
    with pytest.raises(InputError, match="bolt/good/006: holds the same points as bolt/good scan/002"):
        outcomes(tested, replace(SETTINGS, shots=(2,)), beside)


def _rounded(
    scan: RandomScan, options: SampleOptions, load: Callable[[RandomScan, SampleOptions], LoadedScan], name: str
) -> LoadedScan:
    loaded = load(scan, options)
    if scan.identifier != name or loaded.points is None:
        return loaded
    return replace(loaded, points=loaded.points.round(3))


def test_corrected_masks_change_the_fingerprint_and_nothing_else_does() -> None:
    data = dataset({"bolt": 8})
    corrected = MultiViewDataset(data.sources, partial(_with_larger_mask, name="003"), data.options)
    (before,) = {one.masks for one in outcomes(data)}
    assert {one.masks for one in outcomes(data, replace(SETTINGS, shots=(1,), sigma=0.0))} == {before}
    assert {one.masks for one in outcomes(corrected)} != {before}
    (pictures,) = {one.pictures for one in outcomes(data)}
    assert pictures and {one.pictures for one in outcomes(corrected)} == {pictures}


def test_the_pictures_of_good_scans_outside_the_test_are_told() -> None:
    data = dataset({"bolt": 12})
    beside = [source for source in data.sources[:4] if not source.label]

    def told(load: Callable[[RandomScan, SampleOptions], LoadedScan]) -> dict[str, str]:
        tested = MultiViewDataset(data.sources[4:], load, data.options)
        found = [one for one in outcomes(tested, replace(SETTINGS, shots=(2,)), beside) if one.shots]
        assert all(one.good_pictures.keys() == set(one.good) for one in found)
        return found[0].good_pictures

    before, after = told(data.load), told(partial(_darker, name="002"))
    assert before.keys() == {"000", "002"} and before["000"] == after["000"] and before["002"] != after["002"]
    assert not any(one.good_pictures for one in outcomes(data)), "those of the test split are among its pictures"


def _darker(scan: RandomScan, options: SampleOptions, name: str) -> LoadedScan:
    loaded = with_points(scan, options)
    if scan.identifier != name:
        return loaded
    assert loaded.views is not None
    return replace(loaded, views=loaded.views // 2)


def test_how_far_binned_figures_can_be_off_is_told() -> None:
    data = dataset({"bolt": 8})
    assert not any(one.error_bounds for one in outcomes(data))
    settings = replace(SETTINGS, shots=(1,), exact_pixels=50)
    exact = outcomes(data, replace(settings, exact_pixels=10**6))
    for one, other in zip(outcomes(data, settings), exact, strict=True):
        assert one.masks == other.masks and set(one.error_bounds) == {"point"}
        found, expected = one.metrics["point"]["pixel_auroc"], other.metrics["point"]["pixel_auroc"]
        bound = one.error_bounds["point"]["pixel_auroc"]
        assert found is not None and expected is not None and bound is not None
        assert abs(found - expected) <= bound + 1e-9
    assert largest_bounds([{"point": {"a": 0.1, "b": None}}, {"point": {"a": 0.3, "b": 0.2}}, {}]) == {
        "point": {"a": 0.3, "b": None}
    }


def _with_larger_mask(scan: RandomScan, options: SampleOptions, name: str) -> LoadedScan:
    loaded = with_points(scan, options)
    if scan.identifier != name or loaded.mask is None:
        return loaded
    mask = loaded.mask.copy()
    mask[8, 8] = 255
    return replace(loaded, mask=mask)


def test_pictures_are_compared_only_if_all_good_scans_have_one() -> None:
    data = dataset({"bolt": 8}, with_color=True)

    def load(scan: RandomScan, options: SampleOptions) -> LoadedScan:
        loaded = with_points(scan, options)
        return replace(loaded, color=None) if scan.identifier == "002" else loaded

    partly = MultiViewDataset(data.sources, load, data.options)
    found = outcomes(partly, replace(SETTINGS, shots=(1, 3)))
    assert {"002" in one.good for one in found if one.shots} == {False, True}
    for one in found:
        assert set(one.metrics) == ({"point"} if "002" in one.good else {"point", "color", "fused"})

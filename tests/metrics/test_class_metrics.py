"""The metrics of one class by name."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from pointad.errors import InputError
from pointad.metrics import (
    ALL_METRICS,
    PUBLISHED_METRICS,
    aupro,
    auroc,
    average_precision,
    class_metrics,
    curves,
    f1_max,
    metric_names,
)
from pointad.metrics.pixel_scores import PixelScores
from pointad.metrics.ranking import rank


def one_class() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    masks = np.zeros((8, 30, 30), bool)
    masks[:5, 3:9, 10:20] = True
    maps = random.random(masks.shape) + 0.7 * masks * random.random(masks.shape)
    return masks.any((1, 2)), maps.max((1, 2)), masks, maps


def test_every_metric_is_the_function_of_its_name() -> None:
    labels, scores, masks, maps = one_class()
    expected = {
        "image_auroc": auroc(labels, scores),
        "image_ap": average_precision(labels, scores),
        "image_f1_max": f1_max(labels, scores),
        "pixel_auroc": auroc(masks, maps),
        "pixel_ap": average_precision(masks, maps),
        "pixel_f1_max": f1_max(masks, maps),
        "pixel_aupro": aupro(masks, maps),
        "pixel_aupro_0.01": aupro(masks, maps, 0.01),
        "pixel_aupro_0.05": aupro(masks, maps, 0.05),
        "pixel_aupro_0.1": aupro(masks, maps, 0.1),
    }
    values = class_metrics(labels, scores, masks, maps, metrics=ALL_METRICS)
    assert list(values) == list(ALL_METRICS)
    assert values == pytest.approx(expected, abs=1e-12)


def test_published_variant_changes_aupro_only() -> None:
    exact, published = (class_metrics(*one_class(), aupro=method) for method in ("exact", "published"))
    changed = {name for name in PUBLISHED_METRICS if exact[name] != published[name]}
    assert changed == {"pixel_aupro"}


def test_image_metrics_need_no_maps() -> None:
    labels, scores, _, _ = one_class()
    assert set(class_metrics(labels, scores, metrics=["image_ap"])) == {"image_ap"}
    with pytest.raises(InputError, match="need maps"):
        class_metrics(labels, scores)


def test_class_without_anomalies_is_undefined() -> None:
    _, scores, masks, maps = one_class()
    values = class_metrics(np.zeros(8), scores, np.zeros_like(masks), maps, metrics=ALL_METRICS)
    assert set(values.values()) == {None}


def test_class_without_samples_is_undefined() -> None:
    nothing = np.zeros((0, 30, 30))
    assert set(class_metrics(np.zeros(0), np.zeros(0), nothing, nothing).values()) == {None}


@pytest.mark.parametrize("name", ["pixel_mood", "image_aupro", "auroc", "pixel_aupro_2", "pixel_aupro_0."])
def test_unknown_metrics_are_named(name: str) -> None:
    with pytest.raises(InputError, match=name):
        class_metrics(*one_class(), metrics=[name])


def test_names_of_levels() -> None:
    assert metric_names("image-pixel-level") == PUBLISHED_METRICS
    assert metric_names("image-level") == ("image_auroc", "image_ap")
    assert metric_names("pixel-level", aupro=False, extra=["pixel_ap"]) == ("pixel_auroc", "pixel_ap")
    with pytest.raises(InputError, match="unknown level"):
        metric_names("voxel-level")
    with pytest.raises(InputError, match="not known"):
        metric_names("image-level", extra=["image_mood"])


def test_thin_curves_keep_the_area() -> None:
    labels, scores, masks, maps = one_class()
    thin = curves(PixelScores.of(maps, masks).ranking())
    for name, exact in (("roc", auroc(masks, maps)), ("pro", aupro(masks, maps, limit=1.0))):
        rate, height = (np.array(thin[name][axis]) for axis in ("false_positive_rate", "height"))
        assert len(rate) <= 200
        assert (rate[0], height[0], rate[-1], height[-1]) == (0, 0, 1, 1)
        assert (np.diff(rate) >= 0).all() and (np.diff(height) >= 0).all()
        assert trapezoid(height, rate) == pytest.approx(exact, abs=0.01)
    assert curves(rank(labels, scores))["roc"]["height"][-1] == 1
    assert curves(rank(np.zeros(3), np.arange(3))) == {}

"""AUROC, average precision and F1-max against scikit-learn and closed forms."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from pointad.errors import InputError
from pointad.metrics import auroc, average_precision, f1_max

# Published PointAD on five samples each: labels, scores, image AUROC and average precision at full precision.
PUBLISHED = [
    ([0, 0, 1, 1, 1], [0.4515405297279358, 0.4606524705886841, 0.4272685647010803, 0.43868497014045715,
                       0.46416744589805603], 0.3333333333333333, 0.7),
    ([0, 0, 1, 1, 1], [0.37225812673568726, 0.4131892919540405, 0.4097054600715637, 0.4010264277458191,
                       0.40016406774520874], 0.5, 0.6388888888888888),
]  # fmt: skip

# Few distinct values make ties likely; both classes always occur.
labelled_scores = st.lists(
    st.tuples(st.booleans(), st.integers(-6, 6).map(lambda value: value / 4)), min_size=2, max_size=60
).filter(lambda items: 0 < sum(label for label, _ in items) < len(items))


@pytest.mark.parametrize(("labels", "scores", "expected_auroc", "expected_precision"), PUBLISHED)
def test_agrees_with_published_figures(
    labels: list[int], scores: list[float], expected_auroc: float, expected_precision: float
) -> None:
    labels_array, scores_array = np.array(labels), np.array(scores)
    assert auroc(labels_array, scores_array) == pytest.approx(expected_auroc, abs=1e-12)
    assert average_precision(labels_array, scores_array) == pytest.approx(expected_precision, abs=1e-12)


@given(labelled_scores)
def test_agrees_with_scikit_learn(items: list[tuple[bool, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert f1_max(labels, scores) == pytest.approx(f1.max(), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_agrees_with_scikit_learn_on_many_pixels(dtype: type) -> None:
    random = np.random.default_rng(0)
    labels = random.random((20, 40, 40)) < 0.1
    scores = (1000 * (random.random(labels.shape) + 0.3 * labels)).astype(dtype)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels.ravel(), scores.ravel()), abs=1e-12)
    expected = average_precision_score(labels.ravel(), scores.ravel())
    assert average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)


@given(labelled_scores)
def test_does_not_depend_on_the_scale_of_scores(items: list[tuple[bool, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    for metric in (auroc, average_precision, f1_max):
        assert metric(labels, np.exp(3 * scores) - 7) == metric(labels, scores)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([0, 1, 2, 3], (1.0, 1.0, 1.0)), ([3, 2, 1, 0], (0.0, 5 / 12, 2 / 3)), ([5, 5, 5, 5], (0.5, 0.5, 2 / 3))],
    ids=["perfect", "inverted", "constant"],
)
def test_closed_forms(scores: list[int], expected: tuple[float, float, float]) -> None:
    labels = np.array([0, 0, 1, 1])
    values = tuple(metric(labels, np.array(scores)) for metric in (auroc, average_precision, f1_max))
    assert values == pytest.approx(expected)


def test_undefined_without_both_classes() -> None:
    scores = np.array([0.1, 0.9])
    assert auroc(np.zeros(2), scores) is None
    assert auroc(np.ones(2), scores) is None
    assert average_precision(np.zeros(2), scores) is None
    assert f1_max(np.zeros(2), scores) is None
    assert auroc(np.zeros(0), np.zeros(0)) is None
    assert average_precision(np.ones(2), scores) is None
    assert f1_max(np.ones(2), scores) is None


def test_infinite_scores_rank_like_any_other() -> None:
    assert auroc(np.array([0, 1, 0, 1]), np.array([-np.inf, np.inf, 3.0, 4.0])) == 1


def test_refuses_scores_that_are_not_numbers() -> None:
    with pytest.raises(InputError, match="1 of 3 are not a number"):
        auroc(np.array([0, 1, 1]), np.array([0.2, np.nan, 0.4]))


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        (np.ma.masked_array([0, 1, 0], [0, 0, 1]), np.arange(3.0), "labels: are a masked array"),
        ([0, 1, 0], np.ma.masked_array([1.0, 2, 3], [0, 0, 1]), "anomaly scores: are a masked array"),
        ([0, 1, 0], np.arange(3) + 1j, "anomaly scores: are complex128"),
        ([0, 1, 0], ["1", "2", "3"], "anomaly scores: are <U1"),
        (["0", "1", "0"], [1.0, 2, 3], "labels: are <U1"),
        ([0, None, 0], [1.0, 2, 3], "labels: are object"),
        ([0, 1, np.nan], [1.0, 2, 3], "labels: 1 of 3 are not a number"),
        ([0, 1, 0], [[1.0], [2, 3]], "anomaly scores: are no array"),
        ([0, 1, 0], torch.arange(3).bfloat16(), "anomaly scores: are no array"),
    ],
)
def test_refuses_what_is_not_read_as_it_is_meant(labels: Any, scores: Any, message: str) -> None:
    for metric in (auroc, average_precision, f1_max):
        with pytest.raises(InputError, match=message):
            metric(labels, scores)


def test_refuses_different_shapes() -> None:
    with pytest.raises(InputError, match="shapes"):
        auroc(np.zeros((2, 3)), np.zeros(6))

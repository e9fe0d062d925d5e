"""Results whose parts contradict each other, or whose tables would be far larger than their files."""

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_runs import FACTS

from pointad.errors import InputError
from pointad.evaluation.draws import Draw, deviation_over_draws
from pointad.evaluation.result_table import result_table
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.files.names import file_name
from pointad.report import page
from pointad.report.runs import Run, SampleScore
from pointad.report.sections import histogram_section, loss_section, result_section
from pointad.report.tidy import to_tidy_csv


def of(value: float | None, *, modality: str = "point", metric: str = "image_auroc") -> dict[str, Any]:
    return {modality: {metric: value}}


def stored(folder: Path, classes: dict[str, Any], run: dict[str, Any] | None = None, **more: Any) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps({"classes": classes, "run": FACTS | (run or {}), **more}))
    return path


def draws_of(*classes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"classes": one, "good_scans": {}} for one in classes]


def test_draws_that_agree_with_their_means_are_read(tmp_path: Path) -> None:
    draws = draws_of({"a": of(0.2), "b": of(None)}, {"a": of(0.4), "b": of(0.7)})
    path = stored(tmp_path, {"a": of(0.3), "b": of(0.7)}, {"shots": 4, "draws": 2}, draws=draws)
    assert len(Results.load(path).draws) == 2
    path = stored(tmp_path, {"a": of(0.3), "b": of(0.7)}, {"shots": 4}, draws=draws)  # how many, it does not tell
    assert len(Results.load(path).draws) == 2


@pytest.mark.parametrize(
    ("classes", "number", "problem"),
    [
        ({"a": of(0.9)}, 2, r"a, point, image_auroc: is 0\.9, but the mean of its draws is 0\.3"),
        ({"a": of(None)}, 2, r"a, point, image_auroc: is None, but the mean of its draws is 0\.3"),
        ({"a": of(0.3, modality="fused")}, 2, "a, point, image_auroc: is None, but"),
        ({"a": of(0.3), "b": of(0.3)}, 2, "its draws of good scans are of other classes than its figures"),
        ({"b": of(0.3)}, 2, "its draws of good scans are of other classes than its figures"),
        ({"a": of(0.3)}, 5, "holds 2 draws of good scans, but its run made 5"),
    ],
)
def test_draws_that_contradict_their_means_are_refused(
    classes: dict[str, Any], number: int, problem: str, tmp_path: Path
) -> None:
    draws = draws_of({"a": of(0.2)}, {"a": of(0.4)})
    path = stored(tmp_path, classes, {"shots": 4, "draws": number}, draws=draws)
    with pytest.raises(InputError, match=problem):
        Results.load(path)


@pytest.mark.parametrize(("name", "told"), [("training_class", "bagel"), ("training_dataset", "real_pc_3d_rgb")])
def test_runs_that_contradict_their_training_are_refused(name: str, told: object, tmp_path: Path) -> None:
    path = stored(tmp_path, {"a": of(0.5)}, {"training": {name: FACTS[name]}})
    assert Results.load(path).run.training is not None
    with pytest.raises(InputError, match=f"{name} is .*, but its training's is {told!r}"):
        Results.load(stored(tmp_path, {"a": of(0.5)}, {"training": {name: told}}))


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        ({"shots": -1}, "shots is -1, expected at least 1"),
        ({"shots": 2**63}, "shots is 9223372036854775808, expected at most"),
        ({"shots": 2, "draws": -5}, "draws is -5, expected at least 1"),
        ({"sample_count": -6}, "sample_count is -6, expected at least 0"),
        ({"epoch": -3}, "epoch is -3, expected at least 0"),
        ({"sigma": -4}, r"sigma is -4\.0, expected at least 0"),
        ({"sigma": math.nan}, "sigma is nan, expected at least 0"),
        ({"sigma": math.inf}, "sigma is inf, expected at most 2048"),
        ({"views": [0, -1]}, "views is -1, expected at least 0"),
        ({"features_list": [0]}, "features_list is 0, expected at least 1"),
        ({"training": {"epochs": 0}}, "epochs is 0, expected at least 1"),
        ({"training": {"learning_rate": -1}}, r"learning_rate is -1\.0, expected at least 0"),
        ({"training": {"loss_weights": {"d2_pixel_loss": math.nan}}}, r"loss_weights\.d2_pixel_loss is nan, expected"),
    ],
)
def test_facts_that_no_run_can_have_are_refused(run: dict[str, Any], problem: str, tmp_path: Path) -> None:
    """Titles would say "-1-shot"."""
    with pytest.raises(InputError, match=f"its run's {problem}"):
        Results.load(stored(tmp_path, {"a": of(0.5)}, run))


@pytest.mark.parametrize("where", ["classes", "draws", "groups"])
def test_tables_of_the_square_of_their_file_are_refused(where: str, tmp_path: Path) -> None:
    wide = {f"class {number}": of(0.5, metric=f"metric {number}") for number in range(200)}
    parts = {
        "classes": (wide, {}),
        "draws": ({"a": of(0.5)}, {"draws": draws_of(wide)}),
        "groups": ({"a": of(0.5)}, {"groups": {"holes": {"classes": wide}}}),
    }
    classes, more = parts[where]
    with pytest.raises(InputError, match="has 200 different metrics, 100 at most are expected"):
        Results.load(stored(tmp_path, classes, **more))


@pytest.mark.parametrize("metrics", [{}, {"image_auroc": 0.5}])
def test_very_many_modalities_are_refused(metrics: dict[str, float], tmp_path: Path) -> None:
    classes = {f"class {number}": {f"modality {number % 50}": metrics} for number in range(200)}
    with pytest.raises(InputError, match="has 50 different modalities, 10 at most are expected"):
        Results.load(stored(tmp_path, classes))


def test_very_many_groups_of_defects_are_refused(tmp_path: Path) -> None:
    groups = {f"group {number}": {"classes": {"a": of(0.5)}} for number in range(200)}
    with pytest.raises(InputError, match="has 200 groups of defects, 10 at most are expected"):
        Results.load(stored(tmp_path, {"a": of(0.5)}, groups=groups))


class CountedText(str):
    """Counts how often texts of this kind are compared, looked up, or put into others."""

    __slots__ = ()
    times = 0

    def __eq__(self, other: object) -> bool:
        CountedText.times += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        CountedText.times += 1
        return str.__hash__(self)

    def __format__(self, form: str) -> str:
        CountedText.times += 1
        return str.__format__(self, form)


class CountedNumber(float):
    """The same of numbers."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        CountedText.times += 1
        return float.__eq__(self, other)

    def __hash__(self) -> int:
        CountedText.times += 1
        return float.__hash__(self)


def check_growth(work: Callable[[int], object]) -> None:
    """With twice the input, about twice as much must be done, not four times."""
    counts = []
    for number in (150, 300):
        CountedText.times = 0
        work(number)
        counts.append(CountedText.times)
    assert counts[0] >= 150 and counts[1] <= 3 * counts[0], counts


def results_of(number: int) -> Results:
    """Results of so many classes, of which every other one was learned from."""
    classes: dict[str, Any] = {CountedText(f"class {place}"): of(0.5) for place in range(number)}
    before = [f"{FACTS['dataset']}/class {place}" for place in range(0, number, 2)]
    return Results(classes, RunRecord.from_json(FACTS | {"training": {"learned_before": before}}))


@pytest.mark.parametrize(
    "work",
    [
        lambda results: results.protocol,
        lambda results: result_table(results, "point"),
        result_section,
        lambda results: to_tidy_csv([Run(Path(), results)]),
    ],
    ids=["protocol", "table", "section", "tidy"],
)
def test_many_classes_many_of_which_were_learned_from(work: Callable[[Results], object]) -> None:
    check_growth(lambda number: work(results_of(number)))


def test_many_epochs_of_a_step_each() -> None:
    def draw(number: int) -> None:
        epochs: list[float] = [CountedNumber(epoch) for epoch in range(1, number + 1)]
        loss_section({"epoch": epochs, "d2_pixel_loss": [0.5] * number})

    check_growth(draw)


def test_many_classes_of_a_sample_each() -> None:
    def draw(number: int) -> None:
        names = [CountedText(f"class {place}") for place in range(number)]
        histogram_section([SampleScore(name, "good", "000", 0, {}) for name in names], "point")

    check_growth(draw)


def test_many_draws_of_other_metrics() -> None:
    def summarize(number: int) -> None:
        metrics = [CountedText(f"metric {place}") for place in range(number)]
        deviation_over_draws([Draw({"a": of(0.5, metric=metric)}, {}) for metric in metrics])

    check_growth(summarize)


def test_pages_of_many_runs_of_one_title_have_names_of_their_own(
    tmp_path: Path, run_of: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "file_name", lambda text: CountedText(file_name(text)))
    runs = [run_of(0.5, str(number), classes=("bagel",)) for number in range(300)]
    check_growth(lambda number: page.page_files(runs[:number], tmp_path))
    files = page.page_files(runs, tmp_path)
    assert len(set(files)) == len(runs) + 1
    assert files[1].stem == f"{files[0].stem}-2" and files[-1].name == "index.html"


@pytest.mark.parametrize("run", [{"name": "x" * 1001}, {"provenance": {"revision": "x" * 1001}}])
def test_texts_that_every_row_would_repeat_are_refused(run: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 1001 characters, expected at most 1000"):
        Results.load(stored(tmp_path, {"a": of(0.5)}, run))
    with pytest.raises(InputError, match="classes: a name has 1001 characters, 1000 at most are expected"):
        Results.load(stored(tmp_path, {"a" * 1001: of(0.5)}, {}))
    with pytest.raises(InputError, match="has a metric of 401 characters, 400 at most are expected"):
        Results.load(stored(tmp_path, {"a": of(0.5, metric="x" * 401)}))


def test_methods_told_apart_by_long_texts_have_short_names_of_their_own() -> None:
    runs = [
        Run(Path(name), Results({"a": of(0.5)}, RunRecord.from_json(FACTS | {"unheard_of": name * 100_000})))
        for name in "xy"
    ] + [Run(Path("z"), Results({"a": of(0.5)}, RunRecord.from_json(FACTS | {"differences": ["z" * 100_000]})))]
    rows = csv.DictReader(io.StringIO(to_tidy_csv(runs)))
    names = [row["method"] for row in rows]
    assert len(set(names)) == 3 and max(map(len, names)) < 2100

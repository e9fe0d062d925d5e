"""Results whose parts contradict each other, or whose tables would be far larger than their files."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_runs import FACTS

from pointad.errors import InputError
from pointad.evaluation.draws import Draw, deviation_over_draws
from pointad.evaluation.result_table import result_table
from pointad.evaluation.results import Results
from pointad.report.page import page_files
from pointad.report.runs import Run, SampleScore
from pointad.report.sections import histogram_section, loss_section, result_section
from pointad.report.tidy import to_tidy_csv

MANY = 20_000
SECONDS = 60  # steps that grow with the square of such numbers take many minutes, others less than a second


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


def in_time(work: Callable[[], object]) -> None:
    started = time.process_time()
    work()
    assert time.process_time() - started < SECONDS, "hangs"


def test_many_classes_many_of_which_were_learned_from(tmp_path: Path) -> None:
    names = [f"class {number}" for number in range(MANY)]
    training = {"training_class": "kite", "learned_before": [f"mvtec_pc_3d_rgb/other {name}" for name in names]}
    results = Results.load(stored(tmp_path, {name: of(0.5) for name in names}, {"training": training}))
    run = Run(tmp_path, results)
    for work in (lambda: result_table(results, "point"), lambda: result_section(results), lambda: to_tidy_csv([run])):
        in_time(work)


def test_many_epochs_of_a_step_each() -> None:
    losses = {"epoch": [float(number) for number in range(1, 100_000)], "d2_pixel_loss": [0.5] * 99_999}
    in_time(lambda: loss_section(losses))


def test_many_classes_of_a_sample_each() -> None:
    scores = [SampleScore(f"class {number}", "good", "000", 0, {}) for number in range(2 * MANY)]
    in_time(lambda: histogram_section(scores, "point"))


def test_many_draws_of_other_metrics() -> None:
    draws = [Draw({"a": of(0.5, metric=f"metric {number}")}, {}) for number in range(MANY)]
    in_time(lambda: deviation_over_draws(draws))


def test_pages_of_many_runs_of_one_title_have_names_of_their_own(tmp_path: Path, run_of: Callable[..., Run]) -> None:
    runs = [run_of(0.5, str(number), classes=("bagel",)) for number in range(1_500)]
    files: list[Path] = []
    in_time(lambda: files.extend(page_files(runs, tmp_path)))
    assert len(set(files)) == len(runs) + 1
    assert files[1].stem == f"{files[0].stem}-2" and files[-1].name == "index.html"

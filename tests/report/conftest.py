"""Fixtures of finished runs, and of the scripts that make them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from protocol_scripts import make_workspace
from toy_runs import FACTS, write_losses, write_run

from pointad.datasets.registry import DATASETS
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.report.runs import Run


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with the protocol scripts and a stand-in for python."""
    return make_workspace(tmp_path)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Write a run into a folder of its own; keyword arguments change its facts."""
    count = 0

    def make(**options: Any) -> Run:
        nonlocal count
        count += 1
        return write_run(tmp_path / "runs" / str(count), **options)

    return make


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that left everything: maps, pictures, scans and losses; tests only read it."""
    folder = tmp_path_factory.mktemp("full")
    checkpoint = folder / "training" / "epoch_2.pth"
    write_losses(checkpoint)
    return write_run(
        folder / "run", save_maps=True, visualize=True, data_path=str(folder / "data"), checkpoint=str(checkpoint)
    )


@pytest.fixture
def run_of() -> Callable[..., Run]:
    """A run that exists in memory only, with given means and facts."""

    def make(value: float, folder: str = "run", classes: tuple[str, ...] = (), **facts: Any) -> Run:
        metrics = {"image_auroc": value, "pixel_aupro": None}
        told = FACTS | {"dataset_title": None, "is_demo": False, "training_class": "carrot"} | facts
        record = RunRecord.from_json(told)
        classes = classes or DATASETS[told["dataset"]].classes
        return Run(Path(folder), Results({name: {"point": metrics} for name in classes}, record))

    return make

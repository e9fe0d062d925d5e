"""A raw archive through the programs: render, train on its first class, test on the others, report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustness.invocation import invoke


@dataclass(frozen=True)
class PipelineOutcome:
    """What the programs left and said."""

    rendered: Path
    results: dict[str, Any]  # results.json
    listed: dict[str, Any]  # all_meta.json
    tables: str  # what scripts/report.py printed
    said: str  # what test.py printed


def run_pipeline(dataset: str, raw: Path, folder: Path, *render_flags: object) -> PipelineOutcome:
    """Everything once, for a single epoch of two views; asserts that every program ends well."""
    rendered, trained, tested = folder / "rendered", folder / "trained", folder / "tested"
    succeed(
        "scripts/render_dataset.py",
        *("--dataset", dataset, "--data_path", raw, "--save_path", rendered, "--num_workers", 1, *render_flags),
    )
    listed = json.loads((rendered / "all_meta.json").read_text())["test"]
    shared = ("--dataset", dataset, "--data_path", rendered, "--views", 2, "--num_workers", 0, "--device", "cpu")
    succeed(
        "train.py", *shared, "--train_class", next(iter(listed)), "--epoch", 1, "--depth", 2, "--save_path", trained
    )
    said = succeed("test.py", *shared, "--checkpoint_path", trained / "epoch_1.pth", "--save_path", tested)
    return PipelineOutcome(
        rendered=rendered,
        results=json.loads((tested / "results.json").read_text()),
        listed=listed,
        tables=succeed("scripts/report.py", tested),
        said=said,
    )


def succeed(script: str, *arguments: object) -> str:
    """Run a program that must end well; returns its standard output."""
    ending = invoke(script, *arguments)
    assert ending.code == 0, ending.err
    return ending.out

"""Runs that started from other prompts are no repeated runs, though the prompts had the same path."""

from pathlib import Path

from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord, TrainingRecord
from pointad.report.grouping import methods
from pointad.report.runs import Run


def run_from(seed: int, fingerprint: str | None, path: str = "start.pth") -> Run:
    """A test of prompts that started from others at a path."""
    training = TrainingRecord(init_checkpoint=path, init_fingerprint=fingerprint, seed=seed)
    record = RunRecord(dataset="mvtec_pc_3d_rgb", prompts="learned", seed=seed, training=training)
    return Run(Path(f"runs/{seed}"), Results({"bear": {"point": {"image_auroc": seed / 10}}}, record))


def test_other_contents_at_one_path_are_other_methods() -> None:
    apart = methods([run_from(1, "aaaaaaaa"), run_from(2, "bbbbbbbb")])
    assert [name.split("(")[-1] for name, _ in apart] == [
        "started from prompts aaaaaa)",
        "started from prompts bbbbbb)",
    ]
    for fingerprint in ("aaaaaaaa", None):  # files of older versions tell none
        ((_, together),) = methods([run_from(1, fingerprint), run_from(2, fingerprint)])
        assert len(together) == 2


def test_one_content_at_two_paths_is_one_method() -> None:
    ((_, together),) = methods([run_from(1, "aaaaaaaa"), run_from(2, "aaaaaaaa", "moved/start.pth")])
    assert len(together) == 2
    assert len(methods([run_from(1, None), run_from(2, None, "moved/start.pth")])) == 2  # it is not known to be one

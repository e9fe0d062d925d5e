"""Two gloo processes on this machine find what a single one finds, and share the work."""

import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from commands.programs import ROOT, held_port
from compute.two_processes import alone, one_of_two
from small_engine import VIEWS

from pointad.compute.processes import ALONE, Processes, own_device
from pointad.encoding.feature_cache import list_entries


@pytest.fixture(scope="module")
def found_together(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    """What each of two processes found, and the cache that they shared."""
    folder = tmp_path_factory.mktemp("together")
    spawning = multiprocessing.get_context("spawn")
    with held_port() as port:
        started = [spawning.Process(target=one_of_two, args=(rank, port, folder)) for rank in range(2)]
        for process in started:
            process.start()
        for process in started:
            process.join(600)
    assert [process.exitcode for process in started] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(2)], folder / "cache"


@pytest.fixture(scope="module")
def found_alone() -> dict[str, Any]:
    return alone()


def test_training_gives_the_same_numbers(
    found_together: tuple[list[dict[str, Any]], Path], found_alone: dict[str, Any]
) -> None:
    first, second = found_together[0]
    assert torch.equal(first["losses"], second["losses"])
    torch.testing.assert_close(first["losses"], found_alone["losses"], rtol=2e-4, atol=1e-5)  # float16 in the cache
    for name, value in found_alone["prompts"].items():
        assert torch.equal(first["prompts"][name], second["prompts"][name]), name
        # A vanishing gradient may turn a step of Adam round, so a few numbers differ by whole steps.
        assert (first["prompts"][name] - value).abs().float().quantile(0.99) < 2e-4, name


def test_every_picture_is_encoded_by_one_of_them(found_together: tuple[list[dict[str, Any]], Path]) -> None:
    found, cache = found_together
    assert [each["examples"] for each in found] == [3, 2]
    assert [each["encoded"] for each in found] == [3 * VIEWS, 2 * VIEWS]
    # Pictures of both runs; the views of the four cubes that are tested are among those trained on.
    assert len(list_entries(cache)) == 5 * VIEWS + 3 * VIEWS + 7


def test_evaluation_comes_together_in_the_first_process(
    found_together: tuple[list[dict[str, Any]], Path], found_alone: dict[str, Any]
) -> None:
    first, second = found_together[0]
    assert second["outcomes"] == {None: [], 2: [], 1: []} and second["samples"] == []
    assert [sample[:2] for sample in first["samples"]] == [sample[:2] for sample in found_alone["samples"]]
    for one, other in zip(first["samples"], found_alone["samples"], strict=True):
        assert one[2] == pytest.approx(other[2], abs=5e-4)
    for outcomes, expected in zip(first["outcomes"].values(), found_alone["outcomes"].values(), strict=True):
        assert [(name, list(metrics), list(bounds)) for name, metrics, bounds in outcomes] == [
            (name, list(metrics), list(bounds)) for name, metrics, bounds in expected
        ]
    assert [list(bounds) for _, _, bounds in first["outcomes"][1]] == 2 * [["point", "color", "fused"]]


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_shares_are_disjoint_and_complete(count: int) -> None:
    items = list(range(11))
    shares = [Processes(rank, count).share(items) for rank in range(count)]
    assert sorted(item for share in shares for item in share) == items
    assert all(item % count == rank for rank, share in enumerate(shares) for item in share)


def test_alone_everything_stays_as_it_is() -> None:
    tensor = torch.ones(2)
    assert ALONE.sum(tensor) is tensor
    assert ALONE.gather("item") == ["item"]
    with ALONE.first_goes_first():
        ALONE.wait()


def test_a_process_on_a_cpu_shares_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert own_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.slow
def test_programs_under_torchrun(golden_inputs: Path, tmp_path: Path) -> None:
    data = ("--data_path", golden_inputs / "data", "--clip_weights", golden_inputs / "clip_tiny.pt")
    single = (sys.executable,)
    double = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    for launcher, name in ((single, "one"), (double, "two")):
        folder = tmp_path / name
        for command in (
            ("train.py", *data, "--train_class", "cookie", "--epoch", 2, "--save_path", folder / "train"),
            ("test.py", *data, "--checkpoint_path", golden_inputs / "prompts.pth", "--save_path", folder / "test"),
        ):
            done = subprocess.run([*launcher, *map(str, command)], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "two/test/scores.csv").read_text() == (tmp_path / "one/test/scores.csv").read_text()
    assert (tmp_path / "two/test/results.json").read_text() == (tmp_path / "one/test/results.json").read_text()
    rows = [
        [[float(value) for value in line.split(",")] for line in path.read_text().splitlines()[1:]]
        for path in (tmp_path / "one/train/losses.csv", tmp_path / "two/train/losses.csv")
    ]
    assert len(rows[0]) == 4
    torch.testing.assert_close(torch.tensor(rows[1]), torch.tensor(rows[0]), rtol=1e-3, atol=1e-5)

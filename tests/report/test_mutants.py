"""Reports on damaged files of runs: a page, or one line that names the file; never a traceback."""

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_runs import write_losses, write_run

from pointad.errors import InputError, PointADError
from pointad.evaluation.sample_outputs import maps_file
from pointad.report.formats import to_csv, to_latex, to_markdown
from pointad.report.page import write_pages
from pointad.report.protocol_tables import protocol_tables
from pointad.report.runs import SampleScore, find_runs
from pointad.report.samples import saved_maps

MUTANTS = 60  # of each file and kind; 5,600 in all were tried when this was written
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        7,
        2**31,
        2**63,
        10**400,
        -0.5,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        "7",
        "\x1b[2J",
    ),
    *([], [[]], [None], ["x"], [1, "2"], {}, {"x": {}}, {"x": []}, {"a": {"b": {"c": "d"}}}, "x" * 10_000),
)
CELLS = ("", "nan", "inf", "-inf", "1e999", "1" * 5000, "x", "-1", "2", "\x00", "a,b", '"', "'=", "\udce9", "0x1")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intact")
    write_losses(folder / "run" / "epoch_2.pth")
    write_run(folder / "run", checkpoint=str(folder / "run" / "epoch_2.pth"))
    return folder / "run"


def report_on(folder: Path) -> None:
    runs = find_runs([folder])
    tables = protocol_tables(runs, ["point", "color", "fused"])
    for text in (to_markdown(tables), to_csv(tables), to_latex(tables)):
        assert text.encode()
    write_pages(runs, folder / "html")


def places_in(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything that stands in nested tables and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, entry in inner for place in places_in(entry, (*at, key)))]


def other_value(path: Path, dice: random.Random) -> None:
    content = json.loads(path.read_text())
    # The deepest places, of which there are most, would be hit nearly always.
    depth = dice.choice(sorted({len(place) for place in places_in(content)}))
    place = dice.choice([place for place in places_in(content) if len(place) == depth])
    value = dice.choice(VALUES)
    if not place:
        content = value
    else:
        holder = content
        for key in place[:-1]:
            holder = holder[key]
        if dice.random() < 0.2:
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
    path.write_text(json.dumps(content))


def other_cell(path: Path, dice: random.Random) -> None:
    rows = [line.split(",") for line in path.read_text().splitlines()]
    row = rows[dice.randrange(len(rows))]
    kind = dice.randrange(4)
    if kind == 0:
        row.append(dice.choice(CELLS))
    elif kind == 1:
        row.pop(dice.randrange(len(row)))
    else:
        row[dice.randrange(len(row))] = dice.choice(CELLS)
    path.write_text("\n".join(map(",".join, rows)), encoding="utf-8", errors="surrogateescape")


def other_bytes(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 3))):
        at = dice.randrange(len(content))
        kind = dice.randrange(4)
        if kind == 0:
            content = content[: max(at, 1)]
        elif kind == 1:
            content[at] = dice.randrange(256)
        elif kind == 2:
            content[at:at] = dice.randbytes(dice.choice((1, 8)))
        else:
            content[at:at] = content[at : at + 40]
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("results.json", other_value),
        ("curves.json", other_value),
        ("scores.csv", other_cell),
        ("losses.csv", other_cell),
        *((name, other_bytes) for name in ("results.json", "curves.json", "scores.csv", "losses.csv")),
    ],
)
def test_mutants(name: str, change: Callable[[Path, random.Random], None], intact: Path, tmp_path: Path) -> None:
    refused = 0
    for seed in range(MUTANTS):
        folder = tmp_path / str(seed)
        shutil.copytree(intact, folder)
        if name != "results.json":
            facts = json.loads((folder / "results.json").read_text())
            facts["run"]["checkpoint"] = str(folder / "epoch_2.pth")  # named by an absolute path
            del facts["files"]  # the damage would tell that they are not the run's, and they would not be read
            (folder / "results.json").write_text(json.dumps(facts))
        change(folder / name, random.Random(f"{name} {change.__name__} {seed}"))
        try:
            report_on(folder)
        except PointADError as error:
            assert isinstance(error, InputError) and name in str(error) and str(error).isprintable(), str(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"mutant {seed}: {type(error).__name__}: {error}") from error
        shutil.rmtree(folder)
    assert 0 < refused < MUTANTS, "some damage is fatal, some is not"


@pytest.mark.parametrize(
    "maps",
    [
        {"point_map": np.zeros(9)},
        {"point_map": np.zeros((3, 4), np.float32)},
        {"fused_map": np.zeros((0, 0), np.float32)},
        {"point_map": np.full((3, 3), np.nan)},
        {"point_map": np.array([["a"]])},
        {"color_map": np.zeros((3, 3), complex)},
        {"point_map": np.zeros((2**15, 2**14), np.uint8)},
    ],
)
def test_maps_that_are_none(maps: dict[str, np.ndarray], intact: Path) -> None:
    run = find_runs([intact])[0]
    run = replace(run, results=replace(run.results, files=None))
    sample = SampleScore("bear", "hole", "999", 1, {"point": 0.5})
    path = maps_file(run.folder, *sample.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **maps)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"999\.npz"):
        saved_maps(run, sample)
    path.unlink()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_maps_that_are_there_twice(intact: Path) -> None:
    """Readers take the first or the last of them."""
    run = find_runs([intact])[0]
    run = replace(run, results=replace(run.results, files=None))
    sample = SampleScore("bear", "hole", "999", 1, {"point": 0.5})
    path = maps_file(run.folder, *sample.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, point_map=np.zeros((3, 3), np.float32))
    assert list(saved_maps(run, sample)) == ["point"]
    with zipfile.ZipFile(path, "a") as archive, archive.open("point_map.npy", "w") as file:
        np.lib.format.write_array(file, np.ones((3, 3), np.float32))
    with pytest.raises(InputError, match=r"999\.npz: holds no maps \(it holds several members called point_map\.npy\)"):
        saved_maps(run, sample)
    path.unlink()

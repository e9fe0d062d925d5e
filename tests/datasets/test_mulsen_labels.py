"""MulSen-AD's label tables and ground truth: rows go to their own scans, and contradictions are refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets.miniatures import write_mulsen, write_rows

from pointad.data.raw import list_good_scans, list_raw_samples, load_raw_sample
from pointad.datasets.mulsen import distinct_vertices
from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.scans.point_cloud import RawSample

NAME = "mulsen_pc_3d"
COLUMNS = "object,label_rgb,label_infrared,label_pc"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mulsen")
    write_mulsen(root)
    return root


@pytest.fixture
def archive(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "raw")
    return tmp_path / "raw"


def table_of(archive: Path, text: str) -> list[RawSample]:
    """The samples of a class with this table for its defect `hole`."""
    (archive / "light/RGB/GT/hole/data.csv").write_text(text)
    return list_raw_samples(NAME, archive, classes=["light"])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"{COLUMNS}\n0.0,1.0,0.0,1.0\n", 1),
        (f"{COLUMNS}\n0.0,1.0,0.0,0.0\n", 0),
        ("Object,Label_RGB,Label_Infrared,Label_PC\n0,1,0,0\n", 0),
        ("label_rgb,label_infrared,label_pc,object\n1,0,0,0\n", 0),
        (f"{COLUMNS}\n0,1,0,0\n0,1,0,0\n", 0),
    ],
)
def test_tables_of_other_programs(archive: Path, text: str, label: int, caplog: pytest.LogCaptureFixture) -> None:
    samples = table_of(archive, text)
    assert sum(sample.label for sample in samples) == label
    assert not caplog.messages


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{COLUMNS}\n0,1,0,1\n0,1,0,0\n", "rows of 0 with different labels"),
        (f"{COLUMNS}\n0,1,0,-7\n", "label_pc is '-7', expected 0 or 1"),
        (f"{COLUMNS}\n0,1,0,nan\n", "label_pc is 'nan', expected 0 or 1"),
        (f"{COLUMNS},Label_PC\n0,1,0,1,0\n", "has 2 columns label_pc"),
    ],
)
def test_tables_that_contradict_themselves(archive: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        table_of(archive, text)


def test_rows_with_other_names_go_by_their_numbers(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    scans = archive / "light/Pointcloud"
    for number in (2, 10):
        shutil.copy(scans / "test/hole/0.stl", scans / f"test/hole/{number}.stl")
        shutil.copy(scans / "GT/hole/0.txt", scans / f"GT/hole/{number}.txt")
    samples = table_of(archive, f"{COLUMNS}\nhole_0,1,0,1\nhole_10,1,0,0\nhole_2,1,0,1\n")
    assert [one.identifier for one in samples if one.label] == ["0", "2"]
    assert "matched to the scans by the numbers in the names" in caplog.text


def test_scans_come_as_their_renderings_are_listed(archive: Path) -> None:
    """By name, not by number: from a data set and from its renderings, a training takes its samples in one order."""
    scans = archive / "light/Pointcloud"
    for number in (2, 10):
        for split in ("train", "test/good"):
            shutil.copy(scans / "test/hole/0.stl", scans / f"{split}/{number}.stl")
    samples = list_raw_samples(NAME, archive, classes=["light"])
    named = [one.identifier for one in samples if not one.label]
    assert named.index("10") < named.index("2") and named == sorted(named)
    good = [one.identifier for one in list_good_scans(specification(NAME), archive, ["light"])]
    assert good.index("10") < good.index("2") and good == sorted(good)


def defect(archive: Path) -> tuple[RawSample, Path, np.ndarray]:
    sample = list_raw_samples(NAME, archive, classes=["light"])[-1]
    assert sample.label and sample.mask_path is not None
    return sample, sample.mask_path, distinct_vertices(sample.scan_path)


def test_ground_truth_elsewhere_is_refused(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    sample, path, _ = defect(archive)
    rows = np.loadtxt(path, delimiter=",")
    write_rows(path, np.concatenate([rows, rows[:3] + 100]), ",")
    load_raw_sample(sample)
    assert f"3 of {len(rows) + 3} anomalous points are farther than 1 % of the scan's size" in caplog.text
    write_rows(path, np.concatenate([rows, rows[:2] * np.nan]), ",")
    load_raw_sample(sample)
    assert f"2 of {len(rows) + 2} points are not finite and are ignored" in caplog.text
    write_rows(path, rows + 100, ",")
    with pytest.raises(InputError, match=r"has no point near the vertices of 0\.stl"):
        load_raw_sample(sample)


def test_ground_truth_of_every_vertex(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    sample, path, vertices = defect(archive)
    expected = load_raw_sample(sample).point_cloud.labels
    rows = np.loadtxt(path, delimiter=",")
    labels = (np.abs(vertices[:, None] - rows[None]).max(axis=-1) < 1e-3).any(axis=1)
    write_rows(path, np.column_stack([vertices, labels]), ",")
    assert expected is not None
    assert np.array_equal(load_raw_sample(sample).point_cloud.labels, expected)
    assert "only rows of 1 are anomalous" in caplog.text and "labels no point" not in caplog.text
    write_rows(path, np.column_stack([vertices, labels])[::2][: len(vertices) // 4], ",")
    load_raw_sample(sample)
    assert f"of the {len(vertices)} vertices of 0.stl, which count as normal" in caplog.text
    write_rows(path, np.column_stack([vertices, 0 * labels])[:20], ",")
    with pytest.raises(InputError, match="no point is marked"):
        load_raw_sample(sample)
    write_rows(path, vertices, ",")
    with pytest.raises(InputError, match="marks every point as anomalous"):
        load_raw_sample(sample)


def test_long_runs_of_digits_take_no_longer_than_others(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples = table_of(archive, f"{COLUMNS}\na{'1' * 120_000}b0,1,0,1\n")
    assert sum(sample.label for sample in samples) == 1
    assert "by the numbers in the names" in caplog.text

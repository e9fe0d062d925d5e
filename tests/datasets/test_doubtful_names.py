"""Names of scans that may be meant in several ways: none is lost, and what is taken is told."""

from pathlib import Path

import numpy as np
import pytest
from datasets.miniatures import clouds, write_pcd, write_rows

from pointad.data.raw import list_raw_samples
from pointad.datasets.folder import FolderLayout, folder_dataset


def listed(root: Path, pattern: str, *names: str) -> list[tuple[str, str, str]]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    samples = list_raw_samples(folder_dataset(FolderLayout(scans=pattern)), root)
    return [(one.class_name, one.species, one.identifier) for one in samples]


@pytest.mark.parametrize(
    ("pattern", "name", "taken"),
    [
        ("{class}_{species}_{id}.ply", "gear_big_hole_1.ply", "{class} = gear_big, {species} = hole, {id} = 1"),
        ("{species}_{id}.ply", "good_1_2.ply", "{species} = good_1, {id} = 2"),
        ("{species}/*{id}.ply", "good/scan_12.ply", "{species} = good, {id} = 2"),
        ("{species}/{id}_*.ply", "good/1_2_top.ply", "{species} = good, {id} = 1_2"),
    ],
)
def test_what_is_taken_is_told(
    pattern: str, name: str, taken: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listed(tmp_path, pattern, name)
    (line,) = (line for line in caplog.messages if "in several ways" in line)
    assert line.startswith(f"pattern {pattern}: can be read in several ways in 1 file, such as {tmp_path / name}, ")
    assert f"of which {taken} is taken; " in line


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{class}_{species}_{id}.ply", "gear_good_1.ply"),
        ("{class}/test/{species}/*/{id}.ply", "gear/test/good/a_b/1_2.ply"),
        ("{species}/{id}/**/scan.ply", "good/1/x/scan.ply"),
        ("{species}/{id}/{id}.ply", "good/1_1/1_1.ply"),
        ("{species}/scan_{id}.*", "good/scan_1.ply"),
    ],
)
def test_of_other_names_nothing_is_told(
    pattern: str, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(listed(tmp_path, pattern, name)) == 1
    assert not [line for line in caplog.messages if "in several ways" in line]


def test_a_class_may_be_called_template(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    folder = tmp_path / "pcd" / "template0"
    points, dented, labels = clouds(0)
    for name in ("train/template0_template0", "test/template0_positive0", "test/template0_template1"):
        write_pcd(folder / f"{name}.pcd", points)
    write_pcd(folder / "test" / "template0_bulge0.pcd", dented)
    write_rows(folder / "GT" / "template0_bulge0.txt", np.column_stack([dented, labels]))
    samples = list_raw_samples("shapenet_pc_3d", tmp_path)
    assert [one.identifier for one in samples] == ["template0_positive0", "template0_bulge0"]
    assert f"{folder / 'test'}: 1 template left out, no test samples" in caplog.messages

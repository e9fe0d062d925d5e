"""Ground truth of clouds: which column holds the labels, and whether the rows are those of the scan."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import trimesh
from dialects.base import NORMALS, POINTS, lines, rows
from robustness.invocation import render

from pointad.datasets.labelled_points import read_labelled_points
from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.scans.pcd import write_pcd
from pointad.scans.point_labels import read_labels

LABELS = (POINTS[:, 0] > 10).astype(int)[:, None]
ONES = np.ones((len(POINTS), 1), dtype=int)
TRUTHS = {
    "as published": lines(rows(POINTS, LABELS)),
    "floats": lines(rows(POINTS, LABELS.astype(float))),
    "decimal commas": lines(rows(POINTS, LABELS.astype(float), separator=";", comma=True)),
    "label before normals": lines(rows(POINTS, LABELS, NORMALS)),
    "label before a constant": lines(rows(POINTS, LABELS, ONES)),
    "label first, by name": lines(rows(LABELS, POINTS, separator=","), "label,x,y,z"),
    "label before all others": lines(rows(LABELS, POINTS)),
    "label before named coordinates": lines(rows(7 * LABELS, POINTS, separator=","), "kind,x,y,z"),
    "two flags, by name": lines(rows(POINTS, LABELS, 1 - LABELS, separator=","), "x,y,z,gt,valid"),
    "words": lines(rows(POINTS, LABELS)).replace(b" 1\n", b" True\n").replace(b" 0\n", b" False\n"),
    "with a mark": b"\xef\xbb\xbf" + lines(rows(POINTS, LABELS)),
    "label without a name": lines(rows(POINTS, LABELS), "# x y z"),
}


@pytest.fixture
def scan_path(tmp_path: Path) -> Path:
    write_pcd(tmp_path / "scan.pcd", POINTS)
    return tmp_path / "scan.pcd"


@pytest.mark.parametrize("name", TRUTHS)
def test_labels_of_every_point(name: str, scan_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "truth.txt").write_bytes(TRUTHS[name])
    with caplog.at_level(logging.WARNING):
        cloud = read_labelled_points(tmp_path / "truth.txt", scan_path)
    np.testing.assert_allclose(cloud.points, POINTS, atol=1e-4)
    np.testing.assert_array_equal(cloud.labels, LABELS[:, 0] == 1)
    assert ("read as the labels" in caplog.text) == ("label before" in name)


REFUSED: dict[str, tuple[bytes, str]] = {
    "fewer rows": (lines(rows(POINTS[:390], LABELS[:390])), "390 rows, but scan.pcd has 400 points"),
    "another unit": (lines(rows(POINTS * 0.001, LABELS, form="%.6f")), "covers another region"),
    "other axes": (lines(rows(POINTS[:, [2, 0, 1]], LABELS)), "covers another region"),
    "no labels": (lines(rows(POINTS)), "3 numbers per row"),
    "normals only": (lines(rows(POINTS, NORMALS)), "none of which is certain to be the labels"),
    "marked by colours": (lines(rows(POINTS, 255 * LABELS, 0 * LABELS, 0 * LABELS)), "none of which is certain"),
    "in white and red": (lines(rows(POINTS, 255 * ONES, *(2 * [255 - 255 * LABELS]))), "none of which is certain"),
    "labels of nothing": (lines([f"{row} nan" for row in rows(POINTS)]), "3 numbers per row"),
    "one label missing": (lines([*rows(POINTS[:399], LABELS[:399]), rows(POINTS)[399] + " nan"]), "not finite"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_truth_of_other_scans_is_refused(name: str, scan_path: Path, tmp_path: Path) -> None:
    content, reason = REFUSED[name]
    (tmp_path / "truth.txt").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_labelled_points(tmp_path / "truth.txt", scan_path)


@pytest.mark.parametrize("name", ["fewer rows", "another unit"])
def test_published_truth_that_is_known_to_differ(
    name: str, scan_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own points and labels are used, as in the evaluation by the data set's authors."""
    (tmp_path / "truth.txt").write_bytes(REFUSED[name][0])
    with caplog.at_level(logging.WARNING):
        cloud = read_labelled_points(tmp_path / "truth.txt", scan_path, known_to_differ=True)
    rows_read = np.loadtxt(tmp_path / "truth.txt")
    np.testing.assert_allclose(cloud.points, rows_read[:, :3])
    np.testing.assert_array_equal(cloud.labels, rows_read[:, 3] == 1)
    assert "a known fault of this file" in caplog.text


def test_rows_that_are_not_finite_are_told(scan_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = rows(POINTS, LABELS)
    table[7] = "nan nan nan 1"
    (tmp_path / "truth.txt").write_bytes(lines(table))
    read_labelled_points(tmp_path / "truth.txt", scan_path)
    assert f"truth.txt: 1 of {len(POINTS)} points are not finite and are ignored" in caplog.text


def test_what_is_unusable_is_refused_even_there(scan_path: Path, tmp_path: Path) -> None:
    (tmp_path / "truth.txt").write_bytes(lines(["nan nan nan 1"] * len(POINTS)))
    with pytest.raises(InputError, match="no usable point"):
        read_labelled_points(tmp_path / "truth.txt", scan_path, known_to_differ=True)


@pytest.mark.parametrize(
    ("dataset", "known", "other", "truth"),
    [
        ("real_pc_3d_rgb", "seahorse/265_bulge", "seahorse/266_bulge", "gt"),
        ("shapenet_pc_3d", "helmet1/helmet1_bulge6", "helmet1/helmet1_bulge1", "GT"),
    ],
)
def test_rendering_published_archives(dataset: str, known: str, other: str, truth: str, tmp_path: Path) -> None:
    """Of two ground truths with a row too few, the one that was published so is rendered, the other refused."""
    for sample in (known, other):
        class_name, stem = sample.split("/")
        for folder in ("train", "test", truth):
            (tmp_path / "raw" / class_name / folder).mkdir(parents=True, exist_ok=True)
        write_pcd(tmp_path / "raw" / class_name / "test" / f"{stem}.pcd", POINTS)
        content = lines(rows(POINTS[1:], LABELS[1:]))
        (tmp_path / "raw" / class_name / truth / f"{stem}.txt").write_bytes(content)
    ending = render(dataset, tmp_path / "raw", tmp_path / "rendered")
    assert (
        ending.code == 2
        and "1 scan rendered, 0 already finished, 1 failed" in ending.out
        and "Traceback" not in ending.err
    )
    assert f"{other.split('/')[1]}.txt: has 399 rows, but" in ending.err
    assert f"{known.split('/')[1]}.txt: has 399 rows, but" in ending.err
    listed = json.loads((tmp_path / "rendered" / "all_meta.json").read_text())["test"]
    ((entry,),) = listed.values()
    assert Path(entry["d2_render_img_path"]).name == known.split("/")[1]
    truth_views = tmp_path / "rendered" / entry["d2_render_gt_path"]
    assert any(read_mask(path).any() for path in truth_views.iterdir())


@pytest.mark.parametrize("write", ["{0}", "{0}.0", "{0},000", " {0}\r"], ids=["whole", "float", "comma", "Windows"])
def test_one_label_a_line(write: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join(write.format(label) for label in LABELS[:, 0]))
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.txt"), LABELS[:, 0] == 1)


def test_labels_of_a_mesh_are_told_to_be_of_other_points(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sphere = trimesh.creation.icosphere(subdivisions=3)
    sphere.export(tmp_path / "scan.stl")
    marked = sphere.vertices[:, 2] > 0.8
    np.savetxt(tmp_path / "truth.txt", np.column_stack([sphere.vertices, marked]))
    cloud = read_labelled_points(tmp_path / "truth.txt", tmp_path / "scan.stl")
    assert len(cloud.points) == len(marked) and cloud.labels is not None and cloud.labels.sum() == marked.sum()
    assert caplog.messages == [
        f"{tmp_path / 'truth.txt'}: labels points of its own, but good meshes are sampled from their surfaces; "
        "use point clouds"
    ]

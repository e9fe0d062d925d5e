"""Folders as people have them: other names for good, other endings, hidden files, millimetres, objects in pieces."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from robustness.invocation import Ending, assert_one_error_line, files_below, render

from pointad.data.raw import list_raw_samples, load_raw_sample
from pointad.errors import InputError
from pointad.scans.pcd import write_pcd
from pointad.scans.reading_options import ReadingOptions
from pointad.scans.tiff import read_xyz_tiff, write_xyz_tiff

SIDE = 120


def box_on_a_table(unit: float = 1.0) -> np.ndarray:
    """A table 0.5 m away with a box of 40 x 40 pixels, 2 cm high, on it; (120, 120, 3) float32, `unit` in metres."""
    rows, columns = np.mgrid[:SIDE, :SIDE] * 0.0005
    xyz = np.stack([columns, rows, np.full_like(rows, 0.5)], -1)
    xyz[40:80, 40:80, 2] -= 0.02
    return (xyz / unit).astype(np.float32)


def write_sample(
    species: Path, name: str, *, xyz: np.ndarray | None = None, rgb: str = ".png", gt: str | None = None
) -> None:
    """One sample in MVTec 3D-AD's layout; `rgb` and `gt` are the endings of its pictures, None for no mask."""
    write_xyz_tiff(species / "xyz" / f"{name}.tiff", box_on_a_table() if xyz is None else xyz)
    picture = Image.fromarray(np.full((SIDE, SIDE, 3), 90, np.uint8))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[50:60, 50:60] = 255
    for kind, ending, image in (("rgb", rgb, picture), ("gt", gt, Image.fromarray(mask))):
        if ending is not None:
            (species / kind).mkdir(parents=True, exist_ok=True)
            image.save(species / kind / f"{name}{ending}")


def write_class(root: Path, good: str = "good", **kinds: str | None) -> Path:
    """A class called bolt with one good and one dented sample; returns its test folder."""
    test = root / "bolt" / "test"
    write_sample(test / good, "000")
    write_sample(test / "dent", "001", **{"gt": ".png", **kinds})
    return test


def labels(root: Path, **reading: object) -> dict[str, int]:
    """Species and names of the samples with their labels."""
    samples = list_raw_samples("mvtec_pc_3d_rgb", root, reading=ReadingOptions(**reading))
    return {f"{sample.species}/{sample.identifier}": sample.label for sample in samples}


def mvtec(root: Path, output: Path, *flags: object) -> Ending:
    return render("mvtec_pc_3d_rgb", root, output, *flags)


@pytest.mark.parametrize("good", ["good", "Good", "GOOD", "OK", "ok", "Normal", "defect_free"])
def test_the_usual_names_of_the_good_folder(tmp_path: Path, good: str) -> None:
    write_class(tmp_path, good)
    assert labels(tmp_path) == {"good/000": 0, "dent/001": 1}
    assert labels(tmp_path, good_folder=good) == {"good/000": 0, "dent/001": 1}


def test_any_other_name_is_asked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_class(tmp_path, "gut")
    assert labels(tmp_path, good_folder="gut") == {"good/000": 0, "dent/001": 1}
    assert not caplog.records
    assert labels(tmp_path) == {"dent/001": 1, "gut/000": 1}
    assert "--good_folder" in caplog.text
    with pytest.raises(InputError, match="choose among dent, gut"):
        labels(tmp_path, good_folder="fine")


def test_good_samples_in_an_unknown_folder_are_not_taken_for_defects(tmp_path: Path) -> None:
    write_class(tmp_path / "raw", "gut")
    (tmp_path / "raw" / "bolt" / "test" / "gut" / "gt").mkdir()
    black = Image.fromarray(np.zeros((SIDE, SIDE), np.uint8))
    black.save(tmp_path / "raw" / "bolt" / "test" / "gut" / "gt" / "000.png")
    ending = mvtec(tmp_path / "raw", tmp_path / "refused")
    assert ending.code == 2
    assert "no point is marked" in ending.err and "--good_folder" in ending.err and "000" in ending.err
    assert not [name for name in files_below(tmp_path / "refused") if "gut" in name and "lock" not in name]

    assert mvtec(tmp_path / "raw", tmp_path / "named", "--good_folder", "gut").code == 0
    listed = json.loads((tmp_path / "named" / "all_meta.json").read_text())["test"]["bolt"]
    assert {(entry["specie_name"], entry["anomaly"]) for entry in listed} == {("good", 0), ("dent", 1)}

    assert mvtec(tmp_path / "raw", tmp_path / "allowed", "--allow_empty_masks").code == 0
    listed = json.loads((tmp_path / "allowed" / "all_meta.json").read_text())["test"]["bolt"]
    assert {(entry["specie_name"], entry["anomaly"]) for entry in listed} == {("gut", 1), ("dent", 1)}


@pytest.mark.parametrize("ending", [".jpg", ".JPEG", ".bmp", ".tif", ".PNG", ".webp"])
def test_pictures_of_any_ending(tmp_path: Path, ending: str) -> None:
    write_class(tmp_path, rgb=ending, gt=ending if ending not in (".jpg", ".JPEG", ".webp") else ".png")
    good, dented = list_raw_samples("mvtec_pc_3d_rgb", tmp_path)
    assert good.rgb_path is not None
    prepared = load_raw_sample(dented)
    assert prepared.rgb is not None and abs(int(prepared.rgb.max()) - 90) <= 2
    assert prepared.mask is not None and prepared.mask.sum() == 255 * 100


def test_missing_colour_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    test = write_class(tmp_path)
    (test / "dent" / "rgb" / "001.png").rename(test / "dent" / "rgb" / "1.png")
    list_raw_samples("mvtec_pc_3d_rgb", tmp_path)
    assert "1 of 2 samples have no RGB picture" in caplog.text


def test_two_pictures_or_scans_of_one_sample_are_refused(tmp_path: Path) -> None:
    test = write_class(tmp_path / "pictures")
    (test / "dent" / "rgb" / "001.jpg").write_bytes((test / "dent" / "rgb" / "001.png").read_bytes())
    ending = mvtec(tmp_path / "pictures", tmp_path / "out")
    assert_one_error_line(ending, "001.jpg", "001.png")
    test = write_class(tmp_path / "scans")
    (test / "dent" / "xyz" / "001.tif").write_bytes((test / "dent" / "xyz" / "001.tiff").read_bytes())
    assert_one_error_line(mvtec(tmp_path / "scans", tmp_path / "out"), "bolt/dent/001", "rename")


def test_hidden_files_are_no_samples(tmp_path: Path) -> None:
    test = write_class(tmp_path)
    for path in [test / "good/xyz/._000.tiff", test / "dent/rgb/._001.png", tmp_path / "._bolt", test / ".DS_Store"]:
        path.write_bytes(b"\0\5\x16\7")
    write_class(tmp_path / "__MACOSX")
    (tmp_path / "__MACOSX" / "test").mkdir()
    (test / "._dent" / "xyz").mkdir(parents=True)
    assert labels(tmp_path) == {"good/000": 0, "dent/001": 1}


def test_millimetres(tmp_path: Path) -> None:
    for unit, name in ((1.0, "metres"), (0.001, "millimetres")):
        test = tmp_path / name / "bolt" / "test"
        write_sample(test / "good", "000", xyz=box_on_a_table(unit))
        write_sample(test / "dent", "001", xyz=box_on_a_table(unit), gt=".png")
    assert mvtec(tmp_path / "metres", tmp_path / "a").code == 0
    assert mvtec(tmp_path / "millimetres", tmp_path / "b", "--metres_per_unit", 0.001).code == 0
    expected, scaled = (read_xyz_tiff(tmp_path / name / "bolt/test/dent/xyz/001.tiff") for name in "ab")
    assert (expected[..., 2] != 0).sum() == 40 * 40
    np.testing.assert_allclose(scaled, expected, atol=1e-6)
    pictures = [tmp_path / name / "bolt/test/dent/2d_rendering/001/view_0.png" for name in "ab"]
    one, other = (np.asarray(Image.open(path), dtype=int) for path in pictures)
    assert np.abs(one - other).mean() < 0.5

    ending = mvtec(tmp_path / "millimetres", tmp_path / "c")
    assert "measures 19.5 m; if its unit is millimetres, give --metres_per_unit 0.001" in ending.err
    ending = mvtec(tmp_path / "millimetres", tmp_path / "b")
    assert_one_error_line(ending, "metres_per_unit")


def test_objects_in_pieces_keep_them(tmp_path: Path) -> None:
    xyz = box_on_a_table()
    xyz[90:105, 50:70, 2] = 0.44  # a part that the sensor sees apart from the box
    for name in ("bolt", "bagel"):
        write_sample(tmp_path / "raw" / name / "test" / "good", "000", xyz=xyz)
        write_sample(tmp_path / "raw" / name / "test" / "dent", "001", xyz=xyz, gt=".png")
    mvtec(tmp_path / "raw", tmp_path / "own")
    mvtec(tmp_path / "raw", tmp_path / "largest", "--keep_clusters", "largest")

    def points(output: str, class_name: str) -> int:
        cleaned = read_xyz_tiff(tmp_path / output / class_name / "test/good/xyz/000.tiff")
        return int((cleaned[..., 2] != 0).sum())

    assert points("own", "bolt") == 1600 + 300
    assert points("own", "bagel") == 1600  # one of the data set's own classes: the published rule
    assert points("largest", "bolt") == 1600


def test_words_tell_templates_and_good_clouds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ["1_good", "2_bulge", "3_temperature_crack", "4_goodyear_sink", "gear0_positive1", "OK_5", "template_good"]
    for name in [*names, "6_temp", "gear_template2"]:
        write_pcd(tmp_path / "gear" / "test" / f"{name}.pcd", rng.normal(size=(200, 3)))
    samples = {sample.identifier: sample.label for sample in list_raw_samples("real_pc_3d_rgb", tmp_path)}
    assert samples == {
        "1_good": 0,
        "gear0_positive1": 0,
        "OK_5": 0,
        "2_bulge": 1,
        "3_temperature_crack": 1,
        "4_goodyear_sink": 1,
    }


def test_a_mask_of_holes_alone_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    test = write_class(tmp_path)
    xyz = box_on_a_table()
    xyz[45:65, 45:65] = 0
    write_sample(test / "dent", "002", xyz=xyz, gt=".png")
    for sample in list_raw_samples("mvtec_pc_3d_rgb", tmp_path):
        load_raw_sample(sample)
    told = [message for message in caplog.messages if "marks no point" in message]
    assert told == [f"{test}/dent/gt/002.png marks no point of the scan, so no view of it shows a defect"]

"""scripts/predict.py: what it writes, prints and returns."""

import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import trimesh
from PIL import Image
from plyfile import PlyData
from sample_scans import closed_shape

from pointad.commands import inspection_run, predict
from pointad.commands.predict_outputs import FILES
from pointad.commands.scan_search import output_folders
from pointad.commands.verdicts import Verdicts
from pointad.errors import InputError
from pointad.files.locks import try_lock
from pointad.inspection.predictor import PointAD

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "inspection.md").read_text(encoding="utf-8")


@pytest.fixture
def run(detector: PointAD, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path) -> Any:
    """Run the program in this process with the small detector: its exit code and its lines."""
    monkeypatch.setattr(PointAD, "from_checkpoint", classmethod(lambda cls, *_, **__: detector))

    def call(*arguments: str | Path) -> tuple[int, list[dict]]:
        parser = predict.build_parser()
        code = predict.main(parser.parse_args([*map(str, arguments), "--output", str(tmp_path / "out")]))
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def folder(tmp_path: Path, scan: np.ndarray) -> Path:
    """A folder with a coloured cloud and an organized scan."""
    made = tmp_path / "scans"
    (made / "deeper").mkdir(parents=True)
    points = closed_shape(1200)
    trimesh.PointCloud(points, np.full((1200, 3), 90, np.uint8)).export(made / "blob.ply")
    tifffile.imwrite(made / "deeper" / "bump.tiff", scan, photometric="rgb")
    (made / "notes.txt").write_text("no scan")
    return made


def test_outputs_of_a_folder(run: Any, folder: Path, scan: np.ndarray, tmp_path: Path) -> None:
    code, lines = run(folder, "--html")
    assert code == 0
    assert [Path(line["file"]).name for line in lines] == ["blob.ply", "bump.tiff"]
    blob, bump = lines
    assert blob["points"] == 1200 and blob["verdict"] is None and len(blob["view_scores"]) == 9
    assert {"read", "prepare", "render", "encode", "score", "regions", "write"} == blob["timings"].keys()
    assert set(blob["regions"][0]) == {"centroid", "extent", "points", "peak", "peak_position"}

    heat = PlyData.read(tmp_path / "out" / "blob" / "heat.ply")["vertex"]
    scores = np.load(tmp_path / "out" / "blob" / "scores.npy")
    np.testing.assert_array_equal(heat["anomaly"], scores)
    original = trimesh.load(folder / "blob.ply").vertices
    np.testing.assert_allclose(np.stack([heat[axis] for axis in "xyz"], axis=-1), original)
    assert blob["reading"].startswith("x, y, z: ") and all(side > 0 for side in blob["extent"])
    assert blob["region_threshold"] <= blob["regions"][0]["peak"] <= scores.max()

    assert bump["points"] == (scan[..., 2] != 0).sum()
    assert np.load(tmp_path / "out" / "bump" / "scores.npy").shape == scan.shape[:2]
    written = json.loads((tmp_path / "out" / "bump" / "prediction.json").read_text())
    assert written["score"] == bump["score"]
    prose = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
    explained = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert sorted({*written, *written["regions"][0]} - explained) == []
    assert Image.open(tmp_path / "out" / "bump" / "sheet.png").size[0] > 1000
    page = (tmp_path / "out" / "bump" / "cloud.html").read_text()
    assert "pointad-cloud" in page and "Judged without good scans of the object (zero-shot)." in page


def test_one_bad_file_does_not_stop_the_others(run: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "a_broken.ply").write_text("ply\nbut not really")
    np.save(folder / "empty.npy", np.zeros((0, 3)))
    code, lines = run(folder, folder / "missing.pcd", "--threshold", "1e9")
    assert code == 2
    assert ["error" in line for line in lines] == [True, False, False, True, True]
    assert "a_broken.ply" in caplog.text and "missing.pcd" in caplog.text


def test_faults_of_the_program_do_not_stop_the_others_either(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect = inspection_run.inspect_file

    def fail_on_blob(detector: PointAD, path: Path, *arguments: object, **options: object) -> object:
        if path.name == "blob.ply":
            raise ZeroDivisionError("a fault")
        return inspect(detector, path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(inspection_run, "inspect_file", fail_on_blob)
    code, (blob, bump) = run(folder)
    assert code == 2 and blob["error"] == "ZeroDivisionError: a fault" and bump["score"] > 0


@pytest.mark.parametrize(
    "of",
    [
        KeyboardInterrupt(),
        MemoryError("no room"),
        MemoryError(),
        RuntimeError("can't start new thread"),
    ],
)
def test_neither_an_interrupt_nor_a_shortage_is_a_fault_of_the_program(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, of: BaseException
) -> None:
    def fail(*_: object, **__: object) -> object:
        if isinstance(of, KeyboardInterrupt):
            raise ImportError("half a library") from of  # as libraries in C say that they were interrupted
        raise of

    monkeypatch.setattr(inspection_run, "inspect_file", fail)
    if isinstance(of, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            run(folder)
        return
    code, lines = run(folder)
    lack = "does not fit into memory" if isinstance(of, MemoryError) else "no process or thread could be started for it"
    assert code == 2 and all(f"{lack} ({str(of) or 'there is not enough memory'})" in line["error"] for line in lines)
    assert "Traceback" not in caplog.text


def test_threshold_decides_the_exit_status(run: Any, folder: Path) -> None:
    _, lines = run(folder)
    low, high = sorted(line["score"] for line in lines)
    assert low < high
    code, lines = run(folder, "--threshold", str((low + high) / 2))
    assert code == 1 and sorted(line["verdict"] for line in lines) == ["fail", "pass"]
    assert Verdicts(0.5).on(0.5) == "pass" and Verdicts().on(0.5) is None


def test_calibration_takes_a_quantile_of_good_scans(run: Any, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    for seed in range(3):
        np.save(good / f"{seed}.npy", closed_shape(800, seed))
    _, lines = run(good)
    scores = [line["score"] for line in lines]
    worst = good / f"{np.argmax(scores)}.npy"
    code, (line,) = run(worst, "--calibrate", good, "--quantile", "1")
    assert code == 0 and line["threshold"] == pytest.approx(max(scores)) and line["verdict"] == "pass"
    code, (line,) = run(worst, "--calibrate", good, "--quantile", "0.5")
    assert code == 1 and line["threshold"] == pytest.approx(np.median(scores)) and line["verdict"] == "fail"


def test_pictures_are_found_by_name(run: Any, folder: Path, scan: np.ndarray, tmp_path: Path) -> None:
    pictures = tmp_path / "rgb"
    pictures.mkdir()
    Image.fromarray(np.full((*scan.shape[:2], 3), 120, np.uint8)).save(pictures / "bump.png")
    _, (line,) = run(folder / "deeper" / "bump.tiff", "--rgb", pictures)
    assert set(line["scores"]) == {"point", "color", "fused"} and line["score"] == line["scores"]["fused"]
    _, (same,) = run(folder / "deeper" / "bump.tiff", "--rgb", pictures / "bump.png")
    assert same["scores"] == line["scores"]
    code, (missing,) = run(folder / "blob.ply", "--rgb", pictures)
    assert code == 2 and "blob" in missing["error"]


def test_files_of_one_name_get_folders_of_their_own(run: Any, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "scan.npy", closed_shape(500))
    _, lines = run(tmp_path / "first", tmp_path / "second")
    assert [Path(line["output"]).name for line in lines] == ["scan", "scan_2"]


def test_the_results_of_two_runs_are_not_mixed(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "scan.npy", closed_shape(500))
    written = []

    def seen_by_another_run(name: str) -> None:
        original = getattr(inspection_run, name)

        def write(folder: Path, *arguments: Any, **options: Any) -> None:
            with try_lock(folder / inspection_run.WRITING) as is_free:
                assert not is_free
            original(folder, *arguments, **options)
            written.append(name)

        monkeypatch.setattr(inspection_run, name, write)

    def inspect_while_another_run_writes(*arguments: Any, **options: Any) -> Any:
        found = inspect_file(*arguments, **options)
        (tmp_path / "out" / "scan").mkdir(parents=True)
        for name in FILES:
            (tmp_path / "out" / "scan" / name).write_text("of another scan of this name")
        return found

    inspect_file = inspection_run.inspect_file
    monkeypatch.setattr(inspection_run, "inspect_file", inspect_while_another_run_writes)
    seen_by_another_run("write_inspection")
    seen_by_another_run("write_facts")
    code, _ = run(tmp_path / "scan.npy")
    assert code == 0 and written == ["write_inspection", "write_facts"]
    assert {path.name for path in (tmp_path / "out" / "scan").iterdir()} == set(FILES) - {"cloud.html"}
    monkeypatch.setattr(inspection_run, "inspect_file", inspect_file)
    seen_by_another_run("remove_outputs")
    assert run(tmp_path / "scan.npy")[0] == 0 and written[-4:-2] == ["remove_outputs", "remove_outputs"]


def test_own_outputs_are_no_scans(run: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", closed_shape(500))
    run(tmp_path)
    _, lines = run(tmp_path)
    assert len(lines) == 1


def test_nothing_to_do_is_an_error(run: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SCAN"):
        run()
    with pytest.raises(InputError, match="contains no scan"):
        run(tmp_path)


def test_files_that_are_not_read_are_counted(
    run: Any, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1.las", "2.LAS", "3.e57", "photo.png", "._4.las", "5.csv", "6.csv"):
        (folder / name).write_bytes(b"LASF")
    with caplog.at_level(logging.INFO):
        _, lines = run(folder)
    assert "2 scans to inspect; loading the model" in caplog.text
    assert len(lines) == 2
    skipped = [record.getMessage() for record in caplog.records if "skipped" in record.getMessage()]
    assert [line.split(": ", 1)[1].split(", as")[0] for line in skipped] == [
        "skipped 1 .e57 file",
        "skipped 2 .las files",
        f"skipped 2 .csv files; if they hold points, name them: {folder}/*.csv",
    ]
    assert "CloudCompare" in skipped[0] and "laspy" in skipped[1]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("1.csv", "2.csv"), r"no scan but 2 \.csv files, which folders are not searched for; .*/\*\.csv"),
        (("notes.txt", "1.glb"), r"no scan but 1 \.glb file, a format that is not read; save it as \.ply or \.stl"),
        (("1.png",), r"1 \.png file, a format that is not read; .*Height maps"),
        (("1.doc",), r"contains no scan; give a folder with files of the types (?!.*\.csv)"),
    ],
)
def test_a_folder_without_scans_says_what_it_holds(run: Any, tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).write_text("1 2 3")
    with pytest.raises(InputError, match=said):
        run(tmp_path)


def test_one_picture_is_not_taken_for_several_scans(run: Any, folder: Path, tmp_path: Path) -> None:
    scans = [tmp_path / kind / "000.tiff" for kind in ("good", "hole")]
    for path in scans:
        path.parent.mkdir()
        path.write_bytes((folder / "deeper" / "bump.tiff").read_bytes())
    pictures = tmp_path / "rgb"
    pictures.mkdir()
    Image.new("RGB", (200, 200)).save(pictures / "000.png")
    with pytest.raises(InputError, match="has one image 000 for several scans of that name"):
        run(*scans, "--rgb", pictures)
    with pytest.raises(InputError, match=r"000\.png: is one picture, and there are 2 scans"):
        run(scans[0], "--calibrate", scans[1], "--rgb", pictures / "000.png")
    assert not (tmp_path / "out").exists()


def test_nothing_of_an_earlier_scan_stays_when_one_fails(run: Any, folder: Path, tmp_path: Path) -> None:
    run(folder / "blob.ply", "--html", "--threshold", "1e9")
    written = tmp_path / "out" / "blob"
    assert json.loads((written / "prediction.json").read_text())["verdict"] == "pass"
    (folder / "blob.ply").write_text("ply")
    code, (line,) = run(folder / "blob.ply", "--threshold", "1e9")
    assert code == 2 and "error" in line
    assert not list(written.iterdir())


def test_a_pipe_under_the_name_of_a_result_is_not_replaced(run: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "blob").mkdir(parents=True)
    pipe = tmp_path / "out" / "blob" / "scores.npy"
    os.mkfifo(pipe)
    code, _ = run(folder / "blob.ply")
    assert code == 2 and pipe.is_fifo()


@pytest.mark.parametrize("role", ["scan", "good", "calibrate", "rgb"])
def test_nothing_that_is_read_is_replaced(run: Any, scan: np.ndarray, tmp_path: Path, role: str) -> None:
    own = {"scan": "scores.npy", "good": "scores.npy", "calibrate": "scores.npy", "rgb": "sheet.png"}[role]
    read = tmp_path / "out" / "sheet" / own
    read.parent.mkdir(parents=True)
    np.save(tmp_path / "sheet.npy", scan)
    if role == "rgb":
        Image.new("RGB", (200, 200)).save(read)
    else:
        np.save(read, closed_shape(500, 1))
    if role == "scan":
        arguments = [read, tmp_path / "sheet.npy"]
    else:
        flag = {"good": "--good", "calibrate": "--calibrate", "rgb": "--rgb"}[role]
        arguments = [tmp_path / "sheet.npy", flag, read]
    before = read.read_bytes()
    with pytest.raises(InputError, match=f"{own}: would be replaced by a result of this name; choose another"):
        run(*arguments)
    assert read.read_bytes() == before


def test_results_of_other_runs_are_no_scans(run: Any, folder: Path, tmp_path: Path) -> None:
    assert run(folder / "blob.ply", "--views", "1")[0] == 0
    (tmp_path / "out").rename(folder / "earlier")
    pictures = folder / "pictures" / "blob" / "test" / "unlabelled"
    (pictures / "2d_3d_cor" / "blob").mkdir(parents=True)
    for path in (pictures / "2d_3d_cor" / "blob" / "view_0_cor.npy", pictures / "points.npy"):
        np.save(path, closed_shape(500))
    code, lines = run(folder, "--views", "1")
    assert code == 0 and [Path(line["file"]).name for line in lines] == ["blob.ply", "bump.tiff"]


def test_output_folders_that_cannot_be(run: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (folder / "blob.ply").rename(tmp_path / "out" / "blob.ply")
    with pytest.raises(InputError, match=r"holds scans only in the output folder .*; choose another output folder"):
        run(tmp_path / "out")
    (tmp_path / "out" / "blob.ply").rename(folder / "blob.ply")
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(InputError, match="out: is not a folder"):
        run(folder)


def test_names_that_some_systems_take_for_one(tmp_path: Path) -> None:
    names = ["e\u0301.ply", "\u00e9.ply", "\u00c9.ply", "stra\u00dfe.ply", "STRASSE.ply"]
    folders = output_folders([tmp_path / name for name in names], tmp_path)
    assert [folder.name for folder in folders] == ["e\u0301", "\u00e9_2", "\u00c9_3", "stra\u00dfe", "STRASSE_2"]

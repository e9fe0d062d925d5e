"""Good scans on the command line: predict.py --good and --reference, reference.py, decisions with a stated rate."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sample_scans import closed_shape, depth_scan

from pointad.commands import predict, reference
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD


@pytest.fixture
def run(detector: PointAD, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path) -> Any:
    """Run predict.py in this process with the small detector: its exit code and its lines."""
    monkeypatch.setattr(PointAD, "from_checkpoint", classmethod(lambda cls, *_, **__: detector))

    def call(*arguments: object) -> tuple[int, list[dict]]:
        folders = ["--output", str(tmp_path / "out"), "--reference_cache", str(tmp_path / "kept")]
        code = predict.main(predict.build_parser().parse_args([*map(str, arguments), *folders]))
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with five good scans and a bad one beside it."""
    (tmp_path / "good").mkdir()
    for seed in range(5):
        np.save(tmp_path / "good" / f"{seed}.npy", closed_shape(800, seed))
    bad = closed_shape(800, 9)
    distance = np.linalg.norm(bad - bad[np.argmax(bad[:, 0])], axis=1)
    np.save(tmp_path / "bad.npy", bad * (1 - 0.25 * np.exp(-((distance / 6) ** 2)))[:, None])
    return tmp_path


def test_five_good_files_and_a_bad_one(run: Any, scans: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        code, (line,) = run(scans / "bad.npy", "--good", scans / "good", "--false_alarm_rate", "0.2")
    assert code == 1 and line["verdict"] == "fail" and line["p_value"] == pytest.approx(1 / 6)
    written = json.loads((scans / "out" / "bad" / "prediction.json").read_text())
    assert written["good_scans"] == 5 and written["false_alarm_rate"] == 0.2
    assert "processing 5 good scans" in caplog.text

    caplog.clear()
    with caplog.at_level("INFO"):
        _, (again,) = run(scans / "bad.npy", "--good", scans / "good")
    assert again["score"] == line["score"] and again["verdict"] is None and "p_value" not in again
    assert "processing" not in caplog.text and "cached in" in caplog.text


def test_a_cache_that_cannot_be_written_is_told_before_good_scans_are_looked_at(
    run: Any, scans: Path, detector: PointAD, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(detector), "make_reference", lambda *_, **__: pytest.fail("minutes of work"))
    (scans / "kept").touch()
    with pytest.raises(InputError, match=r"kept: is not a folder"):
        run(scans / "bad.npy", "--good", scans / "good")
    arguments = [str(scans / "good"), "--output", str(scans / "kept" / "good.safetensors")]
    with pytest.raises(InputError, match=r"kept/.*: cannot be written"):
        reference.main(reference.build_parser().parse_args(arguments))


def test_a_cached_reference_of_other_good_scans_is_not_used(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = ([scans / "good" / f"{seed}.npy" for seed in seeds] for seeds in ((0, 1), (2,)))
    _, (line,) = run(scans / "bad.npy", "--good", *first)
    (kept,) = (scans / "kept").iterdir()
    run(scans / "bad.npy", "--good", *second)
    (other,) = set((scans / "kept").iterdir()) - {kept}
    kept.write_bytes(other.read_bytes())
    _, (again,) = run(scans / "bad.npy", "--good", *first)
    assert again["score"] == line["score"]
    assert f"{kept}: was made from other good scans, and is made again" in caplog.text


def test_a_reference_from_its_own_program(run: Any, scans: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = scans / "shape.safetensors"
    flags = [str(scans / "good" / "0.npy"), str(scans / "good" / "1.npy"), "--output", str(path)]
    reference.main(reference.build_parser().parse_args(flags))
    _, (stored,) = run(scans / "bad.npy", "--reference", path)
    _, (made,) = run(scans / "bad.npy", "--good", scans / "good" / "0.npy", scans / "good" / "1.npy")
    assert stored["score"] == made["score"]


def test_a_reference_may_be_called_like_the_folder_of_its_scans(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    reference.main(
        reference.build_parser().parse_args([str(scans / "good"), "--output", f"{scans / 'good.safetensors'}"])
    )
    count = len(list((scans / "good").glob("*.npy")))
    assert f"reference of {count} good scans written" in caplog.text


def test_copies_are_known_after_the_good_scans_of_a_reference_have_moved(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = scans / "shape.safetensors"
    flags = [str(scans / "good" / "0.npy"), str(scans / "good" / "1.npy"), "--output", str(path)]
    reference.main(reference.build_parser().parse_args(flags))
    (scans / "good").rename(scans / "incoming")
    run(scans / "incoming" / "1.npy", scans / "bad.npy", "--reference", path)
    assert caplog.text.count("is one of the good scans; compared with itself") == 1
    with pytest.raises(InputError, match=r"0\.npy: is one of the good scans that others are compared with"):
        run(scans / "bad.npy", "--reference", path, "--calibrate", scans / "incoming" / "0.npy")


def test_held_out_scans_tell_the_rate_that_comes_out(run: Any, scans: Path, caplog: pytest.LogCaptureFixture) -> None:
    held_out = scans / "held_out"
    held_out.mkdir()
    for seed in range(20, 22):
        np.save(held_out / f"{seed}.npy", closed_shape(800, seed))
    good = [scans / "good" / f"{seed}.npy" for seed in range(2)]
    with caplog.at_level("INFO"):
        run("--good", *good, "--false_alarm_rate", "0.4", "--calibrate", held_out)
    assert "on 2 held-out good scans" in caplog.text and "95 % interval" in caplog.text


def test_scans_that_are_compared_with_themselves_are_told(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = [scans / "good" / f"{seed}.npy" for seed in range(2)]
    with pytest.raises(InputError, match=r"1\.npy: is one of the good scans that others are compared with"):
        run(scans / "bad.npy", "--good", *good, "--calibrate", scans / "good" / ".." / "good" / "1.npy")
    run(scans / "good" / "0.npy", "--good", *good)
    assert "0.npy: is one of the good scans; compared with itself" in caplog.text


def test_copies_of_good_scans_are_known_by_their_content(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = [scans / "good" / f"{seed}.npy" for seed in range(2)]
    copy = scans / "copy.npy"
    copy.write_bytes(good[1].read_bytes())
    with pytest.raises(InputError, match=r"copy\.npy: is one of the good scans that others are compared with"):
        run(scans / "bad.npy", "--good", *good, "--calibrate", copy)
    run(copy, "--good", *good)
    assert "copy.npy: is one of the good scans; compared with itself" in caplog.text
    for twice in (copy, good[1]):
        with pytest.raises(InputError, match=r"holds the same scan as .*1\.npy; give every good scan once"):
            run(scans / "bad.npy", "--calibrate", *good, twice, "--false_alarm_rate", "0.25")


def test_copies_of_good_scans_are_known_in_other_formats(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = scans / "good"
    copy, twin, other = scans / "copy.xyz", scans / "twin.xyz", scans / "other.npy"
    points = np.load(good / "1.npy")
    np.savetxt(copy, np.random.default_rng(0).permutation(points), fmt="%.4f")
    np.save(other, closed_shape(800, 7))
    np.savetxt(twin, np.load(other), fmt="%.5f")
    for _ in range(2):  # the second time with the reference that was kept
        caplog.clear()
        run(copy, other, "--good", good)
        assert caplog.text.count("copy.xyz: is one of the good scans; compared with itself") == 1
        assert "other.npy: is one" not in caplog.text
    with pytest.raises(InputError, match=r"copy\.xyz: is one of the good scans that others are compared with"):
        run(scans / "bad.npy", "--good", good, "--calibrate", copy)
    with pytest.raises(InputError, match=r"twin\.xyz: holds the same scan as .*other\.npy; give every good scan once"):
        run(scans / "bad.npy", "--calibrate", other, twin)
    with pytest.raises(InputError, match=r"copy\.xyz: holds the same points as .*1\.npy; give every good scan once"):
        run(scans / "bad.npy", "--good", good, copy)


def test_a_scan_that_is_read_unlike_the_good_ones_is_named(
    run: Any, scans: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = scans / "tables", np.load(scans / "bad.npy")
    good.mkdir()
    for seed in range(2):
        np.savetxt(good / f"{seed}.xyz", closed_shape(800, seed), fmt="%.4f")
    np.savetxt(scans / "alike.xyz", bad, fmt="%.4f")
    np.savetxt(scans / "more.xyz", np.column_stack([bad, np.arange(800) % 7]), fmt="%.4f")
    names = "depth x y z"
    np.savetxt(scans / "named.xyz", np.column_stack([bad[:, 2], bad]), fmt="%.4f", header=names, comments="")
    path = scans / "tables.safetensors"
    reference.main(reference.build_parser().parse_args([str(good), "--output", str(path)]))
    for flags in (("--reference", path), ("--good", good), ("--good", good)):  # the last one is kept in a cache
        caplog.clear()
        run(scans / "alike.xyz", scans / "more.xyz", scans / "named.xyz", scans / "bad.npy", *flags)
        (said,) = [line for line in caplog.messages if "was not read as the good" in line]
        assert "/named.xyz: was not read as the good .xyz scans were: x, y, z: columns 2 (x), 3 (y), 4 (z) of 4" in said
        assert said.endswith(
            "instead of x, y, z: columns 1, 2, 3 of 3; cloud; the score is only meaningful if these are the same "
            "coordinates"
        )


def test_what_makes_a_verdict_worth_less_is_told(run: Any, scans: Path, caplog: pytest.LogCaptureFixture) -> None:
    large, own = scans / "large.npy", scans / "own.xyz"
    np.save(large, 2 * closed_shape(800, 7))
    np.savetxt(own, np.load(scans / "good" / "0.npy"), fmt="%.4f")
    run(large, "--good", scans / "good")
    assert "/large.npy: is 2 times as large as the good scans (largest side " in caplog.text
    caplog.clear()
    run(scans / "bad.npy", own, "--calibrate", scans / "good")
    assert (
        caplog.text.count("is one of the scans of --calibrate, so its own score is part of what it is judged by") == 1
    )
    assert "largest side" not in caplog.text
    one = scans / "one.safetensors"
    reference.main(reference.build_parser().parse_args([str(scans / "good" / "0.npy"), "--output", str(one)]))
    with pytest.raises(InputError, match=r"takes the scores of 3 good scans, and there is 1; give 2 more"):
        run(scans / "bad.npy", "--reference", one, "--false_alarm_rate", "0.3")


def test_what_does_not_go_together_is_refused(run: Any, scans: Path) -> None:
    bad, good = scans / "bad.npy", scans / "good" / "0.npy"
    with pytest.raises(InputError, match="takes the scores of 19 good scans, and there are 2; give 17 more"):
        run(bad, "--good", good, scans / "good" / "1.npy", "--false_alarm_rate", "0.05")
    with pytest.raises(InputError, match="takes the scores of 4 good scans, and there is 1; give 3 more"):
        run(bad, "--good", good, "--false_alarm_rate", "0.2")
    with pytest.raises(InputError, match="--false_alarm_rate: needs the scores of good scans"):
        run(bad, "--false_alarm_rate", "0.05")
    with pytest.raises(InputError, match="omit --threshold"):
        run(bad, "--good", good, "--false_alarm_rate", "0.5", "--threshold", "0.5")
    for others in ((), ("--calibrate", good, "--false_alarm_rate", "0.5")):
        with pytest.raises(InputError, match="--quantile: only applies to a threshold from --calibrate"):
            run(bad, "--quantile", "0.5", *others)
    with pytest.raises(InputError, match="--heat_range: LOW is not below HIGH"):
        run(bad, "--heat_range", "0.9", "0.1")
    (scans / "empty").mkdir()
    with pytest.raises(InputError, match="empty: contains no scan"):
        run(bad, "--good", scans / "empty")
    with pytest.raises(InputError, match=r"bad\.npy: not a reference"):
        run(bad, "--reference", bad)
    with pytest.raises(InputError, match="good: is a folder; name a file"):
        run(bad, "--reference", scans / "good")


def test_scans_for_calibration_differ_by_what_is_compared(run: Any, tmp_path: Path) -> None:
    points = depth_scan(60, 60)
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", points * np.float32(1 + 0.01 * number))
    coloured = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for grey, path in enumerate(coloured):
        np.savez(path, points=points, colors=np.full(points.shape, 90 + grey, np.uint8))
    good = ("--good", tmp_path / "1.npy", tmp_path / "2.npy")
    with pytest.raises(InputError, match="holds the same scan as"):
        run(tmp_path / "0.npy", *good, "--calibrate", *coloured)
    with pytest.raises(InputError, match="is one of the good scans that others are compared with"):
        run(tmp_path / "1.npy", "--good", tmp_path / "0.npy", tmp_path / "1.npy", "--calibrate", coloured[0])


def test_pictures_of_good_scans_lie_in_a_folder_of_their_own(
    run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("good", "pictures"):
        (tmp_path / folder).mkdir()
    for name in ("0", "1"):
        np.save(tmp_path / "good" / f"{name}.npy", depth_scan(60, 60))
        grey = np.random.default_rng(int(name)).integers(90, 110, size=(60, 60, 3), dtype=np.uint8)
        Image.fromarray(grey).save(tmp_path / "pictures" / f"{name}.png")
    good = ("--good", tmp_path / "good", "--good_rgb", tmp_path / "pictures")
    scan = tmp_path / "good" / "0.npy"
    other = tmp_path / "2.npy"
    np.save(other, depth_scan(60, 60))
    Image.fromarray(grey[::-1]).save(tmp_path / "pictures" / "2.png")
    assert run(other, "--calibrate", tmp_path / "good", "--rgb", tmp_path / "pictures")[0] < 2, "only pictures differ"
    assert "is one of the scans" not in caplog.text
    _, (with_picture,) = run(scan, *good, "--rgb", tmp_path / "pictures" / "0.png")
    assert set(with_picture["scores"]) == {"point", "color", "fused"}
    with caplog.at_level("ERROR"):
        code, (without,) = run(scan, *good)
    assert code == 2 and without["error"].startswith(f"{scan}: has no RGB picture, and the good scans")
    (tmp_path / "pictures" / "1.png").unlink()
    with pytest.raises(InputError, match="has no image named 1; give a folder with an image for every scan"):
        run(scan, *good)
    with pytest.raises(InputError, match="--good_rgb: is for the scans of --good, and none were given; add --good"):
        run(scan, "--good_rgb", tmp_path / "pictures")


def test_good_scans_share_no_picture(run: Any, tmp_path: Path) -> None:
    for folder in ("good", "more"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "0.npy", depth_scan(60, 60))
    np.save(tmp_path / "good" / "1.npy", depth_scan(60, 60))
    picture = tmp_path / "0.png"
    Image.fromarray(np.zeros((60, 60, 3), np.uint8)).save(picture)
    for good, rgb, said in (
        (["good"], picture, r"0\.png: is one picture, and there are 2 scans"),
        (["good", "more"], tmp_path, "has one image 0 for several scans of that name"),
    ):
        words = [*(str(tmp_path / name) for name in good), "--rgb", str(rgb), "--output", str(tmp_path / "good.bin")]
        with pytest.raises(InputError, match=said):
            reference.main(reference.build_parser().parse_args(words))
    assert not (tmp_path / "good.bin").exists()


def test_too_few_good_scans_are_refused_before_any_is_looked_at(
    run: Any, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PointAD, "from_checkpoint", lambda *_, **__: pytest.fail("the model was loaded"))
    with pytest.raises(InputError, match="there are 5; give 14 more, or a rate"):
        run(scans / "bad.npy", "--good", scans / "good", "--false_alarm_rate", "0.05")
    with pytest.raises(InputError, match="there are 5; give 4 more"):
        run(scans / "bad.npy", "--calibrate", scans / "good", "--false_alarm_rate", "0.1")


def test_a_damaged_good_scan_is_named(run: Any, scans: Path) -> None:
    (scans / "good" / "2.npy").write_bytes(b"not an array")
    with pytest.raises(InputError, match=r"good/2\.npy: "):
        run(scans / "bad.npy", "--good", scans / "good")
    assert not (scans / "out").exists() and not (scans / "kept").exists()


def test_a_reference_made_otherwise_is_refused_once(run: Any, scans: Path, capsys: pytest.CaptureFixture) -> None:
    path = scans / "shape.safetensors"
    flags = [str(scans / "good" / "0.npy"), "--output", str(path), "--rig", "front"]
    reference.main(reference.build_parser().parse_args(flags))
    with pytest.raises(InputError, match=r"was made with other settings \(views, rendering rig\); make the reference"):
        run(scans / "bad.npy", scans / "good", "--reference", path)
    assert capsys.readouterr().out == ""


def test_scans_of_another_density_are_compared_too(run: Any, scans: Path) -> None:
    np.save(scans / "thin.npy", closed_shape(300, 3))
    code, (line,) = run(scans / "thin.npy", "--good", scans / "good" / "0.npy")
    assert code == 0 and "error" not in line


def test_a_reference_never_replaces_a_good_scan(run: Any, scans: Path) -> None:
    path = scans / "good" / "0.npy"
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"0\.npy: exists, and is no reference"):
        reference.main(reference.build_parser().parse_args([str(scans / "good"), "--output", str(path)]))
    assert path.read_bytes() == before


def test_a_pipe_among_the_good_scans_is_never_opened(run: Any, scans: Path) -> None:
    os.mkfifo(scans / "pipe.npy")
    with pytest.raises(InputError, match=r"pipe\.npy: is a pipe"):
        run(scans / "bad.npy", "--good", scans / "pipe.npy")

"""A threshold from --calibrate judges only scores that are comparable with those that it was made from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_scans import closed_shape, depth_scan

from pointad.commands import predict
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD

COLORED, GREY, CLOUD = "with a pixel grid and a picture", "with a pixel grid and no picture", "without a pixel grid"
RATE = ("--false_alarm_rate", "0.5")


@pytest.fixture
def run(detector: PointAD, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path) -> Any:
    """Run predict.py in this process with the small detector, one view: its exit code and its lines."""
    monkeypatch.setattr(PointAD, "from_checkpoint", classmethod(lambda cls, *_, **__: detector))

    def call(*arguments: object) -> tuple[int, list[dict]]:
        flags = ["--output", str(tmp_path / "out"), "--views", "1"]
        code = predict.main(predict.build_parser().parse_args([*map(str, arguments), *flags]))
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def scans(tmp_path: Path) -> dict[str, Path]:
    """One scan of each kind, by its kind."""
    points = depth_scan(60, 50)
    paths = {COLORED: tmp_path / "colored.npz", GREY: tmp_path / "grey.npy", CLOUD: tmp_path / "cloud.npy"}
    np.savez(paths[COLORED], points=points, colors=np.full(points.shape, 90, np.uint8))
    np.save(paths[GREY], points)
    np.save(paths[CLOUD], closed_shape(500))
    return paths


@pytest.mark.parametrize(("good", "rate"), [(COLORED, RATE), (GREY, ()), (CLOUD, ())])
def test_scans_of_another_kind_get_no_verdict(
    run: Any, scans: dict[str, Path], tmp_path: Path, good: str, rate: tuple[str, ...]
) -> None:
    code, lines = run(*scans.values(), "--calibrate", scans[good], *rate)
    assert code == 2 and len(lines) == 3
    for kind, line in zip(scans, lines, strict=True):
        if kind == good:
            assert "verdict" in line and line["threshold"] == line["score"]
        else:
            expected = f"{scans[kind]}: is {kind}, and the scans of --calibrate are {good}; its score would not be"
            assert line["error"].startswith(expected)
            assert not list((tmp_path / "out" / scans[kind].stem).glob("*"))


@pytest.mark.parametrize(("mixed", "rate"), [((COLORED, GREY), ()), ((GREY, CLOUD), RATE)])
def test_good_scans_of_several_kinds_make_no_threshold(
    run: Any, scans: dict[str, Path], mixed: tuple[str, str], rate: tuple[str, ...]
) -> None:
    first, second = mixed
    text = f"{scans[second].name}: is {second}, and the scans of --calibrate before it are {first}"
    with pytest.raises(InputError, match=text):
        run(scans[first], "--calibrate", scans[first], scans[second], *rate)


def test_a_threshold_of_the_users_own_judges_scans_of_all_kinds(run: Any, scans: dict[str, Path]) -> None:
    code, lines = run(*scans.values(), "--threshold", "1e9")
    assert code == 0 and [line["verdict"] for line in lines] == ["pass"] * 3

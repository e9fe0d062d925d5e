"""docs/outputs.md names every key that is written, and its lines of pandas load the files as they stand."""

import dataclasses
import importlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from toy_runs import write_losses, write_run

from pointad.commands.shots_outputs import COLUMNS as SHOTS_COLUMNS
from pointad.commands.shots_outputs import to_csv as shots_to_csv
from pointad.data.raw import RenderingOptions
from pointad.data.rendering_settings import settings_of
from pointad.evaluation.protocol import Protocol
from pointad.evaluation.run_record import Inputs, Provenance, RunRecord, TrainingRecord, to_json
from pointad.evaluation.sample_outputs import MAPS_COLUMN, PICTURE_COLUMN, SCORE_COLUMNS
from pointad.metrics import ALL_METRICS
from pointad.reference.shots import ShotOutcome
from pointad.report.formats import CSV_COLUMNS, to_csv
from pointad.report.protocol_tables import protocol_tables
from pointad.report.tidy import COLUMNS, to_tidy_csv

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "outputs.md").read_text(encoding="utf-8")


def test_every_key_is_explained() -> None:
    keys = {
        field.name
        for kind in (Provenance, Inputs, TrainingRecord, RunRecord, Protocol)
        for field in dataclasses.fields(kind)
    }
    keys |= {
        *SCORE_COLUMNS,
        MAPS_COLUMN,
        PICTURE_COLUMN,
        *CSV_COLUMNS,
        *COLUMNS,
        *SHOTS_COLUMNS,
        *settings_of("mvtec_pc_3d_rgb", RenderingOptions()),
    }
    keys |= {name for name in ALL_METRICS if not re.search(r"\d", name)}
    prose = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
    explained = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert sorted(keys - {"others"} - explained) == []


def shots_csv() -> str:
    def outcome(shots: int, draw: int, value: float) -> ShotOutcome:
        return ShotOutcome("kite", "bear", shots, draw, "test", ("000",) * shots, {"point": {"image_auroc": value}})

    return shots_to_csv([outcome(0, 0, 0.5), outcome(1, 0, 0.5), outcome(1, 1, 1.0)])


@pytest.mark.filterwarnings("ignore")
def test_lines_of_pandas_load_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    run = write_run(tmp_path, save_maps=True, training={"seed": 111, "provenance": {"code": "abc"}})
    write_losses(tmp_path / "epoch_2.pth")
    (tmp_path / "run.json").write_text(json.dumps(to_json(TrainingRecord(seed=1))))
    (tmp_path / "figures.csv").write_text(to_tidy_csv([run]))
    (tmp_path / "tables.csv").write_text(to_csv(protocol_tables([run])))
    (tmp_path / "shots.csv").write_text(shots_csv())
    correspondences = tmp_path / "2d_3d_cor" / "000" / "view_0_cor.npy"
    correspondences.parent.mkdir(parents=True)
    np.save(correspondences, np.zeros((5, 3), np.int16))
    monkeypatch.chdir(tmp_path)

    names = {name: importlib.import_module(name) for name in ("pandas", "numpy", "json")}
    loaded: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) == 10
    for block in blocks:
        exec(block, names, loaded)
        names.update(loaded)
    assert set(loaded["scores"]["id"]) == {f"{index:03d}" for index in range(6)}
    assert loaded["facts"]["training.provenance.code"].tolist() == ["abc"]
    counted = loaded["table"].xs(("PointAD", "point", "image_auroc"), level=("method", "modality", "metric"))
    assert counted["count"].tolist() == [1] and set(loaded["row"]) < set(loaded["figures"].columns)
    assert loaded["few"].loc[("kite", "mean"), ("mean", "1-shot")] == 0.75
    assert loaded["losses"].shape[0] == 2 and len(loaded["points"]) == 5
    assert loaded["pixels"].anomalous.sum() == 70 and isinstance(loaded["roc"], pandas.DataFrame)

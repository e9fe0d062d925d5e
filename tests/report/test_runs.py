"""Finding runs and reading what they left."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_runs import MODALITIES, TOYS, write_losses

from pointad.errors import InputError
from pointad.evaluation.provenance import file_fingerprint
from pointad.evaluation.run_record import Provenance, TrainingRecord, to_json
from pointad.report.runs import Run, find_runs, read_curves, read_losses, read_scores


def test_finds_every_run_once(make_run: Callable[..., Run], tmp_path: Path) -> None:
    first, second = make_run(), make_run(seed=2)
    found = find_runs([tmp_path, first.folder, second.folder / "results.json"])
    assert [run.folder for run in found] == [first.folder, second.folder]
    assert found[0].results == first.results


@pytest.mark.parametrize("name", ["nothing", "absent"])
def test_says_where_there_is_no_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match=name):
        find_runs([tmp_path / name])


def test_reads_what_test_py_wrote(full_run: Run) -> None:
    scores = read_scores(full_run)
    assert [s.class_name for s in scores] == [name for name in TOYS for _ in range(6)]
    assert [s.label for s in scores[:6]] == [0, 0, 1, 1, 1, 1]
    assert set(scores[0].scores) == set(MODALITIES)
    curves = read_curves(full_run)
    assert set(curves) == set(TOYS)
    assert curves["bear"]["fused"]["pixel"]["pro"]["height"][-1] == 1
    losses = read_losses(full_run)
    assert losses["d2_pixel_loss"] == [1.5, 1.5, 1.5, 0.75, 0.75, 0.75]


def test_scores_without_colour(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    run = make_run()
    (run.folder / "scores.csv").write_text(
        "class,species,id,label,point_score,color_score,fused_score\nduck,good,000,0,0.5,,\n"
    )
    assert read_scores(run)[0].scores == {"point": 0.5}


def test_missing_files_are_nothing(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    run = make_run()
    for name in ("scores.csv", "curves.json"):
        (run.folder / name).unlink()
    assert read_scores(run) == []
    assert read_curves(run) == {}
    assert read_losses(run) == {}


def test_losses_of_a_relative_checkpoint(make_run: Callable[..., Run], tmp_path: Path) -> None:
    write_losses(tmp_path / "training" / "epoch_2.pth")
    run = make_run(checkpoint="training/epoch_2.pth")
    assert read_losses(run) == {}
    assert len(read_losses(run, [tmp_path])["epoch"]) == 6


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("scores.csv", "class,id\nduck,1\n", read_scores),
        ("scores.csv", "class,species,id,label,point_score\nduck,good,000,no,0.5\n", read_scores),
        ("curves.json", "{", read_curves),
        ("curves.json", "[]", read_curves),
    ],
)
def test_broken_files_are_named(make_run: Callable[..., Run], name: str, text: str, read: Callable) -> None:
    run = make_run()
    (run.folder / name).write_text(text)
    with pytest.raises(InputError, match=name):
        read(run)


def test_broken_losses_are_named(make_run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_text("epoch,step,d2_pixel_loss\n1,1,low\n")
    with pytest.raises(InputError, match=r"losses\.csv"):
        read_losses(make_run(checkpoint=str(tmp_path / "epoch_1.pth")))


def test_losses_of_prompts_that_were_trained_again_are_not_shown(
    make_run: Callable[..., Run], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = tmp_path / "training" / "epoch_2.pth"
    write_losses(checkpoint)
    checkpoint.write_bytes(b"tested")
    run = make_run(checkpoint=str(checkpoint), checkpoint_fingerprint=file_fingerprint(checkpoint))
    assert len(read_losses(run)["epoch"]) == 6
    checkpoint.write_bytes(b"trained again")
    assert read_losses(run) == {}
    assert f"{checkpoint}: the prompts have been replaced" in caplog.text


def test_losses_that_end_before_the_tested_epoch_are_not_shown(
    make_run: Callable[..., Run], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = tmp_path / "training" / "epoch_3.pth"
    write_losses(checkpoint)
    assert len(read_losses(make_run(checkpoint=str(checkpoint), epoch=2))["epoch"]) == 6
    assert read_losses(make_run(checkpoint=str(checkpoint), epoch=3)) == {}
    assert "losses.csv: lacks the tested epoch 3" in caplog.text


def test_losses_of_another_training_in_the_folder_are_not_shown(
    make_run: Callable[..., Run], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = tmp_path / "training" / "epoch_2.pth"
    write_losses(checkpoint)  # of a training that was killed before it had reached the tested epoch
    tested = to_json(TrainingRecord(seed=1, epochs=2, epoch=2, masks="ab", pictures="cd"))
    fingerprint = hashlib.sha256(b"tested").hexdigest()[:16]
    run = make_run(checkpoint=str(checkpoint), checkpoint_fingerprint=fingerprint, training=tested)
    path = checkpoint.with_name("run.json")
    elsewhere = Provenance(code="of another version")
    same: tuple[dict[str, Any], ...] = ({"seed": 1, "epochs": 5}, {"pictures": "ef", "provenance": elsewhere})
    others: tuple[dict[str, Any], ...] = ({"seed": 2}, {"seed": 1, "pictures": "ef"}, {"seed": 1, "masks": "ef"})
    for _ in range(2):  # without the tested prompts, and with them as a copy beside those of another training
        for facts in (*same, *others):
            path.write_text(json.dumps(to_json(TrainingRecord(**facts))))
            assert bool(read_losses(run)) is (facts not in others)
        checkpoint.write_bytes(b"tested")
    assert caplog.text.count(f"{path.parent}: belongs to another training") == 6

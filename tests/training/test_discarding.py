"""What is left of a training whose removal is cut short."""

from pathlib import Path

import pytest

from pointad.training.run_folder import checkpoint_files, discard_training, origin_file

LEFT = ("run.json", "log.txt", "epoch_best.pth")


@pytest.mark.parametrize("removed", range(6))
def test_a_restart_that_is_killed_leaves_nothing_that_the_next_does_not_find(
    removed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("training_state.pt", "losses.csv", *LEFT):
        (tmp_path / name).write_text("old")
    for epoch in (1, 2):
        for suffix in ("pth", "json"):
            (tmp_path / f"epoch_{epoch}.{suffix}").write_text("old")
    unlink, done = Path.unlink, 0

    def killed_in_the_middle(path: Path, missing_ok: bool = False) -> None:
        nonlocal done
        if done == removed:
            raise KeyboardInterrupt
        done += 1
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed_in_the_middle)
        with pytest.raises(KeyboardInterrupt):
            discard_training(tmp_path)
    discard_training(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(LEFT)


def test_origins_go_before_their_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for epoch in (1, 2):
        for suffix in ("pth", "json"):
            (tmp_path / f"epoch_{epoch}.{suffix}").write_text("old")
    gone: list[str] = []
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: gone.append(path.name))
    discard_training(tmp_path)
    for checkpoint in checkpoint_files(tmp_path):
        assert gone.index(origin_file(checkpoint).name) < gone.index(checkpoint.name)

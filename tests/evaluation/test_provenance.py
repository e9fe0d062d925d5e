"""What is recorded about the code and the place."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from pointad.evaluation.provenance import code_fingerprint, fingerprint, git_state, provenance


def commit(folder: Path) -> None:
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)


def library(folder: Path) -> Path:
    for name in ("__init__.py", "training/losses.py", "commands/training_run.py", "report/page.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("pass\n")
    return folder


def test_it_names_code_place_and_packages() -> None:
    found = provenance("cpu", "python test.py")
    assert found.code == code_fingerprint() and found.device == "cpu" and found.command == "python test.py"
    assert found.packages is not None and {"torch", "numpy"} <= set(found.packages)
    assert found.date is not None and found.date.endswith("+00:00")
    json.dumps(asdict(found))


def test_git_tells_revision_and_changes(tmp_path: Path) -> None:
    folder = library(tmp_path / "pointad")
    assert git_state(folder) == (None, None)
    commit(tmp_path)
    revision, clean = git_state(folder)
    assert revision is not None and len(revision) == 40 and clean
    (folder / "training" / "losses.py").write_text("changed\n")
    assert git_state(folder) == (revision, False)


def test_a_library_inside_somebody_elses_repository_has_no_revision(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    commit(tmp_path)
    assert git_state(library(tmp_path / "site-packages" / "pointad")) == (None, None)


def test_code_counts_where_numbers_depend_on_it(tmp_path: Path) -> None:
    prints = []
    for name, changed in (
        ("a", None),
        ("b", "report/page.py"),
        ("c", "training/losses.py"),
        ("d", "commands/training_run.py"),
    ):
        folder = library(tmp_path / name)
        if changed:
            (folder / changed).write_text("changed\n")
        prints.append(code_fingerprint(folder))
    assert prints[0] == prints[1] and len(set(prints)) == 3  # that of commands makes the prompts to begin with


def test_order_counts_in_fingerprints_of_lists() -> None:
    assert fingerprint(["a", "b"]) == fingerprint(iter(["a", "b"])) != fingerprint(["b", "a"])


def test_nothing_runs_that_a_repository_further_up_names(tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    folder = library(strange / "PointAD" / "pointad")
    commit(strange)
    hook = strange / ".git" / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/run'\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(strange), "config", "core.fsmonitor", str(hook)], check=True)
    assert git_state(folder) == (None, None) and not (tmp_path / "run").exists()
    (folder.parent / ".git").mkdir()  # no repository: git itself would go on looking further up
    assert git_state(folder) == (None, None) and not (tmp_path / "run").exists()

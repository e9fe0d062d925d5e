"""Runs the protocol scripts with a stand-in for python that notes its arguments and leaves each program's files."""

import shutil
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"

STAND_IN = (
    f"""#!/usr/bin/env bash
program=${{1#$(cd "$(dirname "$0")" && pwd)/}} program=${{program#./}}
[ "$program" = "${{FAIL_AT:-}}" ] && [ -f calls.txt ] && exit 2
case $program in
  scripts/training_classes.py | scripts/shared_flags.py) exec {sys.executable} {SCRIPTS}/$(basename "$1") "${{@:2}}" ;;
esac
"""
    + """echo "$program ${*:2}" >> calls.txt
save= checkpoints=() flag= epoch= below=
for word in "${@:2}"; do
  case $word in
    --*) flag=$word ;;
    *)
      [ "$flag" = --save_path ] || [ "$flag" = --rendered ] && save=$word
      [ "$flag" = --epoch ] && epoch=$word
      [ "$flag" = --shots ] && below=/$word-shot
      [ "$flag" = --checkpoint_path ] && checkpoints+=("$word") ;;
  esac
done
[ "$program" = "${FAIL_AT:-}" ] && exit 2
[ "$program" = "${INTERRUPTED_AT:-}" ] && kill -INT $PPID
case $program in
  train.py) mkdir -p "$save" && touch "$save/epoch_$epoch.pth" ;;
  test.py)
    for checkpoint in "${checkpoints[@]}"; do [ -f "$checkpoint" ] || exit 3; done
    if [ "${#checkpoints[@]}" -le 1 ]; then
      mkdir -p "$save$below" && touch "$save$below/results.json"
    else
      for checkpoint in "${checkpoints[@]}"; do
        folder=$save/$(basename "$(dirname "$checkpoint")")$below
        mkdir -p "$folder" && touch "$folder/results.json"
      done
    fi ;;
  scripts/make_demo_data.py) mkdir -p "$save" && touch "$save/all_meta.json" ;;
esac
"""
)


def make_workspace(folder: Path) -> Path:
    """A folder with the scripts, the stand-in, and folders of data sets below `sets`."""
    (folder / "scripts").mkdir(parents=True)
    for name in ("eye", "mvtec", "mine", "my scans"):
        (folder / "sets" / name).mkdir(parents=True)
    for name in ("checks.sh", "runs.sh", "protocol.sh", "one_vs_rest.sh", "cross_dataset.sh"):
        shutil.copy(SCRIPTS / name, folder / "scripts" / name)
    for name in ("train.sh", "test.sh"):
        shutil.copy(SCRIPTS.parent / name, folder / name)
    python = folder / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    (folder / "scripts" / "setup.sh").write_text(f"echo '{python}'\n")
    return folder


def protocol(
    workspace: Path, name: str, *arguments: str, code: int = 0, shell: str = "bash", **variables: str
) -> tuple[list[str], str]:
    """Run a script; return the calls that it made and what it printed."""
    calls = workspace / "calls.txt"
    calls.unlink(missing_ok=True)
    done = subprocess.run(
        [shell, f"{name}.sh" if name in ("train", "test") else f"scripts/{name}.sh", *arguments],
        cwd=workspace,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return calls.read_text().splitlines() if calls.exists() else [], done.stdout + done.stderr


def programs(calls: list[str]) -> list[str]:
    """Their names."""
    return [call.split()[0] for call in calls]

"""scripts/setup.sh takes an environment that has everything, and reads the requirements as pip does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def chosen_python(tmp_path: Path, requirements: str) -> str:
    """The python that setup.sh would run with, without making an environment: it may only look for one."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup.sh").write_text((ROOT / "scripts" / "setup.sh").read_text())
    (tmp_path / "needs.txt").write_text(requirements)
    environment = {
        **os.environ,
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
    }
    done = subprocess.run(
        ["bash", "scripts/setup.sh", "needs.txt"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else f"none: {done.stderr}"


def test_a_requirement_of_other_pythons_is_not_asked_for(tmp_path: Path) -> None:
    chosen = chosen_python(tmp_path, 'numpy>=1.20\nno-such-package-here>=1,<2; python_version < "3"  # why\n\n')
    assert Path(chosen).parent == Path(sys.executable).parent

"""Views that a rig does not have are refused before any scan is looked at, and before earlier results are removed."""

import json
from pathlib import Path

import numpy as np
import pytest
from robustness.invocation import assert_one_error_line, invoke
from sample_scans import closed_shape

from pointad.commands.rig_arguments import AUTO, VIEWS_OF_RIGS, rig_and_views
from pointad.errors import InputError
from pointad.inspection.preparation import choose_rig


def test_the_rigs_have_as_many_views_as_the_flags_take() -> None:
    for name, count in VIEWS_OF_RIGS.items():
        for organized in (False, True):
            assert len(choose_rig(name, organized).views) == count
        assert rig_and_views(name, [count])[1].count == count
        with pytest.raises(InputError, match=rf"--views {count + 1}: --rig {name} has {count} views"):
            rig_and_views(name, [count + 1])


@pytest.mark.parametrize("views", [("3",), ("x7",)])
def test_views_of_a_file(views: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "rig.json").write_text(json.dumps({"views": ["x0", "y45"]}))
    np.save(tmp_path / "a.npy", closed_shape(300))
    given = ("--rig", tmp_path / "rig.json", "--views", *views)
    for script, output in (("predict", "--output"), ("render_scans", "--save_path"), ("reference", "--output")):
        ending = invoke(f"scripts/{script}.py", tmp_path / "a.npy", output, tmp_path / "out", *given)
        assert_one_error_line(ending, "the file of --rig has")
        assert not (tmp_path / "out").exists()


def test_earlier_renderings_stay(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", closed_shape(300))
    flags = ("scripts/render_scans.py", tmp_path / "a.npy", "--save_path", tmp_path / "out", "--views")
    assert invoke(*flags, "x0").code == 0
    rendered = sorted((tmp_path / "out").rglob("*"))
    assert_one_error_line(invoke(*flags, "10"), f"--rig {AUTO} has 9 views")
    assert sorted((tmp_path / "out").rglob("*")) == rendered

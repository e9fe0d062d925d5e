"""The README's Python example runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_example_runs_and_prints_a_score(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert len(blocks) == 1
    names: dict[str, object] = {}
    exec(compile(blocks[0], str(README), "exec"), names)
    prediction = names["prediction"]
    assert np.isfinite(prediction.score)
    assert prediction.point_scores.shape == (20_000,)
    assert "(20000,)" in capsys.readouterr().out

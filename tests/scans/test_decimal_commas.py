"""Decimal commas between commas, which leave single digits behind."""

from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.files import read_scan

POINTS = np.random.default_rng(0).normal(size=(200, 3)) * 50 + [100, 200, 300]


def commas(decimals: tuple[int, int, int]) -> str:
    rows = ([f"{value:.{digits}f}" for value, digits in zip(row, decimals, strict=True)] for row in POINTS)
    return "".join(",".join(row).replace(".", ",") + "\n" for row in rows)


@pytest.mark.parametrize("decimals", [(1, 1, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1)])
def test_two_or_three_columns_with_a_decimal_are_refused(decimals: tuple[int, int, int], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(commas(decimals))
    with pytest.raises(InputError, match="some commas are decimal signs"):
        read_scan(tmp_path / "a.csv")


@pytest.mark.parametrize("decimals", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_one_is_told(decimals: tuple[int, int, int], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.csv").write_text(commas(decimals))
    read_scan(tmp_path / "a.csv")
    assert f"column {decimals.index(1) + 2} holds single digits" in caplog.text


def test_labels_and_colours_are_not_mentioned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    others = np.random.default_rng(1).integers(0, [4, 256, 256], size=(200, 3))
    for columns in (others[:, :1], others[:, [1, 2, 2]]):
        np.savetxt(tmp_path / "a.csv", np.column_stack([POINTS.round() * 10, columns]), fmt="%d", delimiter=",")
        read_scan(tmp_path / "a.csv")
    assert "single digits" not in caplog.text

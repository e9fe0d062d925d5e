"""A data set in parts: each sample belongs to one of them, and together they make the whole."""

import json
from collections import Counter
from pathlib import Path

import pytest
from datasets.miniatures import write_realiad
from robustness.invocation import files_below, render

from pointad.data.shards import WHOLE, Shard
from pointad.errors import InputError

NAME = "realiad_pc_3d_rgb"


@pytest.mark.parametrize("count", [1, 3, 16])
def test_parts_make_the_whole(count: int) -> None:
    samples = [(class_name, index) for class_name in "abc" for index in range(20)]
    parts = [Shard(number, count).of(samples) for number in range(1, count + 1)]
    assert sorted(sample for part in parts for sample in part) == samples
    for part in parts:  # each class in equal shares
        shares = Counter(class_name for class_name, _ in part)
        assert max(shares.values()) - min(shares.values()) <= 1
    assert WHOLE.of(samples) == samples


@pytest.mark.parametrize(("number", "count"), [(0, 3), (4, 3), (1, 0)])
def test_parts_are_counted_from_one(number: int, count: int) -> None:
    with pytest.raises(InputError, match="3/16"):
        Shard(number, count)


def test_machines_render_one_data_set(tmp_path: Path) -> None:
    write_realiad(tmp_path / "raw")
    assert render(NAME, tmp_path / "raw", tmp_path / "whole").code == 0
    said = [render(NAME, tmp_path / "raw", tmp_path / "parts", "--shard", f"{k}/3").out for k in (3, 1, 2)]
    assert ["1 scan rendered" in said[0], "2 scans rendered" in said[1], "1 scan rendered" in said[2]] == [True] * 3
    assert files_below(tmp_path / "parts") == files_below(tmp_path / "whole")
    lists = [json.loads((tmp_path / part / "all_meta.json").read_text()) for part in ("whole", "parts")]
    assert lists[0] == lists[1]


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/b"])
def test_other_texts_are_no_part(tmp_path: Path, text: str) -> None:
    ending = render(NAME, tmp_path, tmp_path / "out", "--shard", text)
    assert ending.code == 2 and "3/16" in ending.err

"""Clouds without a grid give the same samples, regions included, from stored renderings and rendered on the fly."""

from pathlib import Path

import pytest
import torch
from datasets.miniatures import write_minishift
from robustness.invocation import render

from pointad.commands.run_records import list_fingerprint
from pointad.data.dataset import SampleOptions
from pointad.data.opening import list_dataset
from pointad.data.raw import RenderingOptions
from pointad.datasets.registry import specification
from pointad.rendering.views import View

NAME = "minishift_pc_3d"


@pytest.mark.parametrize("region_neighbours", [16, None])
def test_stored_and_rendered_samples_are_equal(tmp_path: Path, region_neighbours: int | None) -> None:
    write_minishift(tmp_path / "raw")
    assert render(NAME, tmp_path / "raw", tmp_path / "rendered", "--classes", "nut").code == 0
    options = SampleOptions(view_indices=(0,), with_color=False, region_neighbours=region_neighbours)
    rendering = RenderingOptions(views=(View("x", 0),))
    dataset = specification(NAME)
    stored = list_dataset(dataset, tmp_path / "rendered").open(options)
    raw = list_dataset(dataset, tmp_path / "raw", class_name="nut", render="on_the_fly", rendering=rendering)
    fresh = raw.open(options)
    lists = [list_fingerprint(data.sources, in_order=True) for data in (stored, fresh)]  # which trainings follow
    assert len(set(lists)) == 1 and lists[0] != list_fingerprint(fresh.sources[1:], in_order=True)
    for index in (0, 2):  # good, and the hardest
        sample, twin = stored[index], fresh[index]
        assert torch.equal(sample.mask, twin.mask)
        assert sample.views is not None and twin.views is not None and torch.equal(sample.views, twin.views)
        if region_neighbours is None:
            assert sample.regions is None and twin.regions is None
        else:
            assert sample.regions is not None and twin.regions is not None
            assert torch.equal(sample.regions, twin.regions)
            assert torch.equal(sample.regions > 0, sample.mask)

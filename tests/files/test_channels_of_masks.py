"""Masks with more channels than colours: one that is no transparency may mark something that would be dropped."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from pointad.errors import InputError
from pointad.files.masks import read_mask

MARKED = np.zeros((40, 60), np.uint8)
MARKED[5:12, 10:30] = 255
NOTHING = np.zeros_like(MARKED)


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("kind", ["unspecified", "unassalpha"])
def test_channels_beside_colours(tmp_path: Path, colors: int, kind: str) -> None:
    path = tmp_path / "mask.tif"
    photometric = "rgb" if colors == 3 else "minisblack"
    channels = np.stack([NOTHING] * colors + [MARKED], axis=-1)
    tifffile.imwrite(path, channels, photometric=photometric, planarconfig="contig", extrasamples=[kind])
    if kind == "unspecified":
        with pytest.raises(InputError, match="neither colour nor transparency"):
            read_mask(path)
    else:
        np.testing.assert_array_equal(read_mask(path), MARKED)

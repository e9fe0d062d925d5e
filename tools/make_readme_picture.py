"""Draw the README's first picture from the maps of a test run on the demo data.

    python test.py --save_maps --save_path results/demo
    python tools/make_readme_picture.py --maps results/demo/gear/maps --output docs/demo.png

Each row is one scan of a class that the prompts were not trained on: the colour picture, one rendering, the ground
truth, and the heat maps of the points, of the colour picture, and of both together.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pointad.commands.argument_types import positive_integer
from pointad.commands.places import SOURCE, demo_data_folder
from pointad.commands.program import HelpFormatter, run
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.visualization.heat import outline, overlay, to_unit_range

SAMPLES = (
    "brick/lump/000",
    "button/groove/000",
    "croissant/pit/000",
    "pear/stain/000",
    "pretzel/chip/000",
    "walnut/rough/000",
)
COLUMNS = ("colour picture", "rendering", "ground truth", "points", "colour", "fused")
FRONT_VIEW = 2  # of the nine: the one that is not turned
GAP, HEADING = 6, 22  # pixels


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--maps", type=Path, required=True, help="folder of the maps that test.py --save_maps wrote")
    parser.add_argument("--data_path", type=Path, default=demo_data_folder() / "rendered", help="the rendered data set")
    parser.add_argument("--samples", nargs="+", default=SAMPLES, metavar="CLASS/SPECIES/ID", help="one row each")
    parser.add_argument("--side", type=positive_integer, default=150, help="side of each small picture in pixels")
    parser.add_argument("--output", type=Path, default=SOURCE / "docs" / "demo.png", help="the picture to write")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """One row a sample, one column a kind of picture."""
    rows = [sample_row(arguments.data_path, arguments.maps, sample, arguments.side) for sample in arguments.samples]
    with atomic_path(arguments.output) as path:
        sheet(rows, arguments.side).save(path, optimize=True)
    print(arguments.output)


def sample_row(data: Path, maps: Path, sample: str, side: int) -> list[Image.Image]:
    """The pictures of one sample, all of the same side.

    Raises:
        InputError: the sample's maps or pictures are not there.
    """
    class_name, species, identifier = sample.split("/")
    map_path = maps / f"{sample}.npz"
    folder = data / class_name / "test" / species
    if not map_path.is_file() or not folder.is_dir():
        missing = folder if map_path.is_file() else map_path
        raise InputError(missing, "is not there", "run test.py --save_maps on the demo data and name its maps")
    color = _open(folder / "rgb" / f"{identifier}.png", side)
    rendering = _open(folder / "2d_rendering" / identifier / f"view_{FRONT_VIEW}.png", side)
    mask = _open(folder / "gt" / f"{identifier}.png", side)[..., 0] > 127
    truth = outline(overlay(color, mask.astype(np.float32), opacity=0.0), mask)
    with np.load(map_path) as stored:
        heat = {name: stored[f"{name}_map"] for name in ("point", "color", "fused")}
    # Holes of the scan keep the picture as it is; each map's own range is shown, as only its order counts.
    drawn = [_heat_picture(color, one, side) for one in heat.values()]
    return [Image.fromarray(picture) for picture in (color, rendering, truth, *drawn)]


def _heat_picture(color: np.ndarray, heat: np.ndarray, side: int) -> np.ndarray:
    unit = to_unit_range(heat, (0.0, float(heat.max())))
    resized = np.asarray(Image.fromarray(unit.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR))
    return overlay(color, resized, opacity=0.6)


def _open(path: Path, side: int) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


def sheet(rows: list[list[Image.Image]], side: int) -> Image.Image:
    """All rows on white, with a heading over each column."""
    width = len(COLUMNS) * (side + GAP) - GAP
    canvas = Image.new("RGB", (width, HEADING + len(rows) * (side + GAP) - GAP), "white")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14)
    for column, heading in enumerate(COLUMNS):
        pen.text((column * (side + GAP) + side // 2, HEADING // 2), heading, "black", font=font, anchor="mm")
    for number, row in enumerate(rows):
        for column, picture in enumerate(row):
            canvas.paste(picture, (column * (side + GAP), HEADING + number * (side + GAP)))
    return canvas


if __name__ == "__main__":
    run(main, build_parser())

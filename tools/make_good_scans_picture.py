"""Draw the picture of docs/good-scans.md and the README: scans of the demo with and without good scans.

    python tools/make_good_scans_picture.py --output docs/good-scans.png

Each row is one spoon of the demo data: its picture, the ground truth, and the heat of its points without good scans
(the prompts alone) and compared with five good ones. Both rows of a column share one colour scale.
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
from pointad.inspection.predictor import PointAD, Prediction
from pointad.reference.reference import Reference
from pointad.scans.files import read_scan
from pointad.visualization.heat import outline, overlay, to_unit_range

SCANS = ("spoon/test/pit/001", "spoon/test/good/006")
GOOD = tuple(f"spoon/test/good/{number:03d}" for number in range(5))
GAP, HEADING, LABEL = 6, 22, 20  # pixels
MARGIN = 0.08  # around the object, of its larger side
OPACITY = 0.65


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--data_path", type=Path, default=demo_data_folder() / "raw", help="the raw data set")
    parser.add_argument("--scans", nargs="+", default=SCANS, metavar="CLASS/SPLIT/SPECIES/ID", help="one row each")
    parser.add_argument("--good", nargs="+", default=GOOD, metavar="CLASS/SPLIT/SPECIES/ID", help="good scans")
    parser.add_argument("--side", type=positive_integer, default=200, help="side of each small picture in pixels")
    parser.add_argument("--output", type=Path, default=SOURCE / "docs" / "good-scans.png", help="the picture to write")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """One row a scan; the scores are printed too."""
    data = arguments.data_path
    detector = PointAD.from_checkpoint()
    good = (read_scan(file_of(data, name, "xyz")).points for name in arguments.good)
    reference = detector.make_reference(good, remove_table=True)
    points = [read_scan(file_of(data, name, "xyz")).points for name in arguments.scans]
    alone = [detector.predict(each, remove_table=True) for each in points]
    compared = [detector.predict(each, remove_table=True, reference=reference) for each in points]
    rows = [
        scan_row(data, name, box_of(found.taking_part), columns, arguments.side)
        for name, found, *columns in zip(
            arguments.scans, alone, drawn(alone, None), drawn(compared, reference), strict=True
        )
    ]
    headings = ("picture", "ground truth", "without good scans", f"with {len(arguments.good)} good scans")
    with atomic_path(arguments.output) as path:
        sheet(headings, rows, arguments.side).save(path, optimize=True)
    for name, before, after in zip(arguments.scans, alone, compared, strict=True):
        print(f"{name}: {before.score:.3f} without, {after.score:.3f} with good scans")


def file_of(data: Path, name: str, kind: str) -> Path:
    """The file of a scan: its points (xyz), its picture (rgb) or its ground truth (gt).

    Raises:
        InputError: it is not there.
    """
    folder, identifier = (data / name).parent, Path(name).name
    path = folder / kind / f"{identifier}{'.tiff' if kind == 'xyz' else '.png'}"
    if not path.is_file():
        raise InputError(path, "is not there", "run test.py once, which makes the demo data")
    return path


def drawn(found: list[Prediction], reference: Reference | None) -> list[tuple[str, np.ndarray]]:
    """The score of each scan in words, and its heat (H, W) from 0 to 1; NaN where there is no point."""
    maps = [np.where(one.taking_part, one.point_scores, np.nan) for one in found]
    everything = np.concatenate([one[np.isfinite(one)] for one in maps])
    low, high = float(np.quantile(everything, 0.05)), float(everything.max())
    if reference is not None and reference.heat_range is not None:
        low, high = reference.heat_range
    return [(f"score {one.score:.3f}", to_unit_range(each, (low, high))) for one, each in zip(found, maps, strict=True)]


def box_of(present: np.ndarray) -> tuple[int, int, int, int]:
    """A square (left, upper, right, lower) around the object, whose pixels (H, W) are marked."""
    rows, columns = np.nonzero(present)
    middle = [(int(each.min()) + int(each.max())) // 2 for each in (columns, rows)]
    half = round((0.5 + MARGIN) * max(np.ptp(rows), np.ptp(columns)))
    return middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half


def scan_row(
    data: Path,
    name: str,
    box: tuple[int, int, int, int],
    columns: list[tuple[str, np.ndarray]],
    side: int,
) -> list[tuple[str, Image.Image]]:
    """The pictures of one scan with their labels, cut to the box and all of the same side."""
    with Image.open(file_of(data, name, "rgb")) as opened:
        picture = np.asarray(opened.convert("RGB"))
    with Image.open(file_of(data, name, "gt")) as opened:
        mask = np.asarray(opened.convert("L")) > 127
    truth = outline(overlay(picture, mask.astype(np.float32), opacity=0.0), mask)
    species = Path(name).parent.name
    cells = [("", picture), (species, truth)]
    cells += [(label, overlay(picture, heat, opacity=OPACITY)) for label, heat in columns]
    return [
        (label, Image.fromarray(cell).crop(box).resize((side, side), Image.Resampling.BICUBIC)) for label, cell in cells
    ]


def sheet(headings: tuple[str, ...], rows: list[list[tuple[str, Image.Image]]], side: int) -> Image.Image:
    """All rows on white, with a heading over each column and a label under each picture."""
    width = len(headings) * (side + GAP) - GAP
    canvas = Image.new("RGB", (width, HEADING + len(rows) * (side + LABEL + GAP) - GAP), "white")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14)
    for column, heading in enumerate(headings):
        left = column * (side + GAP)
        pen.text((left + side // 2, HEADING // 2), heading, "black", font=font, anchor="mm")
        for number, row in enumerate(rows):
            top = HEADING + number * (side + LABEL + GAP)
            label, cell = row[column]
            canvas.paste(cell, (left, top))
            pen.text((left + side // 2, top + side + LABEL // 2), label, "black", font=font, anchor="mm")
    return canvas


if __name__ == "__main__":
    run(main, build_parser())

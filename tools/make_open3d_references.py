#!/usr/bin/env python
"""Photograph the tests' clouds with Open3D's off-screen window, and store the pictures that the tests compare with.

    python tools/make_open3d_references.py

Needs a display, or EGL with any driver (Mesa's software driver will do). Run it again only when a test cloud changes.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "rendering")]

from open3d_window import WindowPicture
from reference_cases import CAMERAS, CASES, photograph_case

from pointad.commands.program import HelpFormatter, run
from pointad.files.atomic import atomic_path


def main(arguments: argparse.Namespace) -> None:
    cameras = {}
    for case in CASES:
        views, views_gt = photograph_case(case)
        write_side_by_side(case.views, views)
        write_side_by_side(case.views_gt, views_gt)
        cameras[case.name] = [
            {"intrinsic": view.intrinsic.tolist(), "extrinsic": view.extrinsic.tolist(), "steps": view.steps}
            for view in views
        ]
        print(f"{case.name}: {len(views)} views")
    with atomic_path(CAMERAS) as path:
        path.write_text(json.dumps(cameras, indent=1) + "\n")


def write_side_by_side(target: Path, pictures: list[WindowPicture]) -> None:
    """One small file for all views of a case."""
    row = np.concatenate([picture.picture for picture in pictures], axis=1)
    with atomic_path(target) as path:
        Image.fromarray(row).save(path, optimize=True)


if __name__ == "__main__":
    run(main, argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter))

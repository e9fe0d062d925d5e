"""The pre-training pictures on disk: made by several processes, read by memory map."""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pointad.atomic import atomic_path
from pointad.demo.pretraining.pictures import KIND_MAP_SIDE, PICTURE_SIDE, random_pictures

RENDERINGS = 2  # grey pictures per object, beside one in colour
_BLOCK = 50  # objects that one process makes at a time


@dataclass(frozen=True)
class PictureStore:
    """Pictures of O objects: for each two renderings and one colour picture."""

    grey: np.ndarray  # (O, 2, 336, 336) uint8
    color: np.ndarray  # (O, 336, 336, 3) uint8
    kinds: np.ndarray  # (O, 3, 112, 112) uint8, the maps of mark kinds, the colour picture last
    bodies: list[dict]  # per object: {"family", "profile", "reliefs"}

    def __len__(self) -> int:
        return len(self.bodies)


def make_store(folder: Path, objects: int, seed: int, workers: int) -> PictureStore:
    """Generate the pictures of `objects` objects into a folder, unless they are there already, and open them.

    Args:
        folder: where the arrays lie; about 0.6 MB an object.
        objects: how many.
        seed: with the number of an object it decides everything about the object.
        workers: processes.
    """
    recipe = {"objects": objects, "seed": seed}
    recipe_path = folder / "bodies.json"
    if not recipe_path.is_file() or json.loads(recipe_path.read_text())["recipe"] != recipe:
        folder.mkdir(parents=True, exist_ok=True)
        for name, shape in _shapes(objects).items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape)
        with ProcessPoolExecutor(workers) as pool:
            blocks = pool.map(partial(_make_block, folder, objects, seed), range(0, objects, _BLOCK))
            bodies = [body for block in blocks for body in block]
        with atomic_path(recipe_path) as path:
            path.write_text(json.dumps({"recipe": recipe, "bodies": bodies}))
    bodies = json.loads(recipe_path.read_text())["bodies"]
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _shapes(objects)}
    return PictureStore(**arrays, bodies=bodies)


def _shapes(objects: int) -> dict[str, tuple[int, ...]]:
    return {
        "grey": (objects, RENDERINGS, PICTURE_SIDE, PICTURE_SIDE),
        "color": (objects, PICTURE_SIDE, PICTURE_SIDE, 3),
        "kinds": (objects, RENDERINGS + 1, KIND_MAP_SIDE, KIND_MAP_SIDE),
    }


def _make_block(folder: Path, objects: int, seed: int, start: int) -> list[dict]:
    """Fill one block of the arrays; every object has a random generator of its own."""
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _shapes(objects)}
    bodies = []
    for number in range(start, min(start + _BLOCK, objects)):
        pictures, body = random_pictures(np.random.default_rng([seed, number]), RENDERINGS)
        arrays["grey"][number] = [picture.pixels[..., 0] for picture in pictures[:-1]]
        arrays["color"][number] = pictures[-1].pixels
        arrays["kinds"][number] = [picture.kind_map for picture in pictures]
        bodies.append({"family": body.family, "profile": body.profile, "reliefs": list(body.reliefs)})
    return bodies

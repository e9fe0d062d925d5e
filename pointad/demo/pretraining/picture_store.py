"""The pre-training pictures on disk: made by several processes, read by memory map."""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from pointad.atomic import atomic_path
from pointad.demo.pretraining.captions import picture_caption
from pointad.demo.pretraining.marks import KINDS
from pointad.demo.pretraining.objective import visible_kinds
from pointad.demo.pretraining.pictures import KIND_MAP_SIDE, PICTURE_SIDE, random_pictures

RENDERINGS, PHOTOGRAPHS = 2, 2  # grey and colour pictures of an object
PICTURES = RENDERINGS + PHOTOGRAPHS  # of an object; they are numbered object by object, renderings first
_BLOCK = 50  # objects that one process makes at a time


@dataclass(frozen=True)
class PictureStore:
    """Pictures of O objects."""

    grey: np.ndarray  # (O, 2, 336, 336) uint8, the renderings
    color: np.ndarray  # (O, 2, 3, 336, 336) uint8, the photographs
    kinds: np.ndarray  # (O, 4, 84, 84) uint8, the maps of mark kinds, renderings first
    bodies: list[dict]  # per object: {"family", "profile", "reliefs", "captions": one for each of its 4 pictures}

    def __len__(self) -> int:
        return len(self.bodies)


def make_store(folder: Path, objects: int, seed: int, workers: int, first: int | None = None) -> PictureStore:
    """Generate the pictures of `objects` objects into a folder, as far as they are not there yet, and open them.

    Args:
        folder: where the arrays lie; about 0.9 MB an object.
        objects: how many.
        seed: with the number of an object it decides everything about the object.
        workers: processes.
        first: as many objects from the first one on are enough now; all when None.
    """
    first = objects if first is None else min(first, objects)
    recipe = {"objects": objects, "seed": seed, "pictures": PICTURES}
    recipe_path = folder / "recipe.json"
    if not recipe_path.is_file() or json.loads(recipe_path.read_text()) != recipe:
        (folder / "bodies").mkdir(parents=True, exist_ok=True)
        recipe_path.unlink(missing_ok=True)
        for finished in (folder / "bodies").glob("*.json"):
            finished.unlink()
        for name, shape in _shapes(objects).items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape)
        with atomic_path(recipe_path) as path:
            path.write_text(json.dumps(recipe))
    starts = range(0, first, _BLOCK)
    missing = [start for start in starts if not _bodies_path(folder, start).is_file()]
    if missing:
        with ProcessPoolExecutor(workers, initializer=_use_one_thread) as pool:
            for _ in pool.map(partial(_make_block, folder, objects, seed), missing):
                pass
    bodies = [body for start in starts for body in json.loads(_bodies_path(folder, start).read_text())][:first]
    # Copy on write: nothing is written, and PyTorch takes such arrays without a copy.
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="c")[:first] for name in _shapes(objects)}
    return PictureStore(**arrays, bodies=bodies)


def _use_one_thread() -> None:
    """Every process has a core; threads beside it would be in the way of the others."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _shapes(objects: int) -> dict[str, tuple[int, ...]]:
    return {
        "grey": (objects, RENDERINGS, PICTURE_SIDE, PICTURE_SIDE),
        "color": (objects, PHOTOGRAPHS, 3, PICTURE_SIDE, PICTURE_SIDE),
        "kinds": (objects, PICTURES, KIND_MAP_SIDE, KIND_MAP_SIDE),
    }


def _bodies_path(folder: Path, start: int) -> Path:
    """What is known of the block's objects, written when the block is finished."""
    return folder / "bodies" / f"{start}.json"


def _make_block(folder: Path, objects: int, seed: int, start: int) -> None:
    """Fill one block of the arrays; every object has a random generator of its own."""
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _shapes(objects)}
    bodies = []
    for number in range(start, min(start + _BLOCK, objects)):
        rng = np.random.default_rng([seed, number])
        pictures, body = random_pictures(rng, RENDERINGS, PHOTOGRAPHS)
        arrays["grey"][number] = [picture.pixels[..., 0] for picture in pictures[:RENDERINGS]]
        arrays["color"][number] = [picture.pixels.transpose(2, 0, 1) for picture in pictures[RENDERINGS:]]
        kind_maps = np.stack([picture.kind_map for picture in pictures])
        arrays["kinds"][number] = kind_maps
        about = {"family": body.family, "profile": body.profile, "reliefs": list(body.reliefs)}
        seen = visible_kinds(torch.from_numpy(kind_maps)).numpy()
        captions = [picture_caption(rng, about, [KINDS[kind] for kind in np.flatnonzero(row)]) for row in seen]
        bodies.append({**about, "captions": captions})
    with atomic_path(_bodies_path(folder, start)) as path:
        path.write_text(json.dumps(bodies))

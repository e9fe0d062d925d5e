"""The pre-training pictures on disk: made by several processes, read by memory map."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from pointad.compute.interrupts import end_with_parent, obey_the_parent
from pointad.files.atomic import atomic_path, make_folder
from pretraining.captions import picture_caption
from pretraining.marks import KINDS
from pretraining.objective import visible_kinds
from pretraining.pictures import KIND_MAP_SIDE, PICTURE_SIDE, random_pictures

RENDERINGS, PHOTOGRAPHS = 2, 2  # grey and colour pictures of an object
PICTURES = RENDERINGS + PHOTOGRAPHS  # of an object; they are numbered object by object, renderings first
BLOCK = 50  # objects that one process makes at a time


@dataclass(frozen=True)
class PictureStore:
    """Pictures of O objects."""

    grey: np.ndarray  # (O, 2, 336, 336) uint8, the renderings
    color: np.ndarray  # (O, 2, 3, 336, 336) uint8, the photographs
    kinds: np.ndarray  # (O, 4, 84, 84) uint8, the maps of mark kinds, renderings first
    bodies: list[dict]  # per object: {"family", "profile", "reliefs", "captions": one for each of its 4 pictures}

    def __len__(self) -> int:
        return len(self.bodies)


class StoreMaker:
    """Makes the pictures of `objects` objects in a folder, as far as they are not there yet, by several processes.

    To be used in a `with` statement; what is not finished when the block is left stays unmade. The first objects come
    first, so that they can be opened while the others are being made.

    Args:
        folder: where the arrays lie; about 0.9 MB an object. One maker at a time.
        objects: how many.
        seed: with the number of an object it decides everything about the object.
        workers: processes.
        first: as many objects from the first one on are enough; all when None.
        block: objects that one process makes at a time; a folder is gone on with in blocks of one size.
    """

    def __init__(
        self, folder: Path, objects: int, seed: int, workers: int, first: int | None = None, block: int = BLOCK
    ) -> None:
        self._folder, self._objects, self._block = folder, objects, block
        self._count = objects if first is None else min(first, objects)
        recipe = {"objects": objects, "seed": seed, "pictures": PICTURES}
        recipe_path = folder / "recipe.json"
        if not recipe_path.is_file() or json.loads(recipe_path.read_text()) != recipe:
            make_folder(folder / "bodies")
            recipe_path.unlink(missing_ok=True)
            for finished in (folder / "bodies").glob("*.json"):
                finished.unlink()
            for name, shape in _shapes(objects).items():
                np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape)
            with atomic_path(recipe_path) as path:
                path.write_text(json.dumps(recipe))
        missing = [start for start in self._starts(self._count) if not _bodies_path(folder, start).is_file()]
        # All processes are there after this, before anything else may use a GPU.
        self._pool = ProcessPoolExecutor(workers, initializer=_start_worker) if missing else None
        self._making = (
            {}
            if self._pool is None
            else {
                start: self._pool.submit(_make_block, folder, objects, seed, range(start, min(start + block, objects)))
                for start in missing
            }
        )

    def __enter__(self) -> "StoreMaker":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is not None:
            for worker in multiprocessing.active_children() if kind is not None else ():
                worker.terminate()  # a block takes long
            self._pool.shutdown(cancel_futures=True)

    def open(self, first: int | None = None) -> PictureStore:
        """The pictures of the first objects, or of all that this maker makes; waits until they are there.

        Raises:
            Exception: what went wrong in the making.
        """
        count = self._count if first is None else min(first, self._count)
        for start in self._starts(count):
            if start in self._making:
                self._making[start].result()
        blocks = [json.loads(_bodies_path(self._folder, start).read_text()) for start in self._starts(count)]
        bodies = [body for block in blocks for body in block][:count]
        # Copy on write: nothing is written, and PyTorch takes such arrays without a copy.
        arrays = {name: np.load(self._folder / f"{name}.npy", mmap_mode="c")[:count] for name in _shapes(self._objects)}
        return PictureStore(**arrays, bodies=bodies)

    def _starts(self, count: int) -> range:
        """First objects of the blocks that hold the first `count` objects."""
        return range(0, count, self._block)


def _start_worker() -> None:
    """Every process has a core; threads beside it would be in the way of the others."""
    obey_the_parent()
    end_with_parent()
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


def _make_block(folder: Path, objects: int, seed: int, numbers: range) -> None:
    """Fill one block of the arrays; every object has a random generator of its own."""
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _shapes(objects)}
    bodies = []
    for number in numbers:
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
    with atomic_path(_bodies_path(folder, numbers.start)) as path:
        path.write_text(json.dumps(bodies))

"""Stores of pre-training pictures, made whole before they are opened."""

from pathlib import Path

from pretraining.picture_store import PictureStore, StoreMaker


def make_store(
    folder: Path, objects: int, seed: int, workers: int, first: int | None = None, **options: int
) -> PictureStore:
    """Make what is not there yet, wait for it and open it; the arguments are those of `StoreMaker`."""
    with StoreMaker(folder, objects, seed, workers, first, **options) as maker:
        return maker.open()

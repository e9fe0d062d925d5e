"""Batches of a data set from worker processes, with errors that arrive as they were raised and a bar that moves."""

from collections.abc import Iterator, Sequence

from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from pointad.data.batch import MultiViewBatch, MultiViewSample, collate
from pointad.errors import InputError, PointADError


class _ErrorsAsItems(Dataset):
    """Hands errors of this library out as items: worker processes would otherwise turn them into RuntimeErrors."""

    def __init__(self, dataset: Dataset[MultiViewSample]) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> MultiViewSample | PointADError:
        try:
            return self.dataset[index]
        except PointADError as error:
            return error


def _collate_or_error(items: Sequence[MultiViewSample | PointADError]) -> MultiViewBatch | PointADError:
    for item in items:
        if isinstance(item, PointADError):
            return item
    return collate(items)  # type: ignore[arg-type]


def iterate_batches(
    dataset: Dataset[MultiViewSample],
    *,
    batch_size: int = 1,
    num_workers: int = 0,
    pin_memory: bool = False,
    description: str | None = None,
) -> Iterator[MultiViewBatch]:
    """Go through a data set in its order.

    Args:
        dataset: what gives the samples.
        batch_size: samples a batch; the last batch may be smaller.
        num_workers: processes that load samples; 0 loads in this one.
        pin_memory: whether batches come in page-locked memory, for faster copies to a GPU.
        description: label of a progress bar that counts samples; None shows none.

    Raises:
        PointADError: a sample cannot be loaded; the error is the one that the data set raised.
        InputError: a process that loads samples died.
    """
    loader = DataLoader(
        _ErrorsAsItems(dataset),
        batch_size=batch_size,
        num_workers=min(num_workers, len(dataset)),  # type: ignore[arg-type]
        collate_fn=_collate_or_error,
        pin_memory=pin_memory,
    )
    total = len(dataset)  # type: ignore[arg-type]
    with tqdm(total=total, desc=description, unit="sample", disable=True if description is None else None) as bar:
        for batch in _with_living_workers(loader):
            if isinstance(batch, PointADError):
                raise batch
            yield batch
            bar.update(len(batch.class_name))


def _with_living_workers(loader: DataLoader) -> Iterator[MultiViewBatch | PointADError]:
    batches = iter(loader)
    while True:
        try:
            batch = next(batches, None)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            problem = "a process that loads samples died, probably for lack of memory"
            raise InputError("loading", problem, "run again with fewer --num_workers") from error
        if batch is None:
            return
        yield batch

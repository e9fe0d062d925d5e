"""Writes the training losses for TensorBoard, if it is installed."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from pointad.errors import InputError
from pointad.files.atomic import make_folder


class Scalars:
    """Writes scalars to a TensorBoard log folder during training.

    Args:
        folder: created if it is missing.

    Raises:
        InputError: TensorBoard is not installed, or the folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise InputError(
                "--tensorboard", "needs a package that is not installed", "pip install tensorboard"
            ) from None
        make_folder(folder)
        self._writer: Any = SummaryWriter(str(folder))

    def add(self, epoch: int, losses: Mapping[str, float], weights: Mapping[str, float]) -> None:
        """Add the means of an epoch: every term with a weight, unweighted, and their weighted sum."""
        for name in weights:
            self._writer.add_scalar(f"loss/{name}", losses[name], epoch)
        self._writer.add_scalar("loss/total", sum(weight * losses[name] for name, weight in weights.items()), epoch)
        self._writer.flush()

    def __enter__(self) -> "Scalars":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

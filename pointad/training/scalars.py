"""Writes the training losses for TensorBoard, if it is installed."""

import contextlib
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from pointad.errors import InputError, failures_of
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
        self._folder = folder
        self._open = partial(SummaryWriter, str(folder))
        self._writer: Any = None
        self._excepthook = threading.excepthook

    def add(self, epoch: int, losses: Mapping[str, float], weights: Mapping[str, float]) -> None:
        """Add the means of an epoch: every term with a weight, unweighted, and their weighted sum.

        Of what earlier runs wrote into the folder, TensorBoard shows the epochs before the first one that is added.

        Raises:
            InputError: the folder cannot be written to, or the disk is full.
        """
        with self._named_failures():
            if self._writer is None:
                self._writer = self._open(purge_step=epoch)
            for name in weights:
                self._writer.add_scalar(f"loss/{name}", losses[name], epoch)
            self._writer.add_scalar("loss/total", sum(weight * losses[name] for name, weight in weights.items()), epoch)
            self._writer.flush()

    def __enter__(self) -> "Scalars":
        threading.excepthook = self._hear
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None:
                with self._named_failures() if error is None else contextlib.suppress(OSError):
                    self._writer.close()
        finally:
            threading.excepthook = self._excepthook

    def _hear(self, failed: threading.ExceptHookArgs) -> None:
        # TensorBoard's thread prints what it then raises where the next scalar is added.
        if not (isinstance(failed.exc_value, OSError) and type(failed.thread).__module__.startswith("tensorboard")):
            self._excepthook(failed)

    def _named_failures(self) -> contextlib.AbstractContextManager[None]:
        return failures_of(self._folder, "written to", "choose a writable folder with free space")

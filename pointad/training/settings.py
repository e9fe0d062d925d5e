"""The training hyperparameters (PointAD, section 3.3); nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointad.compute.argument_kinds import as_number, as_whole_number
from pointad.errors import InputError
from pointad.training.terms import PUBLISHED_WEIGHTS

LARGEST_RATE = 3e38  # of single precision


@dataclass(frozen=True)
class TrainingSettings:
    """Duration, learning rate and other hyperparameters, and the weights of the loss terms; see ``check_weights``.

    Raises:
        InputError: a number is of another kind or out of range.
    """

    epochs: int = 15
    batch_size: int = 4
    learning_rate: float = 0.001
    seed: int = 111  # of the order of the samples
    loss_weights: Mapping[str, float] = field(default_factory=lambda: dict(PUBLISHED_WEIGHTS))

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if as_whole_number(getattr(self, name), name) < 1:
                raise InputError(f"{name} {getattr(self, name)}", "is too few", "give at least 1")
        if not 0 < as_number(self.learning_rate, "learning_rate") <= LARGEST_RATE:
            problem = "is not a learning rate"
            raise InputError(f"learning_rate {self.learning_rate:g}", problem, "give a finite number above 0")
        as_whole_number(self.seed, "seed")

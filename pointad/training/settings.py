"""The training hyperparameters (PointAD, section 3.3); nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointad.training.terms import PUBLISHED_WEIGHTS


@dataclass(frozen=True)
class TrainingSettings:
    """Duration, learning rate and other hyperparameters, and the weights of the loss terms; see ``check_weights``."""

    epochs: int = 15
    batch_size: int = 4
    learning_rate: float = 0.001
    seed: int = 111  # of the order of the samples
    loss_weights: Mapping[str, float] = field(default_factory=lambda: dict(PUBLISHED_WEIGHTS))

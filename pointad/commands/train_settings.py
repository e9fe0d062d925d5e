"""What train.py works with."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from pointad.commands.run_inputs import Given
from pointad.commands.settings import (
    DataSettings,
    EncodingSettings,
    ExperimentSettings,
    ModelSettings,
    PromptSettings,
)
from pointad.errors import InputError
from pointad.files.names import place_below
from pointad.model.weight_locations import locate
from pointad.training.run_folder import LOSSES_NAME, RUN_NAME, STATE_NAME, checkpoints_and_origins
from pointad.training.terms import check_weights


@dataclass(frozen=True)
class TrainSettings:
    """One run of train.py."""

    train_class: str
    save_path: Path
    data: DataSettings
    model: ModelSettings
    encoding: EncodingSettings
    prompts: PromptSettings
    epochs: int
    learning_rate: float
    batch_size: int  # samples a step
    loss_weights: tuple[tuple[str, float], ...]  # of the terms that count
    init_checkpoint: Path | None  # prompts to start from; None: random ones
    print_every: int  # epochs
    save_every: int  # epochs
    restart: bool  # from the first epoch, even where a training could be continued
    seed: int
    experiment: ExperimentSettings
    tensorboard: Path | None  # where scalars go as well
    given: Given | None = None  # what the program was given; None: it was not looked at

    def written(self) -> list[Path]:
        """The files of the training, and the prompts of earlier ones, which may be replaced or removed."""
        others = (self.save_path / name for name in (LOSSES_NAME, "log.txt", RUN_NAME, STATE_NAME))
        return [*others, *checkpoints_and_origins(self.save_path)]

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "TrainSettings":
        """The settings that parsed flags ask for.

        Raises:
            InputError: a flag does not go with another, or a term of the loss has two weights.
        """
        if flags.resume and flags.restart:
            raise InputError("--resume", "contradicts --restart, which discards the training", "give one of them")
        terms = [name for name, _ in flags.loss_weights]
        for name in terms:
            if terms.count(name) > 1:
                raise InputError("--loss_weights", f"gives {name} two weights", "give one")
        data = DataSettings.from_flags(flags)
        return cls(
            train_class=flags.train_class,
            save_path=flags.save_path or place_below(Path("results") / "train", flags.train_class),
            data=data,
            model=ModelSettings.for_data(flags, data),
            encoding=EncodingSettings.from_flags(flags),
            prompts=PromptSettings.from_flags(flags),
            epochs=flags.epoch,
            learning_rate=flags.learning_rate,
            batch_size=flags.batch_size,
            loss_weights=tuple(check_weights({**dict.fromkeys(flags.losses, 1.0), **dict(flags.loss_weights)}).items()),
            init_checkpoint=None if flags.init_checkpoint is None else locate(flags.init_checkpoint),
            print_every=flags.print_freq,
            save_every=flags.save_freq,
            restart=flags.restart,
            seed=flags.seed,
            experiment=ExperimentSettings.from_flags(flags),
            tensorboard=flags.tensorboard,
        )

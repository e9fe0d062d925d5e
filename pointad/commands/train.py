"""Learns normal and anomalous prompts on one class, to detect defects in unseen classes (PointAD).

    python train.py                                                      # the demo data and the small demo backbone
    python train.py --data_path /data/mvtec3d-rendered --train_class carrot --save_path results/carrot
    python train.py … --restart                                          # from the first epoch, discarding old state
    torchrun --nproc_per_node=4 train.py …                               # four processes, one GPU each if available

Writes into --save_path: epoch_<n>.pth (the prompts in the released format) and epoch_<n>.json (what they were learned
from), losses.csv (one row per step), log.txt, run.json (the settings, for test.py and the reports) and
training_state.pt (from which the same command continues an interrupted training). A folder holds one run.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from pointad.commands.argument_types import non_negative_float, positive_float, positive_integer
from pointad.commands.arguments import (
    DEMO_TRAINING_CLASS,
    add_data_arguments,
    add_encoding_arguments,
    add_experiment_arguments,
    add_model_arguments,
    add_prompt_arguments,
    add_seed_argument,
)
from pointad.commands.finished_runs import is_alone
from pointad.commands.finished_trainings import is_trained
from pointad.commands.idle_flags import idle_in_training
from pointad.commands.named_inputs import refuse_replacing_inputs
from pointad.commands.program import HelpFormatter
from pointad.commands.run_inputs import read_given
from pointad.commands.train_settings import TrainSettings
from pointad.training.terms import LOSS_TERMS, PUBLISHED_WEIGHTS

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program; those of the published scripts keep their names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--train_class", "--train_dataset_name", default=DEMO_TRAINING_CLASS, help="class to train on")
    parser.add_argument("--save_path", type=Path, help="output folder (default: results/train/<class>)")
    add_data_arguments(parser)
    add_model_arguments(parser)
    add_encoding_arguments(parser)
    add_prompt_arguments(parser, learned_only=True)
    group = parser.add_argument_group("learning")
    group.add_argument("--epoch", type=positive_integer, default=15, help="number of epochs")
    group.add_argument("--learning_rate", type=positive_float, default=0.001, help="learning rate of Adam")
    group.add_argument("--batch_size", type=positive_integer, default=4, help="samples per step")
    group.add_argument(
        "--losses",
        nargs="+",
        choices=LOSS_TERMS,
        default=list(PUBLISHED_WEIGHTS),
        help="terms of the loss, each with weight 1 unless --loss_weights sets another",
    )
    group.add_argument(
        "--loss_weights",
        nargs="+",
        action="extend",
        type=loss_weight,
        default=[],
        metavar="TERM=WEIGHT",
        help="weights of individual terms, such as d2_pixel_loss=0.5; 0 omits a term, and a term that --losses leaves "
        "out is added (default: 1 for each of --losses)",
    )
    group.add_argument("--init_checkpoint", type=Path, help="start from these prompts instead of random ones")
    group.add_argument("--print_freq", type=positive_integer, default=1, help="epochs between log lines")
    group.add_argument("--save_freq", type=positive_integer, default=1, help="epochs between checkpoints")
    group.add_argument(
        "--restart",
        action="store_true",
        help="train from the first epoch; by default an interrupted training continues after its last finished "
        "epoch, with the same result as an uninterrupted one",
    )
    group.add_argument("--resume", action="store_true", help="accepted for compatibility: continuing is the default")
    group.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="also write the losses of every epoch for TensorBoard"
    )
    add_experiment_arguments(parser)
    add_seed_argument(parser)
    return parser


def loss_weight(text: str) -> tuple[str, float]:
    """An ``argparse`` type: a term of the loss and its weight, such as d2_pixel_loss=0.5."""
    name, sign, weight = text.partition("=")
    if not sign or name not in LOSS_TERMS:
        raise argparse.ArgumentTypeError(f"{text!r} is not TERM=WEIGHT with one of the terms {', '.join(LOSS_TERMS)}")
    return name, non_negative_float(weight)


def looked_at(flags: argparse.Namespace, settings: TrainSettings) -> TrainSettings:
    """The settings with everything that the program is given."""
    usual = build_parser().parse_args([])
    given = read_given(flags, settings.data, settings.model, usual=usual, class_name=settings.train_class)
    return replace(settings, given=given)


def main(flags: argparse.Namespace) -> None:
    """Learn prompts as the flags say."""
    settings = TrainSettings.from_flags(flags)
    for flag, reason in idle_in_training(flags, [name for name, _ in settings.loss_weights]):
        logger.info("%s has no effect: %s", flag, reason)
    refuse_replacing_inputs(flags, settings.written())
    settings = looked_at(flags, settings)
    if is_alone() and is_trained(settings):
        return
    from pointad.commands.training_run import run_training  # PyTorch takes seconds to import: not before it is needed

    run_training(settings)

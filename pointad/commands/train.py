"""Learns normal and anomalous prompts on one class, to find defects in classes never seen (PointAD).

    python train.py                                                      # the demo data and the small demo backbone
    python train.py --data_path /data/mvtec3d-rendered --train_class carrot --save_path results/carrot
    python train.py … --resume                                           # goes on where that run was cut off
    torchrun --nproc_per_node=4 train.py …                               # four processes, a GPU each if there are any

Writes into --save_path: epoch_<n>.pth (the prompts in the released format), losses.csv (one row a step), log.txt,
run.json (what was trained, for test.py and the reports) and training_state.pt (for --resume).
"""

import argparse
import csv
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pointad.commands.arguments import (
    DEMO_TRAINING_CLASS,
    add_data_arguments,
    add_encoding_arguments,
    add_model_arguments,
    add_prompt_arguments,
    add_seed_argument,
)
from pointad.commands.loading import load_data, load_model, log_encoded, log_to_file, make_encoder, settle_data
from pointad.commands.program import HelpFormatter, positive_float, positive_integer
from pointad.compute.processes import Processes, joined_processes
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.names import place_below
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import load_prompt_learner, save_prompts
from pointad.model.prompt_learner import CONTEXT_TOKENS, DEEP_TOKENS, DEPTH, OBJECT_NAME, PromptLearner
from pointad.model.text_features import spoken_name
from pointad.training.state import load_training_state, save_training_state
from pointad.training.terms import LOSS_TERMS
from pointad.training.training import EpochLosses, Training, TrainingSettings, load_examples

STATE_NAME = "training_state.pt"

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program; those of the published scripts keep their names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "--train_class", "--train_dataset_name", default=DEMO_TRAINING_CLASS, help="class to learn from"
    )
    parser.add_argument("--save_path", type=Path, help="folder of the outputs (without it: results/train/<class>)")
    add_data_arguments(parser)
    add_model_arguments(parser)
    add_encoding_arguments(parser)
    add_prompt_arguments(parser, learned_only=True)
    group = parser.add_argument_group("learning")
    group.add_argument("--epoch", type=positive_integer, default=15, help="epochs")
    group.add_argument("--learning_rate", type=positive_float, default=0.001, help="of Adam")
    group.add_argument("--batch_size", type=positive_integer, default=4, help="samples a step")
    group.add_argument("--losses", nargs="+", choices=LOSS_TERMS, default=list(LOSS_TERMS), help="terms of the loss")
    group.add_argument("--init_checkpoint", type=Path, help="start from these prompts instead of random ones")
    group.add_argument("--print_freq", type=positive_integer, default=1, help="epochs between two lines of the log")
    group.add_argument("--save_freq", type=positive_integer, default=1, help="epochs between two checkpoints")
    group.add_argument("--resume", action="store_true", help="go on where a run into this --save_path was cut off")
    add_seed_argument(parser)
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Encode the training class once, then learn the prompts."""
    with joined_processes() as processes:
        learn(arguments, processes)


def learn(arguments: argparse.Namespace, processes: Processes) -> None:
    """The part of the run that this process does; the first one writes the files."""
    settle_data(arguments, processes)
    folder = arguments.save_path or place_below(Path("results") / "train", arguments.train_class)
    log_to_file(folder, processes)
    backbone = load_model(arguments, processes)
    learner = make_learner(arguments, backbone)
    dataset = load_data(arguments, training=True)
    facts = facts_of_run(arguments, backbone, learner)
    samples = hashlib.sha256("\n".join(map(str, dataset.sources)).encode()).hexdigest()[:16]
    state_facts = {name: value for name, value in facts.items() if name != "epochs"} | {"samples": samples}
    state = find_state(folder, state_facts, processes) if arguments.resume else None

    logger.info("learning from %d samples of %s", len(dataset), arguments.train_class)
    encoder = make_encoder(arguments, backbone)
    description = "encoding" if processes.is_first else None
    examples = load_examples(
        encoder, dataset, num_workers=arguments.num_workers, description=description, processes=processes
    )
    log_encoded(encoder, processes)
    settings = TrainingSettings(
        epochs=arguments.epoch,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        loss_weights=dict.fromkeys(arguments.losses, 1.0),
    )
    training = Training(backbone, learner, examples, settings, processes)
    if state is not None:
        restore(training, state, folder / STATE_NAME)
        logger.info("going on after epoch %d", len(training.history))
    elif processes.is_first:
        (folder / STATE_NAME).unlink(missing_ok=True)
    if processes.is_first:
        write_run(facts, folder)
    for losses in training.epochs():
        if not processes.is_first:
            continue
        if losses.epoch % arguments.print_freq == 0:
            described = ", ".join(f"{name} {value:.4f}" for name, value in losses.means.items())
            logger.info("epoch %d/%d: %s", losses.epoch, arguments.epoch, described)
        if losses.epoch % arguments.save_freq == 0 or losses.epoch == arguments.epoch:
            save_prompts(learner, folder / f"epoch_{losses.epoch}.pth")
        write_losses(training.history, folder / "losses.csv")
        # Last, so that whatever comes before it is written again when the run is cut off here.
        save_training_state(folder / STATE_NAME, training.state(), state_facts)
    logger.info("prompts saved in %s", folder)


def find_state(folder: Path, facts: dict[str, Any], processes: Processes) -> dict[str, Any] | None:
    """The state to go on from, the same for all processes; None when there is none yet."""
    state = load_training_state(folder / STATE_NAME, facts) if processes.is_first else None
    if processes.is_first and state is None:
        logger.info("nothing to go on from in %s, starting afresh", folder)
    return processes.broadcast(state)


def restore(training: Training, state: dict[str, Any], path: Path) -> None:
    """Go back to a stored state."""
    try:
        training.restore(state)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        remedy = "train without --resume to start afresh"
        raise InputError(path, "not the state of such a training", remedy) from error


def make_learner(arguments: argparse.Namespace, backbone: ClipBackbone) -> PromptLearner:
    """Fresh prompts, or those of --init_checkpoint."""
    counts = {"context_tokens": arguments.n_ctx, "deep_tokens": arguments.t_n_ctx, "depth": arguments.depth}
    if arguments.init_checkpoint is not None:
        return load_prompt_learner(arguments.init_checkpoint, backbone, **counts)
    defaults = {"context_tokens": CONTEXT_TOKENS, "deep_tokens": DEEP_TOKENS, "depth": min(DEPTH, backbone.text.depth)}
    return PromptLearner(
        backbone,
        **{name: defaults[name] if value is None else value for name, value in counts.items()},
        object_name=spoken_name(arguments.train_class) if arguments.prompts == "object_aware" else OBJECT_NAME,
        generator=torch.Generator().manual_seed(arguments.seed),
    )


def facts_of_run(arguments: argparse.Namespace, backbone: ClipBackbone, learner: PromptLearner) -> dict[str, Any]:
    """What is being trained."""
    return {
        "training_dataset": arguments.dataset,
        "training_class": arguments.train_class,
        "backbone": backbone.name,
        "backbone_fingerprint": backbone.fingerprint,
        "object_aware": arguments.prompts == "object_aware",
        "n_ctx": learner.context_tokens,
        "t_n_ctx": learner.deep_tokens,
        "depth": learner.depth,
        "losses": arguments.losses,
        "features_list": arguments.features_list,
        "views": arguments.views,
        "image_size": arguments.image_size,
        "epochs": arguments.epoch,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.learning_rate,
        "seed": arguments.seed,
        "precision": arguments.precision,
        "init_checkpoint": None if arguments.init_checkpoint is None else str(arguments.init_checkpoint),
    }


def write_run(facts: dict[str, Any], folder: Path) -> None:
    """Say what is being trained, for test.py and for the reports."""
    with atomic_path(folder / "run.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def write_losses(history: Sequence[EpochLosses], path: Path) -> None:
    """One row a step, at full precision."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "step", *LOSS_TERMS])
        for losses in history:
            for step, values in enumerate(losses.steps.tolist(), start=1):
                writer.writerow([losses.epoch, step, *map(repr, values)])

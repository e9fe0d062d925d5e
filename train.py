"""Learns normal and anomalous prompts on one class, to find defects in classes never seen (PointAD).

    python train.py                                                      # the demo data and the small demo backbone
    python train.py --data_path /data/mvtec3d-rendered --train_class carrot --save_path results/carrot

Writes into --save_path: epoch_<n>.pth (the prompts in the released format), losses.csv (one row a step), log.txt and
run.json (what was trained, for test.py and the reports).
"""

import argparse
import csv
import json
import logging
from pathlib import Path

import torch

from pointad.atomic import atomic_path
from pointad.losses import LOSS_TERMS
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import load_prompt_learner, save_prompts
from pointad.model.prompt_learner import CONTEXT_TOKENS, DEEP_TOKENS, DEPTH, OBJECT_NAME, PromptLearner
from pointad.model.text_features import spoken_name
from pointad.training import EpochLosses, TrainingSettings, load_examples, train
from scripts.arguments import (
    DEMO_TRAINING_CLASS,
    add_data_arguments,
    add_model_arguments,
    add_prompt_arguments,
    add_seed_argument,
)
from scripts.command_line import HelpFormatter, positive_float, positive_integer, run
from scripts.setting_up import load_data, load_model, log_to_file, settle_data

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
    add_prompt_arguments(parser, learned_only=True)
    group = parser.add_argument_group("learning")
    group.add_argument("--epoch", type=positive_integer, default=15, help="epochs")
    group.add_argument("--learning_rate", type=positive_float, default=0.001, help="of Adam")
    group.add_argument("--batch_size", type=positive_integer, default=4, help="samples a step")
    group.add_argument("--losses", nargs="+", choices=LOSS_TERMS, default=list(LOSS_TERMS), help="terms of the loss")
    group.add_argument("--init_checkpoint", type=Path, help="start from these prompts instead of random ones")
    group.add_argument("--print_freq", type=positive_integer, default=1, help="epochs between two lines of the log")
    group.add_argument("--save_freq", type=positive_integer, default=1, help="epochs between two checkpoints")
    add_seed_argument(parser)
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Encode the training class once, then learn the prompts."""
    settle_data(arguments)
    folder = arguments.save_path or Path("results") / "train" / arguments.train_class
    log_to_file(folder)
    backbone = load_model(arguments)
    learner = make_learner(arguments, backbone)
    dataset = load_data(arguments, training=True)
    logger.info("learning from %d samples of %s", len(dataset), arguments.train_class)
    examples = load_examples(backbone, dataset, arguments.features_list, num_workers=arguments.num_workers)
    write_run(arguments, backbone, learner, folder)

    settings = TrainingSettings(
        epochs=arguments.epoch,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        loss_terms=arguments.losses,
    )
    history: list[EpochLosses] = []
    for losses in train(backbone, learner, examples, settings):
        history.append(losses)
        if losses.epoch % arguments.print_freq == 0:
            described = ", ".join(f"{name} {value:.4f}" for name, value in losses.means.items())
            logger.info("epoch %d/%d: %s", losses.epoch, arguments.epoch, described)
        if losses.epoch % arguments.save_freq == 0 or losses.epoch == arguments.epoch:
            write_losses(history, folder / "losses.csv")
            save_prompts(learner, folder / f"epoch_{losses.epoch}.pth")
    logger.info("prompts saved in %s", folder)


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


def write_run(arguments: argparse.Namespace, backbone: ClipBackbone, learner: PromptLearner, folder: Path) -> None:
    """Say what is being trained, for test.py and for the reports."""
    facts = {
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
    }
    with atomic_path(folder / "run.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def write_losses(history: list[EpochLosses], path: Path) -> None:
    """One row a step, at full precision."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "step", *LOSS_TERMS])
        for losses in history:
            for step, values in enumerate(losses.steps.tolist(), start=1):
                writer.writerow([losses.epoch, step, *map(repr, values)])


if __name__ == "__main__":
    run(main, build_parser())

"""What each of two processes does in the tests of distributed runs; a module of its own, so that they can import it."""

import os
from pathlib import Path

import torch
from small_engine import small_backbone, small_dataset
from torch.nn.functional import normalize

from pointad.compute.processes import ALONE, Processes, joined_processes
from pointad.encoding.features import PictureEncoder
from pointad.evaluation.evaluation import evaluate
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.scored_sample import PromptSet
from pointad.metrics.pixel_scores import EXACT_PIXELS
from pointad.model.prompt_learner import PromptLearner
from pointad.training.settings import TrainingSettings
from pointad.training.training import Training, load_examples

SETTINGS = TrainingSettings(epochs=2, batch_size=2)  # of five samples, so the last batch of an epoch has one


def train_and_test(processes: Processes, cache_folder: Path | None = None) -> dict[str, object]:
    """A training and a test run; what they found, as far as this process knows it."""
    backbone = small_backbone()
    encoder = PictureEncoder(backbone, cache_folder=cache_folder)
    dataset = small_dataset({"cube": 5}, training=True)
    examples = load_examples(encoder, dataset, description=None, processes=processes)
    learner = PromptLearner(backbone, depth=3, generator=torch.Generator().manual_seed(3))
    training = Training(backbone, learner, examples, SETTINGS, processes)
    losses = torch.cat([epoch.steps for epoch in training.epochs()])
    encoded = encoder.encoded

    features = normalize(torch.randn(2, 64, generator=torch.Generator().manual_seed(1)), dim=-1)
    samples: list[tuple[str, str, dict[str, float]]] = []
    outcomes = {}
    for batch_size, exact_pixels in ((None, EXACT_PIXELS), (2, EXACT_PIXELS), (1, 1000)):
        outcomes[batch_size] = [
            (outcome.class_name, outcome.metrics, outcome.error_bounds)
            for outcome in evaluate(
                encoder,
                small_dataset({"cube": 4, "cone": 3}),
                [PromptSet("random", lambda class_name: features)],
                EvaluationSettings(description=None, batch_size=batch_size, exact_pixels=exact_pixels),
                lambda sample: samples.append((sample.class_name, sample.identifier, sample.scores)),
                processes,
            )
        ]
    return {
        "examples": len(examples.features),
        "encoded": encoded,
        "losses": losses,
        "prompts": learner.state_dict(),
        "outcomes": outcomes,
        "samples": samples,
    }


def alone() -> dict[str, object]:
    return train_and_test(ALONE)


def one_of_two(rank: int, port: int, folder: Path) -> None:
    """Join the other process, do this one's part and write down what was found."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with joined_processes() as processes:
        assert processes == Processes(rank, 2)
        assert processes.broadcast(f"from {rank}") == "from 0"
        found = train_and_test(processes, folder / "cache")
        torch.save(found, folder / f"{rank}.pt")

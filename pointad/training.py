"""Learning the prompts of one class: the encoder's features are computed once, then only the prompts move.

PointAD, section 3.3: Adam with learning rate 0.001 and betas (0.5, 0.999), batches of 4, 15 epochs.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from pointad.data.batch import MultiViewBatch, MultiViewSample, collate
from pointad.data.loader import iterate_batches
from pointad.errors import InputError
from pointad.features import SampleFeatures, concatenate, encode_batch
from pointad.inference import predict_views
from pointad.losses import LOSS_TERMS, TrainingLosses, training_losses
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.scoring.back_projection import back_project

BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast the prompts learn, and from which terms of the loss."""

    epochs: int = 15
    batch_size: int = 4
    learning_rate: float = 0.001
    seed: int = 111  # of the order of the samples
    loss_terms: Collection[str] = LOSS_TERMS


@dataclass(frozen=True)
class TrainingExample:
    """One sample as the steps need it: what it should give, and the features of its pictures."""

    sample: MultiViewSample  # without its pictures
    features: SampleFeatures  # of this one sample (B = 1), without colour


@dataclass(frozen=True)
class EpochLosses:
    """What one epoch of steps gave."""

    epoch: int  # counted from 1
    steps: Tensor  # (steps, 4) float64 on the CPU, columns in the order of LOSS_TERMS

    @property
    def means(self) -> dict[str, float]:
        """Mean of every term over the epoch's steps."""
        return dict(zip(LOSS_TERMS, self.steps.mean(dim=0).tolist(), strict=True))


def load_examples(
    backbone: ClipBackbone,
    dataset: Dataset[MultiViewSample],
    layers: Sequence[int] | None = None,
    *,
    num_workers: int = 0,
    description: str | None = "encoding",
) -> list[TrainingExample]:
    """Load every sample and encode its pictures, once.

    Args:
        backbone: the frozen CLIP.
        dataset: training samples with pictures and the ground truth of their views.
        layers: blocks whose local features are compared with the text; the last one when None.
        num_workers: processes that load samples.
        description: label of the progress bar; None shows none.

    Returns:
        The examples in the order of the data set, on the CPU.

    Raises:
        InputError: the data set is empty, has samples of one kind only, or a sample cannot be read.
    """
    device = next(backbone.parameters()).device
    examples = []
    for batch in iterate_batches(dataset, batch_size=1, num_workers=num_workers, description=description):
        features = encode_batch(backbone, batch.to(device), layers)
        without_color = SampleFeatures(features.views_global, features.views_patches, None, None)
        examples.append(TrainingExample(_without_pictures(batch), without_color.to(torch.device("cpu"))))
    if not examples:
        raise InputError("training class", "has no samples", "choose another class or write the JSON files again")
    if not any(example.sample.label for example in examples):
        problem = "has no anomalous samples, and prompts learn from the difference"
        raise InputError(f"training class {examples[0].sample.class_name}", problem, "choose another class")
    return examples


def train(
    backbone: ClipBackbone,
    learner: PromptLearner,
    examples: Sequence[TrainingExample],
    settings: TrainingSettings,
) -> Iterator[EpochLosses]:
    """Learn the prompts; the learner changes in place and is up to date whenever an epoch's losses are handed out.

    Args:
        backbone: the frozen CLIP that the examples were encoded with.
        learner: the prompts to be learned.
        examples: of one class, see :func:`load_examples`.
        settings: how long and how fast.

    Yields:
        The losses of each epoch.
    """
    device = next(backbone.parameters()).device
    optimizer = torch.optim.Adam(learner.learned_parameters(), lr=settings.learning_rate, betas=BETAS)
    generator = torch.Generator().manual_seed(settings.seed)
    for epoch in range(1, settings.epochs + 1):
        steps = []
        for chosen in torch.randperm(len(examples), generator=generator).split(settings.batch_size):
            batch = collate([examples[i].sample for i in chosen]).to(device)
            features = concatenate([examples[i].features for i in chosen]).to(device)
            losses = batch_losses(backbone, learner, batch, features, settings.loss_terms)
            optimizer.zero_grad()
            losses.total.backward()
            optimizer.step()
            steps.append(torch.stack([getattr(losses, term).detach() for term in LOSS_TERMS]))
        # The only place where the host waits for the device.
        yield EpochLosses(epoch, torch.stack(steps).double().cpu())


def batch_losses(
    backbone: ClipBackbone,
    learner: PromptLearner,
    batch: MultiViewBatch,
    features: SampleFeatures,
    loss_terms: Collection[str] = LOSS_TERMS,
) -> TrainingLosses:
    """The terms of the loss on one batch, differentiable with respect to the prompts.

    Args:
        backbone: gives the text encoder.
        learner: gives the prompts.
        batch: B samples with the ground truth of their views.
        features: of the same B samples.
        loss_terms: the terms that are computed.

    Raises:
        InputError: the batch was loaded without the ground truth of its views.
    """
    if batch.views_gt is None:
        remedy = "load it with SampleOptions(with_views_gt=True)"
        raise InputError("batch", "was loaded without the ground truth of its views", remedy)
    views = predict_views(features, learner(backbone.text), batch.views_gt.shape[-1])
    return training_losses(
        view_logits=views.logits,
        view_maps=views.maps,
        point_maps=back_project(views.maps, batch.correspondences, batch.non_zero),
        non_zero=batch.non_zero,
        labels=batch.label,
        masks=batch.mask,
        view_masks=batch.views_gt,
        terms=loss_terms,
    )


def _without_pictures(batch: MultiViewBatch) -> MultiViewSample:
    """The only sample of a batch, less its pictures, in memory of its own: loader processes want theirs back."""
    return MultiViewSample(
        class_name=batch.class_name[0],
        species=batch.species[0],
        identifier=batch.identifier[0],
        label=int(batch.label[0]),
        views=None,
        color=None,
        views_gt=None if batch.views_gt is None else batch.views_gt[0].clone(),
        mask=batch.mask[0].clone(),
        correspondences=batch.correspondences[0].clone(),
        non_zero=batch.non_zero[0].clone(),
    )

"""Learns the prompts from one class: the encoder's features are computed once, then only the prompts are updated.

PointAD, section 3.3: Adam with learning rate 0.001 and betas (0.5, 0.999), batches of 4, 15 epochs.
"""

import copy
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.profiler import record_function

from pointad.compute.processes import ALONE, Processes
from pointad.data.dataset import MultiViewDataset
from pointad.data.loader import iterate_batches
from pointad.data.sample_identity import ScanFingerprints, mask_content, sample_content
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.errors import InputError, counted
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.scoring.similarity import ANOMALOUS, local_probability_grid, unit_logits
from pointad.training.loss_paths import FastPath, LossPath, choose_path
from pointad.training.settings import TrainingSettings
from pointad.training.targets import Targets, concatenate_targets, drawn_truth
from pointad.training.terms import LOSS_TERMS, PUBLISHED_WEIGHTS, check_weights

STEP_PARTS = ("text encoder", "losses and their gradient", "text encoder, backwards", "optimizer")
TEXT, LOSSES, TEXT_BACKWARDS, OPTIMIZER = STEP_PARTS  # labels of the parts of a step in profilers
BETAS = (0.5, 0.999)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingExamples:
    """The samples of one class, prepared for the steps; with several processes, those that this one has encoded."""

    count: int  # of samples in all processes
    features: dict[int, SampleFeatures]  # index of the sample -> its features, B = 1, without colour
    targets: dict[int, Targets]  # index of the sample -> its targets, B = 1
    path: LossPath  # the loss path that the targets are made for
    content: int = 0  # fingerprint of the samples of all processes, see `sample_content`
    masks: int = 0  # that of their ground truth alone
    renderings: tuple[str, ...] = ()  # in the first process: what tells each view of each, see `looks_and_sights`
    scans: tuple[str, ...] = ()  # in the first process: fingerprints that a test has of the same samples, of each view


@dataclass(frozen=True)
class EpochLosses:
    """The losses of one epoch."""

    epoch: int  # counted from 1
    steps: Tensor  # (steps, terms) float64 on the CPU, unweighted, in the order of LOSS_TERMS; 0: not computed

    @property
    def means(self) -> dict[str, float]:
        """Mean of every term over the epoch's steps."""
        return dict(zip(LOSS_TERMS, self.steps.mean(dim=0).tolist(), strict=True))


def load_examples(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    *,
    path: LossPath | None = None,
    num_workers: int = 0,
    description: str | None = "encoding",
    processes: Processes = ALONE,
) -> TrainingExamples:
    """Load every sample, encode its pictures, and precompute its targets.

    Args:
        encoder: the frozen CLIP's image encoder.
        dataset: training samples with pictures and the ground truth of their views.
        path: the loss path, from ``choose_path``; None: the one for the published terms.
        num_workers: number of processes that load samples.
        description: label of the progress bar; None: no progress bar.
        processes: the processes among which the samples are split.

    Returns:
        The examples, on the CPU.

    Raises:
        InputError: the data set is empty, has no anomalous samples, or a sample cannot be read or its features are not
            finite.
    """
    sources = dataset.sources
    if not sources:
        raise InputError("training class", "has no samples", "choose another class or write the JSON files again")
    if not any(source.label for source in sources):
        problem = "has no anomalous samples, without which the prompts cannot be learned"
        raise InputError(f"training class {sources[0].class_name}", problem, "choose another class")
    if processes.is_first and all(source.label for source in sources):
        message = "training class %s: has no good samples; the prompts are learned from anomalous ones alone"
        logger.warning(message, sources[0].class_name)
    options = dataset.options
    at_once = encoder.samples_at_once(len(options.view_indices), options.image_size)
    encoder.expect(len(sources), len(options.view_indices), options.image_size)
    own = processes.share(range(len(sources)))
    on_gpu = encoder.device.type == "cuda"
    features: dict[int, SampleFeatures] = {}
    targets: dict[int, Targets] = {}
    content = masks = blank = 0
    renderings: list[str] = []
    scans = ScanFingerprints()
    path = path or choose_path()
    batches = iterate_batches(
        MultiViewDataset([sources[index] for index in own], dataset.load, options),
        batch_size=at_once,
        num_workers=num_workers,
        pin_memory=on_gpu,
        description=description,
    )
    for batch in batches:
        encoded = encoder.encode(batch)
        grid_side = options.image_size // encoder.backbone.patch_size
        for place in range(len(batch.class_name)):
            index = own[len(features)]
            features[index] = encoded.sample(place).without_color().kept_on_cpu(pinned=on_gpu)
            sample = batch.sample(place)
            content += sample_content(sample, index)
            masks += mask_content(sample)
            blank += bool(sample.mask.any()) and not drawn_truth(sample).any()
            renderings.append(sample.looks or "")
            scans.add(sample.species, sample.identifier, sample.label, sample.mask.numpy(), sample.sights)
            aimed = path.targets(sample, grid_side)
            targets[index] = aimed.pin_memory() if on_gpu else aimed
    content, masks, blank = processes.sum(torch.tensor([content, masks, blank])).tolist()
    if processes.is_first and blank:
        message = (
            "training class %s: the masks of %s mark points of which no view shows one; render again, unless these "
            "defects are hidden in all views"
        )
        logger.warning(message, sources[0].class_name, counted(blank, "sample"))
    all_renderings = tuple(sorted(one for part in processes.gather(renderings) for one in part))
    all_scans = ScanFingerprints(processes.gather(scans.parts))
    return TrainingExamples(len(sources), features, targets, path, content, masks, all_renderings, all_scans.texts)


def adam(learner: PromptLearner, settings: TrainingSettings) -> torch.optim.Adam:
    """A fresh optimizer of the learned tokens."""
    return torch.optim.Adam(learner.learned_parameters(), lr=settings.learning_rate, betas=BETAS)


class DivergenceError(InputError):
    """Training has diverged to non-finite numbers."""


class Training:
    """The steps of one training, which can be interrupted after any epoch and continued from there.

    Args:
        backbone: the frozen CLIP that the examples were encoded with.
        learner: the prompts to be learned; updated in place.
        examples: of one class, see :func:`load_examples`.
        settings: the hyperparameters.
        processes: the processes that train together; the learner of each starts with the same prompts.

    Raises:
        InputError: a term of the loss does not exist, or none has a weight.
    """

    def __init__(
        self,
        backbone: ClipBackbone,
        learner: PromptLearner,
        examples: TrainingExamples,
        settings: TrainingSettings,
        processes: Processes = ALONE,
    ) -> None:
        self.settings = settings
        self.history: list[EpochLosses] = []
        self._backbone = backbone
        self._learner = learner
        self._examples = examples
        self._processes = processes
        self._device = next(backbone.parameters()).device
        self._optimizer = adam(learner, settings)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._prompt_length = learner.prompt_length()
        self._weights = check_weights(settings.loss_weights)
        if isinstance(examples.path, FastPath) and not self._weights.keys() <= PUBLISHED_WEIGHTS.keys():
            others = ", ".join(self._weights.keys() - PUBLISHED_WEIGHTS.keys())
            raise InputError(f"loss {others}", "needs maps", "load the examples with choose_path for these terms")

    def epochs(self) -> Iterator[EpochLosses]:
        """Continue to the last epoch; the learner is up to date whenever the losses of an epoch are yielded.

        Raises:
            DivergenceError: a loss, a prompt or its text feature is not finite; the learner holds the prompts of the
                previous epoch.
        """
        while len(self.history) < self.settings.epochs:
            before = copy.deepcopy(self._learner.state_dict())
            order = torch.randperm(self._examples.count, generator=self._generator)
            steps = [self._step(chosen.tolist()) for chosen in order.split(self.settings.batch_size)]
            # The only place where the host waits for the device.
            losses = EpochLosses(len(self.history) + 1, torch.stack(steps).double().cpu())
            diverged = self._diverged_at(losses.steps)
            if diverged is not None:
                self._learner.load_state_dict(before)
                last = f"the prompts of epoch {losses.epoch - 1} are the last good ones"
                good = last if self.history else "no epoch was completed"
                raise DivergenceError(
                    f"learning rate {self.settings.learning_rate:g}",
                    f"a loss or a prompt is not finite in step {diverged} of epoch {losses.epoch}; {good}",
                    "choose a smaller --learning_rate or smaller --loss_weights",
                )
            self.history.append(losses)
            yield losses

    def state(self) -> dict[str, Any]:
        """Everything that the next epoch depends on: tensors, numbers and containers of them."""
        return {
            "learner": self._learner.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
            "losses": [losses.steps for losses in self.history],
            "samples": self._examples.content,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state from :meth:`state` of a training of the same kind.

        Args:
            state: one from a file must have passed :func:`pointad.training.state_check.check_training_state`.

        Raises:
            InputError: the samples are others than those that it was learned from; older states do not say.
        """
        if state.get("samples", self._examples.content) != self._examples.content:
            problem = "have changed since the training was interrupted: pictures, points, masks or their order"
            raise InputError("training samples", problem, "restore them, or train with --restart to start afresh")
        self._learner.load_state_dict(state["learner"])
        # Copies, since the optimizer writes into its tensors, and those of a file may share their memory.
        kept = {
            index: {name: value.detach().clone() for name, value in each.items()}
            for index, each in state["optimizer"]["state"].items()
        }
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": kept})
        self._generator.set_state(state["generator"])
        self.history = [EpochLosses(epoch, steps) for epoch, steps in enumerate(state["losses"], start=1)]

    def _diverged_at(self, losses: Tensor) -> int | None:
        """The first step of an epoch, counted from 1, with a non-finite loss or prompt; None if there is none."""
        broken = (~losses.isfinite().all(dim=1)).nonzero()
        if len(broken):
            return int(broken[0]) + 1
        # Finite tokens may still be too large for the text encoder, as the next step or a test would find.
        with torch.no_grad():
            results = [self._learner(self._backbone.text, self._prompt_length), *self._learner.learned_parameters()]
        return None if all(bool(each.isfinite().all()) for each in results) else len(losses)

    def _step(self, chosen: Sequence[int]) -> Tensor:
        """One Adam step on these samples; returns the terms of its loss, (terms,), on the device."""
        with record_function(TEXT):
            text_features = self._learner(self._backbone.text, self._prompt_length)
        with record_function(LOSSES):
            losses, gradient = self._losses_and_gradient(text_features.detach(), chosen)
        # All processes have the same two text features, so everything else is the same in each of them.
        flat = self._processes.sum(torch.cat([losses, gradient.flatten()]))
        self._optimizer.zero_grad()
        with record_function(TEXT_BACKWARDS):
            text_features.backward(flat[len(losses) :].view_as(text_features))
        with record_function(OPTIMIZER):
            self._optimizer.step()
        return flat[: len(losses)]

    def _losses_and_gradient(self, text_features: Tensor, chosen: Sequence[int]) -> tuple[Tensor, Tensor]:
        """This process's part of the loss terms, and of the gradient of their weighted sum w.r.t. the text features."""
        terms = text_features.new_zeros(len(LOSS_TERMS))
        own = [index for index in chosen if index in self._examples.features]
        if not own:
            return terms, torch.zeros_like(text_features)
        features = [self._examples.features[index].to(self._device) for index in own]
        targets = concatenate_targets([self._examples.targets[index].to(self._device) for index in own])
        text_features.requires_grad_()
        logits = unit_logits(torch.cat([each.views_global for each in features]), text_features)
        grids = torch.cat(
            [local_probability_grid(each.views_patches, text_features, unit_length=True) for each in features]
        )  # (B, V, L, 2, g, g)
        grids = grids[..., ANOMALOUS, :, :].mean(dim=2)
        losses = self._examples.path.losses(logits, grids, targets, self._weights)  # type: ignore[arg-type]
        # Every term is a mean over samples, so each process is weighted by its share of the batch.
        share = len(own) / len(chosen)
        total = torch.stack([losses[name] * (share * weight) for name, weight in self._weights.items()]).sum()
        (gradient,) = torch.autograd.grad(total, text_features)
        for name, value in losses.items():
            terms[LOSS_TERMS.index(name)] = value.detach() * share
        return terms, gradient

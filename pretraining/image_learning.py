"""The third and the last stage of the pre-training: the image encoder learns, beside its guide and then alone."""

import copy
from collections.abc import Callable

import numpy as np
import open_clip
import torch

from pointad.compute.processes import ALONE, Processes
from pretraining.batches import Batches
from pretraining.first_filters import set_first_filters
from pretraining.guidance import TOKEN_BLOCKS, TokenReaders, guidance_losses
from pretraining.guide import Guide
from pretraining.objective import pretraining_losses
from pretraining.patch_whitening import whiten_patches
from pretraining.picture_features import picture_features
from pretraining.pictures import PICTURE_SIDE
from pretraining.plan import CUT_OUT_SIDE, LearningPlan, pictures_at
from pretraining.progress import Progress
from pretraining.reporting import Reporter
from pretraining.sentences import SentenceFeatures
from pretraining.small_clip import CONFIGURATION, GRID_SIDE, PATCH_SIDE, normalized
from pretraining.steps import computing_copy, follow, make_optimizer, rate_at, set_rate, take_step

SUPERVISED_BLOCKS = (6, 7, 8)  # of the image encoder: their local features learn
_GUIDE_WEIGHTS = (1.0, 0.3)  # at the first and the last step
_OWN_WEIGHTS = (0.5, 1.0)  # of the image encoder's own objective beside it


def start_image_encoder(model: open_clip.CLIP, batches: Batches, seed: int, count: int = 192) -> None:
    """Give the image encoder of a fresh model on the CPU a start that sees details, taken from so many pictures."""
    pictures = normalized(batches.draw(PICTURE_SIDE, count).images.cpu())
    whiten_patches(model.visual, pictures)
    set_first_filters(model.visual, pictures[::3, :, :CUT_OUT_SIDE, :CUT_OUT_SIDE], seed)


def learn_images(
    model: open_clip.CLIP,
    guide: Guide | None,
    texts: SentenceFeatures,
    batches: Batches,
    plan: LearningPlan,
    reporter: Reporter,
    keep: Callable[[open_clip.CLIP], None],
    progress: Progress | None = None,
    processes: Processes = ALONE,
) -> open_clip.CLIP:
    """Train the model's image encoder, in place; all processes end with the same one.

    Args:
        model: on the device of texts and batches, as the guide.
        guide: what it is to imitate, frozen; None without.
        texts: what is said about the pictures.
        batches: the pictures.
        plan: how.
        reporter: is told the losses.
        keep: gets the model with the running mean of the weights every so often and at the end.
        progress: what an interrupted run goes on from.
        processes: those that share every batch among themselves.

    Returns:
        The model with the running mean of the weights.
    """
    stage = "alone" if guide is None else "pictures"
    averaged = copy.deepcopy(model).requires_grad_(False)
    readers = TokenReaders(CONFIGURATION["vision_cfg"]["width"]).to(texts.captions.device)
    named = [*model.visual.named_parameters(), *readers.named_parameters()]
    optimizer = make_optimizer(named, plan.rate, plan.weight_decay, {})
    parts = {"model": model.visual, "averaged": averaged.visual, "readers": readers}
    done = 0 if progress is None else progress.load(parts, optimizer, batches)
    half = computing_copy(model)
    computing = [*half.visual.parameters(), *readers.parameters()]
    full = [parameter for _, parameter in named]
    for step in range(done, plan.steps):
        set_rate(optimizer, rate_at(step, plan.steps, plan.rate))
        side, count = pictures_at(step, plan.steps, plan.cut_out_steps, plan.batch_size)
        batch = batches.draw(side, count // processes.count)
        patches = side // PATCH_SIDE
        images = normalized(batch.images)
        # Depends on the step alone, so that an interrupted run goes on with the same places.
        row, column = np.random.default_rng([plan.seed, processes.rank, step]).integers(0, GRID_SIDE - patches + 1, 2)
        features = picture_features(
            half.visual,
            images.bfloat16(),
            corner=(int(row), int(column)),
            blocks=SUPERVISED_BLOCKS,
            token_blocks=TOKEN_BLOCKS,
        )
        states = texts.some_states(step)
        losses = pretraining_losses(
            features.global_features,
            features.patch_features,
            texts.captions[batch.numbers] if side == PICTURE_SIDE else None,
            states,
            batch.kind_maps,
        )
        total, terms = losses.total(), vars(losses)
        if guide is not None:
            with torch.no_grad():
                guidance = guide(images, patches)
            guided = guidance_losses(features, guidance, states, readers)
            share = step / plan.steps
            total = _between(_OWN_WEIGHTS, share) * total + _between(_GUIDE_WEIGHTS, share) * guided.total()
            terms = {**terms, **vars(guided)}
        total.backward()
        take_step(optimizer, computing, full, processes)
        follow(averaged.visual.parameters(), model.visual.parameters(), min(plan.average, (1 + step) / (10 + step)))
        if reporter.add(stage, step, plan.steps, terms):
            keep(averaged)
            if progress is not None:
                progress.save(step + 1, parts, optimizer, batches)
    return averaged


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share

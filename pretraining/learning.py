"""The pre-training itself, on one GPU or by a few processes that share the gradient of every batch.

First the text encoder learns which sentences are alike, and stays as it is from then on. Then a guide, a small
convolutional network, learns to agree with the sentences about pictures and patches. Then the image encoder learns
the same, with what the guide sees as further goals; and last it learns on alone, from whole pictures.

On CPUs, one thread a process is deliberate: on a busy machine threads that wait for each other cost more than they
bring.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pointad.compute.processes import ALONE, Processes
from pointad.errors import InputError
from pretraining.batches import Batches
from pretraining.guide import Guide
from pretraining.guide_file import guide_file, load_guide, save_guide
from pretraining.guide_learning import learn_guide
from pretraining.image_learning import learn_images, start_image_encoder
from pretraining.picture_store import PictureStore
from pretraining.plan import LearningPlan
from pretraining.progress import Progress, refuse_progress_of_others
from pretraining.reporting import Report, Reporter
from pretraining.sentences import encode_sentences, read_sentences
from pretraining.small_clip import CONFIGURATION, new_model, save_model
from pretraining.wording import learn_wording

_PROGRESS = "progress.pt"  # in the folder of what an interrupted run goes on from
# What of a plan belongs to the last stage alone, and what the guide does not depend on.
_LAST_STAGE = ("alone_steps", "alone_rate")
_AFTER_THE_GUIDE = (*_LAST_STAGE, "steps", "rate", "average", "cut_out_steps")


def learn(
    open_store: Callable[[int | None], PictureStore],
    plan: LearningPlan,
    weights: Path,
    *,
    device: torch.device | str = "cpu",
    processes: Processes = ALONE,
    start_from: Path | None = None,
    kept: Path | None = None,
    report: Report | None = None,
) -> None:
    """Train and write the averaged weights, in half precision, every so often and at the end.

    Args:
        open_store: gives the pictures: of so many objects for the guide, and then of all (None).
        plan: how.
        weights: the safetensors file to write; the configuration goes beside it as JSON.
        device: what computes; one that is not the CPU gets a copy of all pictures.
        processes: those that share every batch among themselves.
        start_from: weights to go on from instead of fresh ones: the image encoder takes the last stage from there.
            Another file than `weights`, which is written over on the way.
        kept: the folder for what an interrupted run goes on from: the guide, and how far a stage has come.
        report: called by the first process every so often, see `pretraining.reporting`.

    Raises:
        InputError: `start_from` does not hold weights of this model, `kept` is what another run goes on from, or a file
            cannot be written.
    """
    device = torch.device(device)
    model = new_model(plan.seed)
    reporter = Reporter(report if processes.is_first else None, plan.report_every)
    recipe: dict[str, Any] = {**asdict(plan), "processes": processes.count}
    del recipe["report_every"]

    def keep(averaged: open_clip.CLIP) -> None:
        if processes.is_first:
            save_model(averaged, weights)

    def progress_of(recipe: dict[str, Any]) -> Progress | None:
        # Random numbers of one kind of device do not serve another.
        recipe = {**recipe, "device": device.type}
        return None if kept is None else Progress(kept / _PROGRESS, recipe, processes)

    if start_from is not None:
        recipe["start_from"] = _digest(start_from)
    if kept is not None:
        own = _without(recipe, ("guide_objects",))  # there may be fewer
        refuse_progress_of_others(kept / _PROGRESS, {**own, "device": device.type})
    guide: Guide | None = None
    if start_from is None:
        store = open_store(plan.guide_objects)
        recipe["guide_objects"] = len(store)
        start_image_encoder(model, Batches(store, (plan.seed,)), plan.seed, plan.start_pictures)
        model.to(device)
        guide = Guide(CONFIGURATION["embed_dim"]).to(device)
        guide_recipe = _without(recipe, _AFTER_THE_GUIDE)
        finished = None if kept is None else guide_file(kept, guide_recipe)
        if finished is None or not load_guide(finished, guide_recipe, model, guide):
            sentences = read_sentences(store, plan.seed, device, wordings=plan.wordings)
            learn_wording(model, sentences, plan, reporter, processes)
            texts = encode_sentences(model, sentences)
            batches = Batches(store, (plan.seed, processes.rank, 1), device, processes)
            learn_guide(guide, texts, batches, plan, reporter, progress_of(guide_recipe), processes)
            del batches  # a GPU has no need of two copies of the pictures
            if finished is not None and processes.is_first:
                save_guide(finished, guide_recipe, model, guide)
        guide.freeze()
    else:
        _load(model, start_from)
        model.to(device)

    store = open_store(None)
    recipe["objects"] = len(store)
    sentences = read_sentences(store, plan.seed, device, wordings=plan.wordings)
    batches = Batches(store, (plan.seed, processes.rank, 2), device, processes)
    beginning = batches.state()
    alone = progress_of({**recipe, "stage": "alone"})
    if guide is not None:
        if alone is None or not alone.is_there():
            texts = encode_sentences(model, sentences)
            guided = progress_of({**_without(recipe, _LAST_STAGE), "stage": "guided"})
            averaged = learn_images(model, guide, texts, batches, plan, reporter, keep, guided, processes)
            model.load_state_dict(averaged.state_dict())
            batches.set_state(beginning)
        # What the file holds, in half precision, is where the last stage begins.
        model.load_state_dict({name: entry.half().float() for name, entry in model.state_dict().items()})
    texts = encode_sentences(model, sentences)
    plan = replace(plan, steps=plan.alone_steps, rate=plan.alone_rate, cut_out_steps=0.0)
    learn_images(model, None, texts, batches, plan, reporter, keep, alone, processes)
    if alone is not None:
        alone.remove()


def _without(recipe: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in recipe.items() if name not in names}


def _digest(weights: Path) -> str:
    try:
        return hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(weights, f"cannot be read ({error.strerror})", "give a readable file") from error


def _load(model: open_clip.CLIP, weights: Path) -> None:
    """Fill the model from a file of `save_model`."""
    try:
        model.load_state_dict({name: entry.float() for name, entry in load_file(weights).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        remedy = "give the weights that an earlier run of this pre-training wrote"
        raise InputError(weights, "not weights of the model that is pre-trained", remedy) from error

"""The pre-training itself: a few processes, each with one thread, share the gradient of every batch.

First the text encoder learns which sentences are alike, and stays as it is from then on. Then a guide, a small
convolutional network, learns to agree with the sentences about pictures and patches. Last the image encoder learns
the same, with what the guide sees as further goals. Going on from given weights, the image encoder alone learns on,
from whole pictures and without a guide.

One thread a process is deliberate: on a busy machine threads that wait for each other cost more than they bring.
"""

import copy
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.distributed as distributed
from safetensors.torch import load_file, save_file
from torch import Tensor

from pointad.atomic import atomic_path
from pointad.demo.pretraining.batches import Batches, PretrainingBatch
from pointad.demo.pretraining.first_filters import set_first_filters
from pointad.demo.pretraining.guidance import TOKEN_BLOCKS, TokenReaders, guidance_losses
from pointad.demo.pretraining.guide import Guide
from pointad.demo.pretraining.guide_file import load_guide, save_guide
from pointad.demo.pretraining.objective import patch_kind_loss, pretraining_losses, wording_loss
from pointad.demo.pretraining.patch_whitening import whiten_patches
from pointad.demo.pretraining.picture_features import picture_features
from pointad.demo.pretraining.picture_store import PictureStore
from pointad.demo.pretraining.pictures import PICTURE_SIDE
from pointad.demo.pretraining.progress import Progress
from pointad.demo.pretraining.steps import computing_copy, follow, make_optimizer, rate_at, set_rate, take_step

# Standard CLIP in a small size. The text encoder has the nine blocks that learned prompts reach into.
CONFIGURATION: dict[str, Any] = {
    "embed_dim": 128,
    "quick_gelu": False,
    "vision_cfg": {"image_size": 336, "layers": 6, "width": 192, "head_width": 64, "patch_size": 21},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 9},
}

SUPERVISED_BLOCKS = (4, 5, 6)  # of the image encoder: their local features learn
CUT_OUT_SIDE = 126  # pixels: 6 of the 16 patches; what is local can be learned from less than a whole picture
_OWN_SHARE = 0.5  # weight of the image encoder's own objective beside the guide
WHOLE_PICTURES = 4  # so many times fewer whole pictures make a batch than cut-outs


@dataclass(frozen=True)
class LearningPlan:
    """How the pre-training goes."""

    wording_steps: int
    guide_steps: int
    steps: int  # of the image encoder
    batch_size: int = 96  # cut-outs a step, of all processes together
    wording_rate: float = 1e-3  # learning rates
    guide_rate: float = 2e-3
    rate: float = 2e-3
    position_share: float = 0.1  # of the wording rate; small positions leave learned prompts room to matter
    weight_decay: float = 0.05
    average: float = 0.995  # of the running mean of the image encoder's weights, which is what is kept
    continued_rate: float = 7e-4  # of weights that have learned already
    cut_out_steps: float = 0.85  # share of the steps, the first ones, that see cut-outs instead of whole pictures
    report_every: int = 100
    seed: int = 0


_PROGRESS = "progress.pt"  # in the folder of what an interrupted run goes on from
# What of a plan the guide does not depend on.
_AFTER_THE_GUIDE = ("steps", "rate", "average", "continued_rate", "cut_out_steps", "report_every")

Report = Callable[[str, int, dict[str, float]], None]


def learn(
    store: PictureStore,
    plan: LearningPlan,
    weights: Path,
    *,
    process: int = 0,
    processes: int = 1,
    start_from: Path | None = None,
    kept: Path | None = None,
    report: Report | None = None,
) -> None:
    """Train and write the averaged weights, in half precision, every so often and at the end.

    Args:
        store: the pictures.
        plan: how.
        weights: the safetensors file to write; the configuration goes beside it as JSON.
        process, processes: this process's number among those of the default `torch.distributed` group.
        start_from: weights to go on from instead of fresh ones.
        kept: the folder for what an interrupted run goes on from: the guide, and how far the image encoder has come.
        report: called by process 0 now and then with the stage, the step and the means of the losses since.

    Raises:
        InputError: the weights cannot be written.
    """
    model = new_model(plan.seed)
    size = plan.batch_size // processes
    reporter = _Reporter(report if process == 0 else None, plan.report_every)

    def keep(averaged: open_clip.CLIP) -> None:
        if process == 0:
            _save(averaged, weights)

    guide: Guide | None = None
    recipe: dict[str, Any] = {**asdict(plan), "objects": len(store), "processes": processes}
    if start_from is None:
        guide = Guide(CONFIGURATION["embed_dim"])
        guide_recipe = {name: value for name, value in recipe.items() if name not in _AFTER_THE_GUIDE}
        guide_file = None if kept is None else kept / "guide.safetensors"
        if guide_file is None or not load_guide(guide_file, guide_recipe, model, guide):
            batches = Batches(store, size, np.random.default_rng([plan.seed, process]), process, processes)
            learn_wording(model, batches, plan, processes, reporter)
            progress = None if kept is None else Progress(kept / _PROGRESS, guide_recipe, process, processes)
            learn_guide(guide, Texts(model), batches, plan, processes, reporter, progress)
            if guide_file is not None and process == 0:
                save_guide(guide_file, guide_recipe, model, guide)
        guide.freeze()
        start_image_encoder(model, store, plan.seed)
    else:
        model.load_state_dict({name: entry.float() for name, entry in load_file(start_from).items()})
        plan = replace(plan, rate=plan.continued_rate, cut_out_steps=0.0)
        recipe["start_from"] = hashlib.sha256(start_from.read_bytes()).hexdigest()
    rng = np.random.default_rng([plan.seed, process, 1])
    batches = Batches(store, size, rng, process, processes)
    progress = None if kept is None else Progress(kept / _PROGRESS, recipe, process, processes)
    learn_images(model, guide, Texts(model), batches, plan, processes, reporter, keep, rng, progress)
    if progress is not None:
        progress.remove()


def new_model(seed: int) -> open_clip.CLIP:
    """A fresh model with open_clip's initialization."""
    torch.manual_seed(seed)
    return open_clip.CLIP(**CONFIGURATION)


def start_image_encoder(model: open_clip.CLIP, store: PictureStore, seed: int) -> None:
    """Give the image encoder of a fresh model a start that sees details."""
    mean, std = normalization()
    whiten_patches(model.visual, store, mean, std, seed)
    pictures = Batches(store, 64, np.random.default_rng(seed)).draw(CUT_OUT_SIDE)
    set_first_filters(model.visual, (pictures.images - mean) / std, seed)


def learn_wording(
    model: open_clip.CLIP, batches: Batches, plan: LearningPlan, processes: int, reporter: "_Reporter"
) -> None:
    """The text encoder learns which sentences are alike."""
    half = computing_copy(model)
    tokenizer = _tokenizer()
    names = [name for name, _ in model.named_parameters() if not name.startswith("visual.") and name != "logit_scale"]
    full, computing = dict(model.named_parameters()), dict(half.named_parameters())
    optimizer = make_optimizer(
        ((name, full[name]) for name in names),
        plan.wording_rate,
        plan.weight_decay,
        {"positional_embedding": plan.position_share},
    )
    for step in range(plan.wording_steps):
        set_rate(optimizer, rate_at(step, plan.wording_steps, plan.wording_rate))
        batch = batches.draw(CUT_OUT_SIDE)
        captions, states = _sentence_features(half, tokenizer, batch)
        loss = wording_loss(captions, states, batch.kind_maps, batch.bodies)
        loss.backward()
        take_step(optimizer, [computing[name] for name in names], [full[name] for name in names], processes)
        reporter.add("wording", step, plan.wording_steps, {"wording": loss})


class Texts:
    """The text encoder as it is, for the sentences of a batch.

    Args:
        model: whose text encoder has learned.
    """

    def __init__(self, model: open_clip.CLIP) -> None:
        self._half = computing_copy(model)
        self._tokenizer = _tokenizer()

    @torch.no_grad()
    def features(self, batch: PretrainingBatch) -> tuple[Tensor, Tensor]:
        """Features of the captions (B, D) and of the states (2 + K, D)."""
        captions, states = _sentence_features(self._half, self._tokenizer, batch)
        return captions.float(), states.float()


def _sentence_features(
    model: open_clip.CLIP, tokenizer: open_clip.SimpleTokenizer, batch: PretrainingBatch
) -> tuple[Tensor, Tensor]:
    """Features of a batch's captions (B, D) and of its states (2 + K, D)."""
    sentences = encode_captions(model, tokenizer([*batch.captions, *batch.states]))
    captions, states = sentences.split([len(batch.captions), len(batch.states)])
    return captions, states


def learn_guide(
    guide: Guide,
    texts: Texts,
    batches: Batches,
    plan: LearningPlan,
    processes: int,
    reporter: "_Reporter",
    progress: Progress | None = None,
) -> None:
    """The guide learns to agree with the sentences and, by a head of its own, which kind a patch shows.

    All processes end with the same guide.
    """
    parameters = list(guide.parameters())
    optimizer = make_optimizer(guide.named_parameters(), plan.guide_rate, plan.weight_decay, {})
    guide.train()
    done = 0 if progress is None else progress.load({"guide": guide}, optimizer, batches)
    for step in range(done, plan.guide_steps):
        set_rate(optimizer, rate_at(step, plan.guide_steps, plan.guide_rate))
        batch = batches.draw(CUT_OUT_SIDE)
        seen = guide(_normalized(batch.images), CUT_OUT_SIDE // _patch_size())
        losses = pretraining_losses(
            seen.global_features, seen.patch_features[:, None], *texts.features(batch), batch.kind_maps
        )
        kinds = patch_kind_loss(seen.kind_logits, batch.kind_maps, marked_share=0.5)
        (losses.total() + kinds).backward()
        take_step(optimizer, parameters, parameters, processes)
        if reporter.add("guide", step, plan.guide_steps, {**vars(losses), "kinds": kinds}):
            _share_statistics(guide, processes)
            if progress is not None:
                progress.save(step + 1, {"guide": guide}, optimizer, batches)


def _share_statistics(guide: Guide, processes: int) -> None:
    """What the normalizations have seen, averaged over all processes."""
    for statistic in guide.buffers():
        if processes > 1 and statistic.is_floating_point():
            distributed.all_reduce(statistic)
            statistic /= processes


def learn_images(
    model: open_clip.CLIP,
    guide: Guide | None,
    texts: Texts,
    batches: Batches,
    plan: LearningPlan,
    processes: int,
    reporter: "_Reporter",
    keep: Callable[[open_clip.CLIP], None],
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> None:
    """The image encoder learns to agree with the sentences and with the guide, if there is one.

    `keep` gets the averaged model every so often; `rng` is that of the batches.
    """
    averaged = copy.deepcopy(model).requires_grad_(False)
    readers = TokenReaders(CONFIGURATION["vision_cfg"]["width"])
    named = [*model.visual.named_parameters(), *readers.named_parameters()]
    optimizer = make_optimizer(named, plan.rate, plan.weight_decay, {})
    parts = {"model": model.visual, "averaged": averaged.visual, "readers": readers}
    done = 0 if progress is None else progress.load(parts, optimizer, batches)
    half = computing_copy(model)
    computing = [*half.visual.parameters(), *readers.parameters()]
    full = [parameter for _, parameter in named]
    grid, size = PICTURE_SIDE // _patch_size(), plan.batch_size // processes
    for step in range(done, plan.steps):
        set_rate(optimizer, rate_at(step, plan.steps, plan.rate))
        whole = step >= plan.cut_out_steps * plan.steps
        side = PICTURE_SIDE if whole else CUT_OUT_SIDE
        batch = batches.draw(side, max(1, size // WHOLE_PICTURES) if whole else size)
        patches = side // _patch_size()
        images = _normalized(batch.images)
        row, column = rng.integers(0, grid - patches + 1, 2)
        features = picture_features(
            half.visual,
            images.bfloat16(),
            corner=(int(row), int(column)),
            blocks=SUPERVISED_BLOCKS,
            token_blocks=TOKEN_BLOCKS,
        )
        captions, states = texts.features(batch)
        losses = pretraining_losses(
            features.global_features, features.patch_features, captions, states, batch.kind_maps
        )
        total, terms = losses.total(), vars(losses)
        if guide is not None:
            with torch.no_grad():
                guidance = guide(images, patches)
            guided = guidance_losses(features, guidance, states, readers)
            total, terms = _OWN_SHARE * total + guided.total(), {**terms, **vars(guided)}
        total.backward()
        take_step(optimizer, computing, full, processes)
        follow(averaged.visual.parameters(), model.visual.parameters(), min(plan.average, (1 + step) / (10 + step)))
        if reporter.add("pictures", step, plan.steps, terms):
            keep(averaged)
            if progress is not None:
                progress.save(step + 1, parts, optimizer, batches)


class _Reporter:
    """Gathers losses and passes their means on now and then."""

    def __init__(self, report: Report | None, every: int) -> None:
        self._report = report
        self._every = every
        self._history: list[dict[str, float]] = []
        self._started = time.monotonic()

    def add(self, stage: str, step: int, steps: int, losses: dict[str, Tensor]) -> bool:
        """Whether it was time for a report."""
        self._history.append({name: float(value.detach()) for name, value in losses.items()})
        if (step + 1) % self._every and step + 1 < steps:
            return False
        means = {name: float(np.mean([row[name] for row in self._history])) for name in losses}
        if self._report is not None:
            self._report(stage, step + 1, {**means, "minutes": (time.monotonic() - self._started) / 60})
        self._history.clear()
        return True


def normalization() -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of CLIP's pictures, (3, 1, 1) each."""
    mean, std = torch.tensor(open_clip.OPENAI_DATASET_MEAN), torch.tensor(open_clip.OPENAI_DATASET_STD)
    return mean[:, None, None], std[:, None, None]


def _normalized(images: Tensor) -> Tensor:
    mean, std = normalization()
    return (images - mean) / std


def _patch_size() -> int:
    return CONFIGURATION["vision_cfg"]["patch_size"]


def _tokenizer() -> open_clip.SimpleTokenizer:
    return open_clip.SimpleTokenizer(context_length=CONFIGURATION["text_cfg"]["context_length"])


def encode_captions(model: open_clip.CLIP, token_ids: Tensor) -> Tensor:
    """Text features (K, D) of token ids (K, C), without the work for what stands behind the longest text's end.

    Every token looks only back, so that what is left out changes nothing.
    """
    ends = token_ids.argmax(dim=-1)
    length = int(ends.max()) + 1
    hidden = model.token_embedding(token_ids[:, :length]) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length].to(hidden.dtype))
    return model.ln_final(hidden[torch.arange(len(hidden)), ends]) @ model.text_projection


def _save(model: open_clip.CLIP, weights: Path) -> None:
    state = {name: entry.detach().half().contiguous() for name, entry in model.state_dict().items()}
    with atomic_path(weights) as path:
        save_file(state, path)
    with atomic_path(weights.with_suffix(".json")) as path:
        path.write_text(json.dumps(CONFIGURATION, indent=2) + "\n")

"""The first stage of the pre-training: the text encoder learns which sentences are alike."""

import numpy as np
import open_clip
import torch

from pointad.compute.processes import ALONE, Processes
from pretraining.objective import wording_loss
from pretraining.plan import LearningPlan
from pretraining.reporting import Reporter
from pretraining.sentences import Sentences, encode_captions
from pretraining.steps import computing_copy, make_optimizer, rate_at, set_rate, take_step

_CAPTIONS = 96  # a step, of all processes together


def learn_wording(
    model: open_clip.CLIP,
    sentences: Sentences,
    plan: LearningPlan,
    reporter: Reporter,
    processes: Processes = ALONE,
) -> None:
    """Train the model's text encoder, in place; all processes end with the same one.

    Args:
        model: on the sentences' device.
        sentences: what is said.
        plan: how.
        reporter: is told the losses.
        processes: those that share every batch among themselves.
    """
    half = computing_copy(model)
    names = [name for name, _ in model.named_parameters() if not name.startswith("visual.") and name != "logit_scale"]
    full, computing = dict(model.named_parameters()), dict(half.named_parameters())
    optimizer = make_optimizer(
        ((name, full[name]) for name in names),
        plan.wording_rate,
        plan.weight_decay,
        {"positional_embedding": plan.position_share},
    )
    rng = np.random.default_rng([plan.seed, processes.rank])
    share = max(1, _CAPTIONS // processes.count)
    device = sentences.captions.device
    for step in range(plan.wording_steps):
        set_rate(optimizer, rate_at(step, plan.wording_steps, plan.wording_rate))
        chosen = torch.from_numpy(rng.integers(len(sentences.captions), size=share)).to(device)
        captions = encode_captions(half, sentences.captions[chosen])
        states = encode_captions(half, sentences.states[rng.integers(len(sentences.states))])
        loss = wording_loss(captions, states, sentences.seen[chosen], sentences.bodies[chosen])
        loss.backward()
        take_step(optimizer, [computing[name] for name in names], [full[name] for name in names], processes)
        reporter.add("wording", step, plan.wording_steps, {"wording": loss})

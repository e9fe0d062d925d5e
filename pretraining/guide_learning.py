"""The second stage of the pre-training: the guide learns to agree with the sentences about pictures and patches."""

from pointad.compute.processes import ALONE, Processes
from pretraining.batches import Batches
from pretraining.guide import Guide
from pretraining.objective import patch_kind_loss, pretraining_losses
from pretraining.pictures import PICTURE_SIDE
from pretraining.plan import LearningPlan, pictures_at
from pretraining.progress import Progress
from pretraining.reporting import Reporter
from pretraining.sentences import SentenceFeatures
from pretraining.small_clip import PATCH_SIDE, normalized
from pretraining.steps import make_optimizer, rate_at, set_rate, take_step


def learn_guide(
    guide: Guide,
    texts: SentenceFeatures,
    batches: Batches,
    plan: LearningPlan,
    reporter: Reporter,
    progress: Progress | None = None,
    processes: Processes = ALONE,
) -> None:
    """Train the guide, in place; it learns by a head of its own, too, which kind of mark a patch shows.

    All processes end with the same guide.

    Args:
        guide: on the device of texts and batches.
        texts: what is said about the pictures.
        batches: the pictures.
        plan: how.
        reporter: is told the losses.
        progress: what an interrupted run goes on from.
        processes: those that share every batch among themselves.
    """
    parameters = list(guide.parameters())
    optimizer = make_optimizer(guide.named_parameters(), plan.guide_rate, plan.weight_decay, {})
    guide.train()
    done = 0 if progress is None else progress.load({"guide": guide}, optimizer, batches)
    for step in range(done, plan.guide_steps):
        set_rate(optimizer, rate_at(step, plan.guide_steps, plan.guide_rate))
        side, count = pictures_at(step, plan.guide_steps, plan.guide_cut_out_steps, plan.batch_size)
        batch = batches.draw(side, count // processes.count)
        seen = guide(normalized(batch.images), side // PATCH_SIDE)
        losses = pretraining_losses(
            seen.global_features,
            seen.patch_features[:, None],
            texts.captions[batch.numbers] if side == PICTURE_SIDE else None,
            texts.some_states(step),
            batch.kind_maps,
        )
        kinds = patch_kind_loss(seen.kind_logits, batch.kind_maps, marked_share=0.5)
        (losses.total() + kinds).backward()
        take_step(optimizer, parameters, parameters, processes)
        if reporter.add("guide", step, plan.guide_steps, {**vars(losses), "kinds": kinds}):
            _share_statistics(guide, processes)
            if progress is not None:
                progress.save(step + 1, {"guide": guide}, optimizer, batches)


def _share_statistics(guide: Guide, processes: Processes) -> None:
    """What the normalizations have seen, averaged over all processes."""
    for statistic in guide.buffers():
        if statistic.is_floating_point():
            statistic.copy_(processes.sum(statistic) / processes.count)

"""Tests prompts on a data set: every image is encoded once, however many sets of prompts are compared."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pointad.compute.processes import ALONE, Processes
from pointad.data.batch import MultiViewBatch
from pointad.data.dataset import MultiViewDataset
from pointad.data.loader import iterate_batches
from pointad.data.picture_presence import batches_alike
from pointad.data.sample_identity import looks_of, picture_digest, views_digest
from pointad.data.sample_source import SampleSource
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.evaluation.class_outcome import ClassCollector, ClassOutcome
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.scored_sample import PromptSet, ScoredSample, score_one


def evaluate(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    prompt_sets: Sequence[PromptSet],
    settings: EvaluationSettings,
    on_sample: Callable[[ScoredSample], None] | None = None,
    processes: Processes = ALONE,
) -> Iterator[ClassOutcome]:
    """Score every sample under every set of prompts, and measure each class after its last sample.

    Memory does not grow with the number of classes nor, beyond a bound, with the number of samples
    (``pointad.metrics.PixelScores``). Each of several processes loads, encodes and scores a share of the samples; the
    first process gathers the scores in the order of the data set, so its results equal those of a single process.

    Args:
        encoder: the frozen CLIP's image encoder.
        dataset: samples with images.
        prompt_sets: the sets to compare.
        settings: how samples are scored and what is measured.
        on_sample: called with every sample under every set of prompts, in the order of the data set.
        processes: the processes that share the samples; ``on_sample`` is called only in the first one.

    Yields:
        One outcome per class and set of prompts, in the first process.

    Raises:
        InputError: the data set is empty, or a sample cannot be read.
    """
    tested = [s for s in dataset.sources if any(s.class_name not in p.left_out for p in prompt_sets)]
    if not tested:
        raise InputError("test data", "contain no class other than the training class", "choose another data set")
    remaining = Counter(source.class_name for source in tested)
    collectors: dict[tuple[str, str], ClassCollector] = {}
    for scored_together in _scored_in_rounds(encoder, dataset, tested, prompt_sets, settings, processes):
        for scored in scored_together:
            class_name = scored[0].class_name
            for sample in scored:
                key = (class_name, sample.prompts)
                if key not in collectors:
                    collectors[key] = ClassCollector(settings, settings.groups)
                collectors[key].add(sample)
                if on_sample is not None:
                    on_sample(sample)
            remaining[class_name] -= 1
            if not remaining[class_name]:
                for prompts in prompt_sets:
                    collector = collectors.pop((class_name, prompts.name), None)
                    if collector is not None:
                        yield collector.outcome(prompts.name, class_name)


def _scored_in_rounds(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    tested: Sequence[SampleSource],
    prompt_sets: Sequence[PromptSet],
    settings: EvaluationSettings,
    processes: Processes,
) -> Iterator[list[list[ScoredSample]]]:
    """In each round every process scores a batch; the first process gets all of them, a list per sample, in order."""
    options = dataset.options
    pictures = len(options.view_indices) + options.with_color
    together = settings.batch_size or encoder.samples_at_once(pictures, options.image_size)
    encoder.expect(len(tested), pictures, options.image_size)
    groups = batches_alike(tested, together)
    own = processes.share(groups)
    batches = iterate_batches(
        MultiViewDataset([source for group in own for source in group], dataset.load, options),
        batch_size=together,
        batch_sizes=[len(group) for group in own],
        num_workers=settings.num_workers,
        pin_memory=encoder.device.type == "cuda",
        description=settings.description if processes.is_first else None,
    )
    for _ in range(0, len(groups), processes.count):
        batch = next(batches, None)
        scored = [] if batch is None else _score_batch(encoder, batch, prompt_sets, settings)
        yield [sample for part in processes.gather(scored) for sample in part]


def _score_batch(
    encoder: PictureEncoder, batch: MultiViewBatch, prompt_sets: Sequence[PromptSet], settings: EvaluationSettings
) -> list[list[ScoredSample]]:
    """For every sample of a batch, its scores under the sets of prompts that are tested on its class."""
    features = encoder.encode(batch)
    assert batch.views is not None  # the encoder refuses batches without it
    samples = [batch.sample(index) for index in range(len(batch.views))]
    contents = list(map(picture_digest, samples))
    renderings = list(map(views_digest, batch.views))
    pictures = [""] * len(renderings) if batch.color is None else list(map(views_digest, batch.color))
    # Needed on the device by every set of prompts; the rest of the batch is not moved.
    batch = replace(
        batch,
        correspondences=batch.correspondences.to(encoder.device, non_blocking=True),
        non_zero=batch.non_zero.to(encoder.device, non_blocking=True),
    )
    return [
        [
            replace(
                score_one(batch, features, index, prompts, settings),
                content=contents[index],
                renderings=renderings[index],
                looks=looks_of(samples[index]),
                sights=samples[index].sights,
                picture=pictures[index],
            )
            for prompts in prompt_sets
            if class_name not in prompts.left_out
        ]
        for index, class_name in enumerate(batch.class_name)
    ]

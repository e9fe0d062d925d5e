"""What run.json and results.json say about a run: from settings, data and backbone to records."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pointad.commands.loading import LoadedData
from pointad.commands.prompt_names import class_by_folders
from pointad.commands.settings import DataSettings, EncodingSettings, ExperimentSettings, ModelSettings
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.data.layout import STORED
from pointad.data.metadata import read_metadata
from pointad.data.raw import samples_as_found
from pointad.data.sample_source import SampleSource
from pointad.demo.objects import CLASSES as DEMO_CLASSES
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.evaluation.data_title import data_title, told_apart
from pointad.evaluation.provenance import file_fingerprint, fingerprint, provenance
from pointad.evaluation.run_record import UNKNOWN_ORIGIN, RunRecord, TrainingRecord
from pointad.files.presence import is_folder
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.training.run_folder import read_origin

logger = logging.getLogger(__name__)


def record_of_training(
    settings: TrainSettings, encoder: PictureEncoder, data: LoadedData, learner: PromptLearner
) -> TrainingRecord:
    """Everything about a training."""
    return TrainingRecord(
        **_pipeline_facts(settings.data, settings.model, settings.encoding, settings.experiment, encoder, data),
        training_dataset=settings.data.dataset.name,
        training_class=settings.train_class,
        object_aware=settings.prompts.object_aware,
        n_ctx=learner.context_tokens,
        t_n_ctx=learner.deep_tokens,
        depth=learner.depth,
        losses=tuple(name for name, _ in settings.loss_weights),
        loss_weights=dict(settings.loss_weights),
        epochs=settings.epochs,
        inputs=None if settings.given is None else settings.given.inputs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        init_checkpoint=None if settings.init_checkpoint is None else str(settings.init_checkpoint),
        init_fingerprint=None if settings.init_checkpoint is None else file_fingerprint(settings.init_checkpoint),
        **(
            {}
            if settings.init_checkpoint is None
            else _learned_before(settings.init_checkpoint, settings.data, encoder.backbone)
        ),
        seed=settings.seed,
    )


def _learned_before(checkpoint: Path, data: DataSettings, backbone: ClipBackbone) -> dict[str, Any]:
    """What the prompts of --init_checkpoint were learned from, which no test may count as unseen either."""
    origin = TrainingRecord.from_json(read_origin(checkpoint))
    if origin.backbone_fingerprint not in (None, backbone.fingerprint):
        logger.warning("%s was learned with another CLIP (%s) than this one", checkpoint, origin.backbone or "unnamed")
    before = origin.learned_before or ((UNKNOWN_ORIGIN,) if origin.init_checkpoint else ())
    if origin.training_class is not None:
        learned_before = (*before, f"{origin.training_dataset or ''}/{origin.training_class}")
        return {"learned_before": learned_before, "renderings": origin.renderings}
    named = _class_by_folder(checkpoint, data)
    if named is None:
        logger.warning("%s: what it was learned from is unknown, so tests will not leave it out", checkpoint)
        return {"learned_before": origin.learned_before, "renderings": origin.renderings}
    logger.info("%s: taken to be learned from %s, as its folders are called", checkpoint, named)
    return {"learned_before": (*before, named), "renderings": origin.renderings}


def _class_by_folder(checkpoint: Path, data: DataSettings) -> str | None:
    """Data set and class as the folders of a checkpoint are called; its own if it is called like one of its classes."""
    dataset, name = class_by_folders(checkpoint)
    if dataset is not None:
        return f"{dataset}/{name}"
    name = checkpoint.resolve().parent.name
    is_class = name in data.dataset.classes or (name not in ("", "/") and is_folder(data.folder / name))
    return f"{data.dataset.name}/{name}" if is_class else None


def record_of_test(settings: TestSettings, encoder: PictureEncoder, data: LoadedData) -> RunRecord:
    """Everything about a test that its sets of prompts have in common."""
    facts = _pipeline_facts(settings.data, settings.model, settings.encoding, settings.experiment, encoder, data)
    return RunRecord(
        **facts | {"samples": list_fingerprint(data.samples.sources, in_order=False)},
        dataset=settings.data.dataset.name,
        is_demo=encoder.backbone.is_demo,
        inputs=None if settings.given is None else settings.given.inputs,
        sigma=settings.scoring.sigma,
        fusion=settings.scoring.fusion,
        aupro=settings.aupro,
        region_neighbours=settings.region_neighbours(data.about),
    )


def _pipeline_facts(
    data: DataSettings,
    model: ModelSettings,
    encoding: EncodingSettings,
    experiment: ExperimentSettings,
    encoder: PictureEncoder,
    loaded: LoadedData,
) -> dict[str, Any]:
    """What both records say."""
    sources = loaded.samples.sources
    pixels, clusters = loaded.rendering.get("point_size"), loaded.rendering.get("keep_clusters")
    return {
        "name": experiment.name,
        "dataset_title": _named_title(experiment.data_name, _title(data, sources), data),
        "data_path": str(data.folder),
        "samples": list_fingerprint(sources, in_order=True),
        "sample_count": len(sources),
        "render": data.render,
        "views": loaded.views,
        "view_names": loaded.view_names,
        "normals": loaded.rendering.get("normals"),
        "visibility": loaded.rendering.get("visibility"),
        "correspondence": loaded.rendering.get("correspondence"),
        "point_pixels": None if pixels is None else str(pixels),
        "metres_per_unit": loaded.rendering.get("metres_per_unit"),
        "keep_clusters": None if clusters is None else str(clusters),
        "image_size": loaded.samples.options.image_size,
        "point_size": loaded.samples.options.point_size,
        "backbone": encoder.backbone.name,
        "backbone_fingerprint": encoder.backbone.fingerprint,
        "clip_weights": model.clip_weights,
        "features_list": tuple(encoder.layers),
        "precision": encoding.precision,
        "rounded_features": encoding.feature_cache is not None,
        "compiled": encoding.compiled,
        "view_fusion": experiment.view_fusion,
        "provenance": provenance(str(encoder.device), experiment.command),
    }


def list_fingerprint(sources: Sequence[SampleSource], *, in_order: bool) -> str:
    """A fingerprint of what samples are called, and of which are anomalous.

    Args:
        sources: of the samples.
        in_order: whether another order makes another list, as for trainings, which follow it; tests do not, and may
            find rendered samples in another order than raw ones.
    """
    names = [f"{one.class_name}/{one.species}/{one.identifier}/{one.label}" for one in sources]
    return fingerprint(names if in_order else sorted(names))


def _title(data: DataSettings, sources: Sequence[SampleSource]) -> str:
    about = data.dataset
    classes = {source.class_name for source in sources}
    if data.is_demo and classes <= set(DEMO_CLASSES):
        return f"demo data ({about.title} format)"
    if len(classes) == 1 and classes <= set(about.classes):  # as in trainings, which take one
        sources = _of_all_classes(data) or sources
    folder = os.path.normpath(data.folder.absolute())  # which may be given as "." or ".."
    return data_title(about, {source.class_name for source in sources}, folder, len(sources))


def _named_title(given: str | None, found: str, data: DataSettings) -> str:
    """What --data_name says, marked as in reports if it is the title of a published data set that these are not."""
    return found if given in (None, found) else told_apart(given, data.dataset)


def _of_all_classes(data: DataSettings) -> Sequence[SampleSource]:
    """The test samples of all classes; empty if they cannot be listed."""
    try:
        if data.render == STORED:
            return read_metadata(data.folder)
        return samples_as_found(data.dataset, data.folder)
    except (InputError, OSError):
        return ()

"""The detector that a program's settings ask for."""

import logging
from pathlib import Path

from pointad.commands.prompt_sets import MATCHING_WEIGHTS
from pointad.commands.settings import DEMO_WEIGHTS, DetectorSettings
from pointad.evaluation.agreement import differences, require_same_clip
from pointad.evaluation.run_record import PipelineRecord, TrainingRecord
from pointad.inspection.predictor import PointAD
from pointad.model.weight_locations import demo_checkpoints, locate
from pointad.scans.grid import GRID_SIZE
from pointad.scoring.back_projection import MEAN
from pointad.training.run_folder import read_origin

logger = logging.getLogger(__name__)


def load_detector(settings: DetectorSettings) -> PointAD:
    """Load backbone and prompts; demo weights, and settings that differed in training, are logged.

    Raises:
        InputError: something named is missing, unreadable or does not fit, or the prompts belong to another CLIP.
    """
    model = settings.model
    detector = PointAD.from_checkpoint(
        settings.checkpoint,
        model.clip_weights,
        model.device,
        clip_model=model.clip_model,
        quick_gelu=model.quick_gelu,
        layers=model.layers,
        precision=settings.encoding.precision,
        compiled=settings.encoding.compiled,
        pictures_at_once=settings.encoding.pictures_at_once,
    )
    _compare_with_training(settings, detector)
    if detector.is_demo:
        logger.warning(
            "DEMO weights: scores of the small backbone %s are meaningless for real data", detector.backbone_name
        )
    return detector


def checkpoint_of(settings: DetectorSettings) -> Path:
    """The file of the prompts.

    Raises:
        InputError: none are named, and the demo's are missing.
    """
    return demo_checkpoints()[0] if settings.checkpoint is None else locate(settings.checkpoint)


def _compare_with_training(settings: DetectorSettings, detector: PointAD) -> None:
    """Refuse prompts of another CLIP, and log what else differs from the training, as far as that was recorded.

    Raises:
        InputError: they were learned with another CLIP.
    """
    path = checkpoint_of(settings)
    encoder = detector.encoder
    shipped_together = settings.checkpoint is None and settings.model.clip_weights == DEMO_WEIGHTS
    used = PipelineRecord(
        backbone=encoder.backbone.name,
        backbone_fingerprint=None if shipped_together else encoder.backbone.fingerprint,
        features_list=tuple(encoder.layers),
        image_size=encoder.backbone.image_size,
        point_size=GRID_SIZE,
        precision=encoder.precision,
        view_fusion=MEAN,  # single scans have no other
    )
    training = TrainingRecord.from_json(read_origin(path))
    require_same_clip(path, training, used, MATCHING_WEIGHTS)
    different = differences(training, used, same_dataset=False)
    if different:
        logger.warning("%s: used with other settings than in training: %s", path, "; ".join(different))

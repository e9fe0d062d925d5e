"""The detector that a program's settings ask for."""

import logging

from pointad.commands.settings import DetectorSettings
from pointad.inspection.predictor import PointAD

logger = logging.getLogger(__name__)


def load_detector(settings: DetectorSettings) -> PointAD:
    """Load backbone and prompts; demo weights are logged.

    Raises:
        InputError: something named is missing, unreadable or does not fit.
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
    if detector.is_demo:
        logger.warning(
            "DEMO weights: scores of the small backbone %s are meaningless for real data", detector.backbone_name
        )
    return detector

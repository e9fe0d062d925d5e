"""The detector that a program's flags ask for."""

import argparse
import logging

from pointad.inspection.predictor import PointAD

logger = logging.getLogger(__name__)


def load_detector(arguments: argparse.Namespace) -> PointAD:
    """Load backbone and prompts by the flags of `add_model_arguments` and --checkpoint_path; demo weights say so.

    Raises:
        InputError: something named is missing, unreadable or does not fit.
    """
    detector = PointAD.from_checkpoint(
        arguments.checkpoint_path,
        arguments.clip_weights,
        arguments.device,
        clip_model=arguments.clip_model,
        layers=arguments.features_list,
    )
    if detector.is_demo:
        logger.warning("DEMO weights: the small backbone %s says nothing about real data", detector.backbone_name)
    return detector

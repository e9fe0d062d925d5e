"""What nothing says about a model, and is taken as usual: the user is told, since wrong values give wrong scores."""

import logging

import open_clip

from pointad.model.architecture import OPENAI_HEAD_WIDTH, Configuration
from pointad.model.configuration_choice import ACTIVATION, Choice, foreign_normalization, models_of_dimensions
from pointad.model.siglip_model import MEAN, STD, activation_name, is_siglip
from pointad.model.weights import WeightsFile

_NORMALIZATION = "normalization of pictures"

logger = logging.getLogger(__name__)

Channels = tuple[float, ...]  # one number per colour


def activation_in_words(configuration: Configuration) -> str:
    """How the log names the activation of a model."""
    if is_siglip(configuration):
        return activation_name(configuration)
    return "QuickGELU" if configuration.get("quick_gelu") else "plain GELU"


def normalization(weights: WeightsFile, choice: Choice) -> tuple[Channels, Channels]:
    """Mean and standard deviation of pictures for a file's model, as stated beside it, else the usual ones.

    What is not stated, and cannot be concluded from the published models of these dimensions, is logged as a warning:
    this, and what else `choice` guesses.

    Args:
        weights: the file.
        choice: how it is read.
    """
    siglip, beside = is_siglip(choice.configuration), weights.configuration
    mean, std = (beside.mean, beside.std) if beside else (None, None)
    usual: tuple[Channels, Channels] = (MEAN, STD)
    if not siglip:
        usual = tuple(open_clip.OPENAI_DATASET_MEAN), tuple(open_clip.OPENAI_DATASET_STD)
    guessed = list(choice.guessed)
    if (mean is None or std is None) and not weights.from_openai:
        unknown = siglip or not models_of_dimensions(choice.configuration)
        if unknown and (beside or choice.guessed):  # else the name of a published model was given
            guessed.append(_NORMALIZATION)
        elif others := foreign_normalization(choice.configuration):
            logger.warning(
                "%s: pictures are normalized as for OpenAI's models; if these are the weights %s, give their whole "
                "folder, whose configuration states the normalization",
                weights.path,
                " or ".join(others),
            )
    if guessed:
        _warn(weights, choice, guessed)
    return mean or usual[0], std or usual[1]


def _warn(weights: WeightsFile, choice: Choice, guessed: list[str]) -> None:
    *others, last = guessed
    taken = "as in all published SigLIPs"
    if not is_siglip(choice.configuration):
        with_these = f", with {activation_in_words(choice.configuration)} and heads of {OPENAI_HEAD_WIDTH} channels"
        taken = f"as in OpenAI's models{with_these if choice.guessed else ''}"
    logger.warning(
        "%s: nothing states the model's %s, which %s taken %s; if that is wrong, so are all scores: give its whole "
        "folder, whose configuration states %s%s",
        weights.path,
        f"{', '.join(others)} and {last}" if others else last,
        "are" if others else "is",
        taken,
        "them" if others else "it",
        ", or --clip_activation" if ACTIVATION in guessed else "",
    )

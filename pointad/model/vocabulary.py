"""Whether a CLIP's texts may be read with CLIP's own tokenizer, the only one for CLIP here."""

import logging
from pathlib import Path

from pointad.errors import InputError
from pointad.model.architecture import Configuration

CLIP_ENTRIES = 49408  # of CLIP's tokenizer

logger = logging.getLogger(__name__)


def check_vocabulary(configuration: Configuration, path: Path) -> None:
    """Refuse a text encoder with fewer entries than CLIP's tokenizer, and tell of one with more.

    More entries are right where somebody added words to CLIP's, and wrong where the model has a tokenizer of its own.

    Raises:
        InputError: the text encoder lacks some of the tokens.
    """
    entries = configuration["text_cfg"].get("vocab_size", CLIP_ENTRIES)
    if entries < CLIP_ENTRIES:
        problem = f"its text encoder has {entries} entries, CLIP's tokenizer {CLIP_ENTRIES}: it has another tokenizer"
        raise InputError(path, problem, "give a model with CLIP's own tokenizer")
    if entries > CLIP_ENTRIES:
        message = (
            "%s: its text encoder has %d entries, CLIP's tokenizer %d; its texts are read with CLIP's tokenizer, which "
            "is wrong unless the others were added to CLIP's"
        )
        logger.warning(message, path, entries, CLIP_ENTRIES)

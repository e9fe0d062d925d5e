"""Numbers in texts that people write, such as flags: Python takes more for one than was meant."""


def as_written(text: str) -> str:
    """A text that ``int`` or ``float`` reads as it is meant, unchanged.

    Python takes 1_5 for 15, which may stand for 1.5 or for two words, and the digits of any script.

    Raises:
        ValueError: it has an underscore, or a letter or digit beyond ASCII.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r} is not a number")
    return text

"""Environment variables that make libraries round the products of matrices, which the results would not tell.

And some with which OpenCV cannot be used.
"""

import logging
import os
from collections.abc import MutableMapping

_HARMLESS = {
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": ("", "0"),
    "NVIDIA_TF32_OVERRIDE": ("", "0"),
    "ONEDNN_DEFAULT_FPMATH_MODE": ("", "STRICT"),
    "DNNL_DEFAULT_FPMATH_MODE": ("", "STRICT"),
}
"""Values with which products are those of float32; libraries read them when they are imported or first used."""

_NUMBERS = ("OPENCV_FOR_THREADS_NUM", *(f"OPENCV_IO_MAX_IMAGE_{size}" for size in ("PIXELS", "WIDTH", "HEIGHT")))
"""With anything else in these, OpenCV cannot be imported, or ends the program."""
_MOST_DIGITS = 18

logger = logging.getLogger(__name__)


def ignore_rounding_variables(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take them out of the environment, before torch is imported, and log that.

    ``--precision`` rounds as well, and is recorded.

    Args:
        environment: is changed; worker processes inherit it.
    """
    for name, harmless in _HARMLESS.items():
        value = environment.get(name)
        if value is not None and value.upper() not in harmless:
            del environment[name]
            logger.warning("%s=%s: ignored, it would round results; --precision rounds and records it", name, value)
    for name in _NUMBERS:
        value = environment.get(name)
        if value is not None and not (value.isdecimal() and len(value) <= _MOST_DIGITS):
            del environment[name]
            logger.warning("%s=%s: ignored, it is not a number of at most %d digits", name, value, _MOST_DIGITS)

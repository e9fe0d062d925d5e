"""Environment variables that make libraries round the products of matrices, which the results would not tell.

And one that keeps OpenCV from drawing.
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

_THREADS = "OPENCV_FOR_THREADS_NUM"

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
    threads = environment.get(_THREADS)
    if threads is not None and not threads.isdecimal():
        del environment[_THREADS]
        logger.warning("%s=%s: ignored, it is not a number of threads", _THREADS, threads)

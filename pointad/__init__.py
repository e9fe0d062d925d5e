"""PointAD: zero-shot 3D anomaly detection from multi-view renderings and CLIP (NeurIPS 2024).

    from pointad import PointAD

    detector = PointAD.from_checkpoint()    # the small demo weights
    prediction = detector.predict(points)   # (N, 3) or (H, W, 3)

These names are imported when they are first asked for: PyTorch takes seconds, and rendering needs none of it.
"""

from __future__ import annotations  # read by Pythons that are too old, too, so that programs can say so

from typing import TYPE_CHECKING, Any

import pointad.compute.forks  # noqa: F401  (it notes whether this process is a fork of one with PyTorch)

if TYPE_CHECKING:
    from pointad.inspection.prediction import Prediction
    from pointad.inspection.predictor import PointAD
    from pointad.reference.reference import Reference

__all__ = ["PointAD", "Prediction", "Reference"]

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pointad.inspection import predictor

    return getattr(predictor, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

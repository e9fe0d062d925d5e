"""The name of the method that a run used: what a row of a result table is about."""

from collections.abc import Mapping
from typing import Any

FULL_LOSSES = frozenset({"d2_pixel_loss", "d3_point_loss", "d3_global_loss", "d2_image_loss"})
FULL_VIEW_COUNT = 9
DEFAULT_SIGMA = 4.0
DEFAULT_IMAGE_SIZE = 336
DEFAULT_FUSION = "both"


def method_name(run: Mapping[str, Any]) -> str:
    """Name the method of a run: the base, then whatever differs from the published settings.

    Args:
        run: the `run` dictionary of `Results`; keys that are missing count as published.

    Returns:
        "PointAD", "PointAD-CoOp" (context only, depth 1), "CLIP + R." (nothing learned), each with the differences in
        brackets, such as "PointAD (5 views, σ 2)".
    """
    differences = [*_prompt_differences(run), *_setting_differences(run)]
    return _base(run) + (f" ({', '.join(differences)})" if differences else "")


def _base(run: Mapping[str, Any]) -> str:
    if run.get("prompts") == "ensemble":
        return "CLIP + R."
    return "PointAD-CoOp" if run.get("depth") == 1 else "PointAD"


def _prompt_differences(run: Mapping[str, Any]) -> list[str]:
    differences = []
    if run.get("object_aware") or run.get("prompts") == "object_aware":
        differences.append("object-aware")
    losses = run.get("losses")
    if losses and set(losses) != FULL_LOSSES:
        kept = [name.removesuffix("_loss").replace("_", " ") for name in losses]
        differences.append("losses " + " + ".join(kept))
    return differences


def _setting_differences(run: Mapping[str, Any]) -> list[str]:
    differences = []
    views = run.get("views")
    if views and len(views) != FULL_VIEW_COUNT:
        differences.append(f"{len(views)} view" + ("s" if len(views) > 1 else ""))
    for key, default, text in (
        ("sigma", DEFAULT_SIGMA, "σ {:g}"),
        ("image_size", DEFAULT_IMAGE_SIZE, "{} px"),
        ("fusion", DEFAULT_FUSION, "fusion {}"),
    ):
        value = run.get(key)
        if value not in (None, "", default):
            differences.append(text.format(value))
    if run.get("aupro") == "published":
        differences.append("AUPRO as published")
    return differences

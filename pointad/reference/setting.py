"""What a reference depends on besides its scans; one that was made otherwise must not be compared with."""

import base64
import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.json_records import record_from_json
from pointad.rendering.views import ViewRig

FORMAT = 4  # raised when the same scans and setting would give other numbers, or are described otherwise
PROMPTS_TOLERANCE = 1e-4  # length of what text features of unit length differ by: other processors move them by 1e-6
_FEATURES = "features "  # before them, where earlier versions wrote their digest

_SPOKEN = {
    "format": "version of the format",
    "backbone": "CLIP backbone or precision",
    "prompts": "learned prompts",
    "prompt_blocks": "blocks compared with the prompts",
    "bank_blocks": "blocks compared with good scans",
    "views": "views",
    "rig": "rendering rig",
    "organized": "kind of scan (with or without a pixel grid)",
    "visibility": "visibility",
    "smoothing": "smoothing",
    "preparation": "preparation (table, unit, seed)",
    "image_size": "picture size",
}


@dataclass(frozen=True)
class ReferenceSetting:
    """How the good scans were looked at; plain values, so that two settings can be compared and stored."""

    backbone: str  # SHA-256 of its weights, and the encoder's precision
    prompts: str  # the text features, see `prompts_text`; of earlier versions, their `digest_of`
    prompt_blocks: tuple[int, ...]
    bank_blocks: tuple[int, ...]
    views: tuple[str, ...]
    rig: str
    organized: bool
    visibility: str
    smoothing: str
    preparation: str
    image_size: int
    format: int = FORMAT

    @property
    def kind(self) -> str:
        """The kind of scan, in words."""
        return "with a pixel grid" if self.organized else "without a pixel grid"

    def require(self, other: "ReferenceSetting") -> None:
        """Refuse a reference with this setting for a scan that is looked at with the other one.

        Args:
            other: how the scan to be judged is looked at.

        Raises:
            InputError: they differ; the text names in what.
        """
        differing = [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]
        if "prompts" in differing and _same_prompts(self.prompts, other.prompts):
            differing.remove("prompts")
        if self.organized != other.organized:  # views, visibility and smoothing follow from that
            problem = f"was made from another kind of scan, {self.kind}; this one is {other.kind}"
            raise InputError("reference", problem, "compare it with good scans of its own kind")
        if differing:
            named = ", ".join(_SPOKEN[name] for name in differing)
            remedy = "make the reference again from the good scans, or use the settings that it was made with"
            raise InputError("reference", f"was made with other settings ({named})", remedy)

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ReferenceSetting":
        """The setting that `to_json` gave; lists become tuples again.

        Raises:
            TypeError: it is not complete.
            ValueError: a value is of another type.
        """
        return record_from_json(cls, values)


def digest_of(tensor: Tensor) -> str:
    """SHA-256 of a tensor's values, rounded so that another processor mostly gives the same."""
    rounded = (tensor.detach().float().cpu() * 1e4).round().to(torch.int64)
    return hashlib.sha256(rounded.numpy().tobytes()).hexdigest()


def prompts_text(features: Tensor) -> str:
    """The text features (2, D) of prompts as a text, complete, so that those of another processor can be compared."""
    return _FEATURES + base64.b64encode(features.detach().float().cpu().numpy().astype("<f4").tobytes()).decode()


def _same_prompts(told: str, own: str) -> bool:
    """Whether a reference was made with these prompts, maybe on another processor.

    Args:
        told: as the reference says.
        own: of the scan, by `prompts_text`.
    """
    expected = _features(own)
    if expected is None:
        return False
    found = _features(told)
    if found is None:
        return told == digest_of(torch.from_numpy(expected))
    if found.shape != expected.shape:
        return False
    return bool((np.linalg.norm(found - expected, axis=1) <= PROMPTS_TOLERANCE).all())


def _features(text: str) -> np.ndarray | None:
    """The text features (2, D) float64 that a text holds; None if it holds something else."""
    if not text.startswith(_FEATURES):
        return None
    try:
        numbers = np.frombuffer(base64.b64decode(text.removeprefix(_FEATURES), validate=True), "<f4").reshape(2, -1)
    except ValueError:
        return None
    with np.errstate(invalid="ignore"):  # of a file that was changed
        return numbers.astype(np.float64)


def rig_digest(rig: ViewRig) -> str:
    """A short text that differs for rigs that draw differently."""
    return (
        f"window {rig.window}, point size {rig.point_size}, first rotation {rig.first_rotation:.6g}, "
        f"normals {rig.normal_radius:g}/{rig.normal_neighbours}, steps back {rig.steps_back}"
    )

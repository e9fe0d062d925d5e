"""What a reference depends on besides its scans; one that was made otherwise must not be compared with."""

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.files.json_records import record_from_json
from pointad.rendering.views import ViewRig

FORMAT = 4  # raised when the same scans and setting would give other numbers, or are described otherwise

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
    prompts: str  # SHA-256 of the text features
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

    def require(self, other: "ReferenceSetting", subject: str = "reference") -> None:
        """Refuse a reference with this setting for a scan that is looked at with the other one.

        Args:
            other: how the scan to be judged is looked at.
            subject: what the error calls the reference.

        Raises:
            InputError: they differ; the text names in what.
        """
        differing = [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]
        if self.organized != other.organized:  # views, visibility and smoothing follow from that
            problem = f"was made from another kind of scan, {self.kind}; this one is {other.kind}"
            raise InputError(subject, problem, "compare it with good scans of its own kind")
        if differing:
            named = ", ".join(_SPOKEN[name] for name in differing)
            remedy = "make the reference again from the good scans, or use the settings that it was made with"
            raise InputError(subject, f"was made with other settings ({named})", remedy)

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
    """SHA-256 of a tensor's values, rounded so that another number of threads gives the same."""
    rounded = (tensor.detach().float().cpu() * 1e4).round().to(torch.int64)
    return hashlib.sha256(rounded.numpy().tobytes()).hexdigest()


def rig_digest(rig: ViewRig) -> str:
    """A short text that differs for rigs that draw differently."""
    return (
        f"window {rig.window}, point size {rig.point_size}, first rotation {rig.first_rotation:.6g}, "
        f"normals {rig.normal_radius:g}/{rig.normal_neighbours}, steps back {rig.steps_back}"
    )

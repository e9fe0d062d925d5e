"""The names and weights of the loss terms; nothing here imports torch.

The terms themselves are in :mod:`pointad.training.losses`, under the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pointad.compute.argument_kinds import as_number
from pointad.errors import InputError


@dataclass(frozen=True)
class LossTerm:
    """One term of the loss."""

    title: str  # as in reports
    published_weight: float = 0.0  # its default weight; 0: it is not computed
    of_points: bool = True  # False: it does not depend on the points' values, nor on how views are fused to them


LOSSES: dict[str, LossTerm] = {
    "d2_pixel_loss": LossTerm("2D local (views' maps)", 1.0, of_points=False),
    "d3_point_loss": LossTerm("3D local (point map)", 1.0),
    "d3_global_loss": LossTerm("3D global (sample)", 1.0, of_points=False),
    "d2_image_loss": LossTerm("2D global (views)", 1.0, of_points=False),
}
"""Every available term of the loss (section 3.3), in the order of ``losses.csv``."""

LOSS_TERMS = tuple(LOSSES)
PUBLISHED_WEIGHTS = {name: term.published_weight for name, term in LOSSES.items() if term.published_weight}


def check_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """The non-zero weights of the terms, in the order of :data:`LOSSES`.

    Args:
        weights: by the terms' names; terms that are not named, or have weight 0, are not computed.

    Raises:
        InputError: a term does not exist, a weight is no number or negative, or none is left.
    """
    choice = f"choose among {', '.join(LOSSES)}"
    if not isinstance(weights, Mapping):
        raise InputError("loss weights", f"are a {type(weights).__name__}", "give a dictionary, from names to numbers")
    unknown = sorted(map(str, set(weights) - set(LOSSES)))
    if unknown:
        raise InputError(f"loss {', '.join(unknown)}", "is not a term of the training loss", choice)
    for name, weight in weights.items():
        if not 0 <= as_number(weight, f"loss {name}, weight") < float("inf"):
            raise InputError(f"loss {name}", f"cannot have weight {weight}", "give it a weight of 0 or more")
    counted = {name: float(weights[name]) for name in LOSSES if weights.get(name)}
    if not counted:
        raise InputError("training loss", "has no terms", choice)
    return counted

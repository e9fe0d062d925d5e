"""How a scan is looked at, as the arguments of `PointAD.predict` say it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pointad.compute.argument_kinds import as_choice, as_number, as_switch, as_whole_number, shown_argument
from pointad.data.view_subset import ViewChoice
from pointad.errors import InputError
from pointad.inspection.preparation import choose_rig
from pointad.rendering.options import VISIBILITIES
from pointad.rendering.views import View, ViewRig
from pointad.scans.cleaning import cluster_rule
from pointad.scans.reading_options import ClusterRule

SMALLEST_UNIT, LARGEST_UNIT = 1e-12, 1e12
"""Metres; farther than from here to the sun, a cloud has no cells that could be counted."""


@dataclass(frozen=True)
class LookOptions:
    """How a scan is looked at; the fields are arguments of `PointAD.predict`, checked."""

    rig: ViewRig | str
    views: ViewChoice
    visibility: str | None
    remove_table: bool
    metres_per_unit: float
    keep_clusters: ClusterRule
    seed: int

    @classmethod
    def of(
        cls,
        rig: ViewRig | str,
        views: ViewChoice | int | Sequence[View] | None,
        visibility: str | None,
        remove_table: bool,
        metres_per_unit: float,
        keep_clusters: ClusterRule,
        seed: int,
    ) -> "LookOptions":
        """Check the arguments of `PointAD.predict`, whichever scan they are for.

        Raises:
            InputError: one is of another kind, unknown or out of range.
        """
        choose_rig(rig, organized=True)  # the names do not depend on the scan
        unit = as_number(metres_per_unit, "metres_per_unit")
        if not SMALLEST_UNIT <= unit <= LARGEST_UNIT:
            remedy = f"give a number from {SMALLEST_UNIT:g} to {LARGEST_UNIT:g}"
            raise InputError(f"metres_per_unit {unit:g}", "is not a valid unit", remedy)
        return cls(
            rig=rig,
            views=_as_choice(views),
            visibility=None if visibility is None else as_choice(visibility, "visibility", VISIBILITIES),
            remove_table=as_switch(remove_table, "remove_table"),
            metres_per_unit=unit,
            keep_clusters=cluster_rule(keep_clusters),
            seed=as_whole_number(seed, "seed"),
        )


def _as_choice(views: Any) -> ViewChoice:
    if views is None:
        return ViewChoice()
    if isinstance(views, ViewChoice):
        for name, given in (("directions", views.directions), ("rig", views.rig)):
            if given is not None and not (
                isinstance(given, tuple) and given and all(isinstance(v, View) for v in given)
            ):
                raise InputError(f"views, {name}", "are not views", "give a tuple of pointad.rendering.views.View")
        return views if views.count is None else replace(views, count=as_whole_number(views.count, "views"))
    if isinstance(views, Sequence) and len(views) and all(isinstance(view, View) for view in views):
        return ViewChoice(directions=tuple(views))
    try:
        return ViewChoice(count=as_whole_number(views, "views"))
    except InputError:
        remedy = "give a number, or a list of pointad.rendering.views.View"
        raise InputError(shown_argument("views", views), "are not views", remedy) from None

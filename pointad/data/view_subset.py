"""Selects the views that a run uses: all of them, a given number, or given directions."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointad.errors import InputError, counted
from pointad.rendering.views import View, ViewRig

VIEW_COUNT = 9  # of the published rigs
# In the rig of organized scans (x: -45 -15 0 15 45, y: -30 -15 15 30), from the frontal view outwards in pairs.
_FRONTAL_FIRST = (2, 1, 3, 6, 7, 0, 4, 5, 8)


@dataclass(frozen=True)
class ViewChoice:
    """The views a run requests: a number, or directions; all available views if neither is given."""

    count: int | None = None
    directions: tuple[View, ...] | None = None
    rig: tuple[View, ...] | None = None  # from a file: what the number or the directions are taken from

    def within_rig(self, *, organized: bool) -> "ViewChoice":
        """The request with its own rig resolved to directions.

        Args:
            organized: see :func:`view_subset`.

        Raises:
            InputError: the rig has fewer views, or different ones.
        """
        if self.rig is None:
            return self
        available = AvailableViews(len(self.rig), self.rig, "the file of --rig")
        indices = available.chosen(ViewChoice(self.count, self.directions), organized=organized)
        return ViewChoice(directions=tuple(self.rig[index] for index in indices))


@dataclass(frozen=True)
class AvailableViews:
    """The views that a data set has."""

    count: int
    directions: tuple[View, ...] | None  # in the order of the files; None if unknown
    place: str  # where they are, for errors

    def chosen(self, choice: ViewChoice, *, organized: bool) -> tuple[int, ...]:
        """Indices of the views that a run requests.

        Args:
            choice: the request.
            organized: see :func:`view_subset`.

        Raises:
            InputError: there are fewer views, or different ones.
        """
        choice = choice.within_rig(organized=organized)
        if choice.directions is not None:
            return self._indices(choice.directions)
        count = self.count if choice.count is None else choice.count
        if not 1 <= count <= self.count:
            problem = f"{self.place} has {counted(self.count, 'view')} per sample"
            raise InputError(f"views {count}", problem, f"give a number from 1 to {self.count}")
        return view_subset(count, organized=organized, of=self.count, directions=self.directions)

    def names(self, indices: Sequence[int]) -> tuple[str, ...] | None:
        """The directions of some of the views, as they are written on the command line; None if they are not known."""
        return None if self.directions is None else tuple(self.directions[index].name for index in indices)

    def _indices(self, wanted: Sequence[View]) -> tuple[int, ...]:
        names = " ".join(view.name for view in wanted)
        if self.directions is None:
            problem = f"{self.place} does not state the directions of its views"
            raise InputError(f"views {names}", problem, "give a number, or render again")
        missing = [view.name for view in wanted if view not in self.directions]
        if missing:
            found = " ".join(view.name for view in self.directions)
            problem = f"{self.place} has no view {' '.join(missing)}"
            raise InputError(f"views {names}", problem, f"choose among {found}, or render these directions")
        return tuple(self.directions.index(view) for view in wanted)


def chosen_directions(choice: ViewChoice, rig: ViewRig, *, organized: bool) -> tuple[View, ...] | None:
    """The directions that are to be rendered; None: the rig's own.

    Args:
        choice: the request.
        rig: whose views a number is taken from.
        organized: see :func:`view_subset`.

    Raises:
        InputError: the rig has fewer views.
    """
    choice = choice.within_rig(organized=organized)
    if choice.count is None:
        return choice.directions
    available = AvailableViews(len(rig.views), rig.views, "the rig")
    return tuple(rig.views[index] for index in available.chosen(choice, organized=organized))


def view_subset(
    count: int, *, organized: bool, of: int = VIEW_COUNT, directions: Sequence[View] | None = None
) -> tuple[int, ...]:
    """Choose ``count`` of the rendered views.

    Organized scans are seen from one side only: the frontal view comes first, then increasingly oblique ones, in pairs
    if the rig has them, and so do the views of their published rigs for any scans. Closed shapes are seen from all
    around: the chosen views are spread evenly over the rig.

    Args:
        count: 1 to ``of``.
        organized: whether the data set's scans are organized (MVTec3D-AD, Eyecandies) or closed (Real3D-AD).
        of: how many views there are.
        directions: of these views, if known.

    Returns:
        Indices into the views, ascending.

    Raises:
        InputError: ``count`` is out of range.
    """
    if not 1 <= count <= of:
        raise InputError(f"views {count}", f"a sample has {of} views", f"give a number from 1 to {of}")
    is_frontal = directions is not None and _is_published(directions)
    if not (organized or is_frontal) or (of != VIEW_COUNT and directions is None):
        return tuple(int((i + 0.5) * of / count) for i in range(count))
    if directions is None or is_frontal:
        return tuple(sorted(_FRONTAL_FIRST[:count]))
    steepness = [abs(view.degrees) for view in directions]
    return tuple(sorted(sorted(range(of), key=lambda index: (steepness[index], index))[:count]))


def _is_published(directions: Sequence[View]) -> bool:
    """Whether these are ordered as in the rigs of organized scans: five about x, frontal the third, four about y."""
    return [view.axis for view in directions] == list("xxxxxyyyy") and directions[2].degrees == 0

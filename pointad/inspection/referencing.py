"""From looks at scans to what references compare: observations, and the setting that they were made in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointad.errors import InputError, named_subjects
from pointad.inspection.look_options import LookOptions
from pointad.inspection.looking import Look, views_of, visibility_of
from pointad.inspection.preparation import EXTENT, choose_rig
from pointad.reference.building import build_reference
from pointad.reference.likeness import Likeness, first_twin
from pointad.reference.observation import Observation, Smoothing, observe, select_blocks
from pointad.reference.reference import Reference
from pointad.reference.setting import ReferenceSetting, prompts_text, rig_digest
from pointad.scans.grid import GRID_SIZE
from pointad.scoring.fusion import smooth
from pointad.scoring.surface_smoothing import SurfaceSmoothing

STACKED = 4  # dimensions of an array of scans with a pixel grid; one of three may be a single scan


@dataclass(frozen=True)
class Eyes:
    """How a detector looks at scans, as far as references depend on it."""

    backbone: str  # fingerprint of its weights, and the encoder's precision
    text_features: Tensor  # (2, D)
    prompt_blocks: tuple[int, ...]
    bank_blocks: tuple[int, ...]
    encoded_blocks: tuple[int, ...]  # the blocks of the looks' features, in this order
    image_size: int
    options: LookOptions
    sigma: float
    smoothing: str
    sigma_on_surface: float  # the same in the unit of prepared clouds

    def setting(self, organized: bool) -> ReferenceSetting:
        """What a reference made of scans with or without a pixel grid depends on, whichever scans they are."""
        options = self.options
        rig = choose_rig(options.rig, organized)  # clouds are drawn with points of a size that closes each of them
        on_table = "as scanned"
        if options.remove_table:
            on_table = f"table removed, {options.metres_per_unit:g} m a unit, clusters {options.keep_clusters}"
        return ReferenceSetting(
            backbone=self.backbone,
            prompts=prompts_text(self.text_features),
            prompt_blocks=self.prompt_blocks,
            bank_blocks=self.bank_blocks,
            views=tuple(f"{view.axis} {view.angle}" for view in views_of(options, rig, organized)),
            rig=rig_digest(rig),
            organized=organized,
            visibility=visibility_of(options, organized),
            smoothing=f"sigma {self.sigma:g}" if organized else f"{self.smoothing}, sigma {self.sigma:g}",
            preparation=f"{on_table}, seed {options.seed}",
            image_size=self.image_size,
        )

    def observe(self, look: Look) -> Observation:
        """One scan as references see it."""
        scan, batch, device = look.scan, look.batch, self.text_features.device
        with torch.no_grad():
            return observe(
                select_blocks(look.features, self.encoded_blocks, self.prompt_blocks),
                select_blocks(look.features, self.encoded_blocks, self.bank_blocks),
                self.text_features,
                batch.correspondences.to(device),
                batch.non_zero.to(device),
                scan.point_cloud.points,
                smooth=self._smoothing(look),
                size=GRID_SIZE,
                from_front=scan.organized,
                extent=EXTENT / scan.scale,
            )

    def _smoothing(self, look: Look) -> Smoothing:
        points = look.scan.point_cloud.points
        if not look.scan.organized and self.smoothing == "surface":
            seen = np.any(look.rendered.correspondences[..., 2], axis=0)
            return SurfaceSmoothing(points, self.sigma_on_surface, seen)
        places = look.batch.non_zero[0].numpy()

        def on_grid(values: np.ndarray) -> np.ndarray:
            grid = np.zeros(len(places), np.float32)
            grid[places] = values
            return smooth(torch.from_numpy(grid).view(GRID_SIZE, GRID_SIZE), self.sigma).numpy().ravel()

        return on_grid


def check_is_reference(reference: Any, *, is_needed: bool = True) -> None:
    """Refuse what is no reference; None may stand for none where it is not needed.

    Raises:
        InputError: it is something else, such as the path of one.
    """
    if not isinstance(reference, Reference) and (is_needed or reference is not None):
        remedy = "give what make_reference or pointad.Reference.load returned"
        raise InputError("reference", f"is a {type(reference).__name__}", remedy)


def with_pictures(
    scans: Iterable[np.ndarray], pictures: Iterable[np.ndarray | None] | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Every good scan and its picture, one after another; without pictures, None.

    Raises:
        InputError: they cannot be taken one after another, or there are more or fewer pictures than scans.
    """
    if isinstance(scans, np.ndarray) and scans.ndim < STACKED:  # its rows would be taken for scans
        raise InputError(
            "good scans", f"are one array of shape {scans.shape}", "give a list of scans, such as [points]"
        )
    for given, called in ((scans, "good scans"), (() if pictures is None else pictures, "pictures")):
        if not _is_iterable(given):
            raise InputError(called, f"are a {type(given).__name__}", "give a list of arrays")
    if pictures is None:
        yield from ((points, None) for points in scans)
        return
    missing: Any = object()
    for points, picture in zip_longest(scans, pictures, fillvalue=missing):
        if points is missing or picture is missing:
            problem = f"are {'more' if points is missing else 'fewer'} than the good scans"
            raise InputError("pictures", problem, "give one for every scan, or None for a scan without any")
        yield points, picture


def reference_of(
    scans: Iterable[tuple[np.ndarray, np.ndarray | None]],
    look: Callable[[np.ndarray, np.ndarray | None, str], Look],
    names: Sequence[str] | None,
    eyes: Eyes,
) -> Reference:
    """Make a reference of good scans, which are looked at one after another.

    Args:
        scans: points, and their pictures.
        look: looks at one of a name.
        names: what errors call them; None numbers them.
        eyes: how they are looked at.

    Raises:
        InputError: there is none, two are one recording, or one is of another kind, size or layout than the others.
    """
    names = None if names is None else _as_names(names)
    observations: list[Observation] = []
    setting: ReferenceSetting | None = None
    called: list[str] = []
    likenesses: list[Likeness] = []
    for number, (points, picture) in enumerate(scans):
        if names is not None and number >= len(names):
            raise InputError("names", f"are {len(names)}, fewer than the good scans", "give one for every scan")
        name = f"good scan {number + 1}" if names is None else names[number]
        seen = _looked_at(points, picture, look, name)
        own = eyes.setting(seen.scan.organized)
        if setting is not None and own.organized != setting.organized:
            problem = f"is {own.kind}, and the good scans before it are {setting.kind}"
            raise InputError(name, problem, "give good scans of one kind")
        setting = setting or own
        called.append(name)
        likenesses.append(Likeness.of(points, picture))
        _refuse_twin(number, likenesses, called)
        observations.append(eyes.observe(seen))
    if setting is None:
        raise InputError("reference", "there is no good scan", "give at least one")
    if names is not None and len(names) > len(called):
        raise InputError(
            "names", f"are {len(names)}, more than the {len(called)} good scans", "give one for every scan"
        )
    if any(observation.color is None for observation in observations):  # scores depend on no picture then
        likenesses = [replace(likeness, picture="") for likeness in likenesses]
        for number in range(len(likenesses)):
            _refuse_twin(number, likenesses, called)
    return replace(build_reference(observations, called, setting), likenesses=tuple(likenesses))


def _refuse_twin(number: int, likenesses: Sequence[Likeness], called: Sequence[str]) -> None:
    """Refuse a good scan that was given before: compared with its twin, each would score too low, as the threshold."""
    twin = first_twin(likenesses[number], likenesses[:number])
    if twin is not None:
        raise InputError(called[number], f"holds the same points as {called[twin]}", "give every good scan once")


def _looked_at(
    points: np.ndarray,
    picture: np.ndarray | None,
    look: Callable[[np.ndarray, np.ndarray | None, str], Look],
    name: str,
) -> Look:
    """Look at a good scan; errors about its arrays say which one it is."""
    with named_subjects({"scan": name, "points": f"{name}, points", "RGB picture": f"{name}, RGB picture"}):
        return look(points, picture, name)


def _as_names(names: Any) -> list[str]:
    if isinstance(names, (str, bytes, set, frozenset)) or not _is_iterable(names):
        raise InputError("names", f"are a {type(names).__name__}", "give a list of texts, one for every scan")
    return [str(name) for name in names]


def _is_iterable(given: Any) -> bool:
    try:
        iter(given)
    except TypeError:
        return False
    return True

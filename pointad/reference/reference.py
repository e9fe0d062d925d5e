"""A reference: what a few good scans of one kind of object look like, and how another scan compares with them.

    reference = detector.make_reference([points, ...])
    reference.save("bracket.safetensors")
    prediction = detector.predict(points, reference=Reference.load("bracket.safetensors"))

The published method needs no scan of the object. Where there are a few good ones, three cues speak for a defect at a
point: the prompts (section 3.3), patches of the views that no good scan has (after PatchCore, CVPR 2022), and bends of
the surface that none has (after "Back to the feature", CVPR 2023 workshops, with FPFH). `pointad.reference.cues` joins
them.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from pointad.compute.forks import compute_safely
from pointad.compute.own_settings import own_settings
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.json_files import parse_json
from pointad.files.presence import is_file
from pointad.files.regular import as_path, regular_file_size
from pointad.files.safetensors_files import opened_safetensors, read_safetensors
from pointad.reference.agreement import another_reading, another_size
from pointad.reference.cues import ReferenceScores, join_scores
from pointad.reference.geometry_bank import GeometryBank
from pointad.reference.likeness import Likeness, first_twin, from_tensors, to_tensors
from pointad.reference.observation import Observation
from pointad.reference.patch_bank import PatchBank, ScanPatches
from pointad.reference.scan_cues import compare_cues
from pointad.reference.setting import FORMAT, ReferenceSetting
from pointad.reference.soundness import facts_fit, finite, geometry_fits, likenesses_fit, patches_fit

logger = logging.getLogger(__name__)

KIND = "pointad reference"
SUFFIX = ".safetensors"
PATCH_BYTES = 120_000_000  # what a reference's patches may take, and ...
GEOMETRY_BYTES = 30_000_000  # ... its histograms of bends, and ...
COLOR_BYTES = 30_000_000  # ... the patches of its RGB pictures
_REMEDY = "make it again from the good scans"


@dataclass(frozen=True, eq=False)
class Reference:
    """What k good scans look like."""

    setting: ReferenceSetting
    patches: PatchBank
    geometry: GeometryBank
    powers: dict[str, float]  # of the cues
    names: tuple[str, ...]  # of the good scans
    extents: tuple[float, ...]  # their largest sides, in the unit of the scans
    good_scores: tuple[float, ...]  # of each good scan, compared with the others; empty for a single one
    heat_range: tuple[float, float] | None  # values at the ends of the colour scale; None for a single good scan
    color: PatchBank | None = None  # of the RGB pictures, as the only view; None without them
    contents: tuple[str, ...] = ()  # SHA-256 of the good scans' files, which may have been moved; empty: unknown
    likenesses: tuple[Likeness, ...] = ()  # of the good scans; empty: unknown
    readings: tuple[
        tuple[str, str], ...
    ] = ()  # extension of each good scan's file, and how it was read; empty: unknown

    @property
    def nbytes(self) -> int:
        """What the reference takes in memory."""
        return self.patches.nbytes + self.geometry.nbytes + (0 if self.color is None else self.color.nbytes)

    def copied(self, scan: Likeness) -> str | None:
        """The name of the good scan that is the same recording as a scan; None if there is none.

        Raises:
            InputError: what is given is no `Likeness`.
        """
        _check_kind(scan, Likeness)
        known = self.likenesses
        if self.color is None:  # scores depend on no picture
            scan, known = replace(scan, picture=""), tuple(replace(one, picture="") for one in known)
        twin = first_twin(scan, known)
        return None if twin is None else self.names[twin]

    def remarks(self, scan: Observation) -> tuple[str, ...]:
        """What makes the comparison of a scan worth less: the rest of sentences that begin with its name."""
        picture = "has an RGB picture, which is not compared: the good scans have none"
        is_ignored = self.color is None and scan.color is not None
        return tuple(filter(None, (another_size(scan.extent, self.extents), picture if is_ignored else "")))

    def read_otherwise(self, extension: str, manner: str) -> str:
        """What is to be said of a scan whose file was read unlike the good ones: the rest of a sentence, or "".

        Args:
            extension: of its file, such as ".xyz"; others' readings are not compared.
            manner: how it was read, as in `pointad.scans.scan_file.ScanFile`.
        """
        return another_reading((extension, manner), self.readings)

    def compare(self, scan: Observation) -> ReferenceScores:
        """Score one scan that was looked at as the good scans were; see `ReferenceSetting.require`.

        Raises:
            InputError: the good scans have RGB pictures, and the scan has none; a score is not finite; or what is given
            is no `Observation`.
        """
        _check_kind(scan, Observation)
        if self.color is not None and scan.color is None:
            problem = "has no RGB picture, and the good scans that it is compared with have them"
            raise InputError("scan", problem, "give its picture, or make the reference without pictures")
        self.require_fitting(scan.patches, None if scan.color is None else scan.color.patches)
        cues = compare_cues(scan, self.patches, self.geometry, self.color)
        return join_scores(cues, self.powers, scan.at_points)

    def require_fitting(self, patches: ScanPatches, color: ScanPatches | None = None) -> None:
        """Refuse a scan whose views or patches are others than the reference holds.

        Args:
            patches: of the scan's views.
            color: of its RGB picture.

        Raises:
            InputError: they differ, though the setting says otherwise: the file was changed.
        """
        for bank, own in ((self.patches, patches), (self.color, color)):
            if bank is None or own is None:
                continue
            views, _, width = own.descriptors.shape
            held = len(bank.counts), bank.descriptors.shape[1]
            if held != (views, width):
                here = f"{held[0]} views and {held[1]} numbers"
                problem = f"holds patches of {here}, those of the scan are of {views} and {width}"
                raise InputError("reference", problem, _REMEDY)

    @own_settings()
    def save(self, path: str | Path) -> None:
        """Write the reference as safetensors; the setting and the names stand in its header.

        Raises:
            InputError: the file cannot be written.
        """
        tensors, text = self._stored()
        metadata = {"kind": KIND, "reference": text, "sha256": _digest(tensors, text)}
        content = save(tensors, metadata=metadata)
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that it holds, in hexadecimal."""
        return _digest(*self._stored())

    def _stored(self) -> tuple[dict[str, Tensor], str]:
        """The tensors of its file, and the rest as JSON."""
        tensors = {
            "patches": self.patches.descriptors,
            "patch_owners": self.patches.owners,
            "geometry": torch.from_numpy(self.geometry.descriptors),
            "geometry_owners": torch.from_numpy(self.geometry.owners),
        }
        if self.color is not None:
            tensors |= {"color": self.color.descriptors, "color_owners": self.color.owners}
        tensors |= to_tensors(self.likenesses)
        told = {
            "setting": self.setting.to_json(),
            "counts": self.patches.counts,
            "powers": self.powers,
            "names": self.names,
            "extents": self.extents,
            "good_scores": self.good_scores,
            "heat_range": self.heat_range,
            "contents": self.contents,
            "readings": self.readings,
            "likeness_pictures": [one.picture for one in self.likenesses],
            "likeness_grids": [one.grid for one in self.likenesses],
        }
        return tensors, json.dumps(told)

    @staticmethod
    def refuse_other(path: Path) -> None:
        """Refuse to replace a file that holds anything but a reference, of whatever version.

        Raises:
            InputError: it does; a file that is missing or empty may be replaced.
        """
        if not is_file(path) or not path.stat().st_size:
            return
        try:
            with opened_safetensors(path) as file:
                kind = (file.metadata() or {}).get("kind")
        except (SafetensorError, OSError):
            kind = None
        if kind != KIND:
            raise InputError(path, "exists, and is no reference of good scans", "remove it, or choose another --output")

    @classmethod
    @own_settings()
    def load(cls, path: str | Path) -> "Reference":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing, damaged, or no reference of this version.
        """
        compute_safely()
        path = as_path(path, "path of a reference")
        try:
            regular_file_size(path)
        except InputError as error:
            raise InputError(path, error.problem, "name a file that pointad reference wrote") from error
        tensors = read_safetensors(path, kind="a reference of good scans", remedy=_REMEDY)
        try:
            with opened_safetensors(path) as file:
                header = file.metadata() or {}
            if header.get("kind") != KIND:
                raise InputError(path, "is not a reference of good scans", "name a file that pointad reference wrote")
            digest = _digest(tensors, header["reference"])
            if header.get("sha256", digest) != digest:  # older files have none
                raise InputError(path, "is damaged (its checksum differs)", _REMEDY)
            told = parse_json(header["reference"])
            heat_range = told["heat_range"]
            reference = cls(
                setting=ReferenceSetting.from_json(told["setting"]),
                patches=PatchBank(tensors["patches"], tuple(told["counts"]), tensors["patch_owners"]),
                geometry=GeometryBank(tensors["geometry"].numpy(), tensors["geometry_owners"].numpy()),
                powers={str(name): finite(power) for name, power in told["powers"].items()},
                names=tuple(map(str, told["names"])),
                extents=tuple(map(finite, told["extents"])),
                good_scores=tuple(map(finite, told["good_scores"])),
                heat_range=None if heat_range is None else _pair(heat_range),
                color=_color_bank(tensors),
                contents=tuple(map(str, told.get("contents", ()))),  # older files have none
                likenesses=from_tensors(tensors, told.get("likeness_pictures", ()), told.get("likeness_grids")),
                readings=tuple((str(extension), str(manner)) for extension, manner in told.get("readings", ())),
            )
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise InputError(path, f"is damaged or from another version ({error})", _REMEDY) from error
        if not reference._fits():
            version = reference.setting.format
            problem = "is damaged: its parts are inconsistent" if version == FORMAT else "is from another version"
            raise InputError(path, problem, _REMEDY)
        return reference

    def _fits(self) -> bool:
        scans = len(self.names)
        return (
            facts_fit(self.names, self.extents, self.good_scores, self.heat_range, self.powers)
            and {len(self.contents), len(self.readings)} <= {0, scans}
            and likenesses_fit(self.likenesses, scans)
            and patches_fit(self.patches, len(self.setting.views), scans)
            and geometry_fits(self.geometry, scans)
            and (self.color is None or patches_fit(self.color, 1, scans))
        )


def _check_kind(scan: Any, kind: type) -> None:
    if not isinstance(scan, kind):
        remedy = f"give a {kind.__module__}.{kind.__name__}; for points, call PointAD.predict(points, reference=...)"
        raise InputError("scan", f"is a {type(scan).__name__}", remedy)


def _pair(value: Sequence[Any]) -> tuple[float, float]:
    low, high = map(finite, value)
    return low, high


def _digest(tensors: dict[str, Tensor], told: str) -> str:
    digest = hashlib.sha256(told.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().data)
    return digest.hexdigest()


def _color_bank(tensors: dict[str, Tensor]) -> PatchBank | None:
    if "color" not in tensors:
        return None
    return PatchBank(tensors["color"], (len(tensors["color"]),), tensors["color_owners"])

"""Groups the runs that repeat one method, and gives the methods distinct names."""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pointad.evaluation.provenance import fingerprint
from pointad.report.methods import distinct_names, identity, method_name
from pointad.report.runs import Run, backbone_in_tables, dataset_title

logger = logging.getLogger(__name__)

MASKS, PICTURES, SCANS, GOOD_SCANS = "masks", "pictures", "scans", "good scans"


class _Content(NamedTuple):
    """What runs of the same data have in common wherever they say it."""

    kind: str
    of: str  # class
    where: str = ""  # of the run, where a training and a test say it differently
    part: str = ""  # view or good scan

    @property
    def label(self) -> str:
        return self.kind if self.kind == GOOD_SCANS else f"{self.kind} of {self.of}{self.where}"


def methods(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """Group runs by method: those of one group differ in seed, training class and place only.

    Runs of other classes, or whose masks or pictures of a class differ, are of different data, whether the class was
    tested or learned from; of a class that one learned from and another tested, the views that both used are compared.
    Where these were not recorded, this cannot be told.

    No run is omitted. A run that repeats another with the same figures is counted once, which is logged; repetitions
    with different figures, which must differ in something that is not recorded, form separate groups.

    Args:
        runs: of one protocol, in any order.

    Returns:
        the name of each group, unique among groups on the same data set with the same backbone, and its runs.
    """
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: (str(run.folder), run.name)):
        groups[repr(sorted(identity(run.record).items()))].append(run)
    by_column: dict[tuple[object, ...], list[list[Run]]] = defaultdict(list)
    for group in groups.values():
        for part in _by_content(group):
            by_column[_column(part[0])].append(part)
    found: list[tuple[str, list[Run]]] = []
    for groups_of_column in by_column.values():
        records = [group[0].record for group in groups_of_column]
        contents = _labels([_content_of(group) for group in groups_of_column])
        identities = [identity(group[0].record) | own for group, own in zip(groups_of_column, contents, strict=True)]
        several = len({record.dataset for record in records}) > 1  # data sets of one title
        names = [method_name(record, say_format=several) for record in records]
        names = distinct_names(names, identities)
        for name, group in zip(names, groups_of_column, strict=True):
            found += _by_place(name, group)
    return found


def _column(run: Run) -> tuple[str, str]:
    """What tables say of a run besides its method: rows that have it in common need methods of different names."""
    return dataset_title(run), backbone_in_tables(run)


def _by_content(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs of one method in groups of the same classes that agree on the masks and pictures of those they share."""
    parts: list[tuple[dict[_Content, str], list[Run]]] = []
    comparable: dict[object, list[tuple[dict[_Content, str], list[Run]]]] = defaultdict(list)
    for run in runs:
        own = _content_of([run])
        classes = None if run.record.samples else _classes(run)  # the list of samples, the same of all, tells them too
        alike = comparable[_kinds(own), classes]
        agreeing = (part for part in alike if all(part[0].get(k, v) == v for k, v in own.items()))
        part = next(agreeing, None)
        if part is None:
            part = ({}, [])
            alike.append(part)
            parts.append(part)
        part[0].update(own)
        part[1].append(run)
    for known, members in parts:
        missing = [kind for kind in (MASKS, PICTURES) if kind not in _kinds(known)]
        if missing and len(members) > 1:
            message = "%s and others do not say which %s they were measured with"
            logger.info(message, members[0].place, " and ".join(missing))
    return [members for _, members in parts]


def _classes(run: Run) -> frozenset[str]:
    """Those of the data: of one-vs-rest tests, with what the prompts were learned from."""
    learned = run.record.learned_classes if run.record.protocol == "one-vs-rest" else ()
    return frozenset((*run.results.classes, *learned))


def _kinds(content: Collection[_Content]) -> frozenset[str]:
    """Of which kinds of content there are fingerprints."""
    return frozenset(each.kind for each in content)


def _content_of(runs: Sequence[Run]) -> dict[_Content, str]:
    """The masks and pictures that runs were measured with and learned from, as far as they were recorded."""
    found: dict[_Content, str] = {}
    for run in runs:
        record, results, training = run.record, run.results, run.record.training
        if training is not None:
            name, where = training.training_class or "", " in training"
            found |= {_Content(k, name, where): text for k in (MASKS, PICTURES) if (text := getattr(training, k))}
            same_data = training.training_dataset == record.dataset and training.is_rendered_like(record)
            where = "" if same_data else where
            found |= {_Content(SCANS, name, where, view): text for view, text in (training.scans or {}).items()}
        found |= {_Content(MASKS, name): text for name, text in results.masks.items()}
        found |= {_Content(PICTURES, name): text for name, text in results.pictures.items()}
        for kind, parts in ((SCANS, results.scans), (GOOD_SCANS, results.good_pictures)):
            for name, of_class in parts.items():
                found |= {_Content(kind, name, "", part): text for part, text in of_class.items()}
    return found


def _labels(contents: Sequence[Mapping[_Content, str]]) -> list[dict[str, str]]:
    """The beginnings of fingerprints by what they are of, for labels of groups of runs.

    Of the views of a class, that of the first that tells groups apart; all good scans have one together.
    """
    known: dict[_Content, set[str]] = defaultdict(set)
    for each in (each for content in contents for each in content.items()):
        known[each[0]].add(each[1])
    views = {each.label: each for each in reversed(known) if each.kind == SCANS and len(known[each]) > 1}
    found = []
    for content in contents:
        good = [f"{each.part} of {each.of} {text}" for each, text in content.items() if each.kind == GOOD_SCANS]
        short = {
            each.label: text[:6]
            for each, text in content.items()
            if each.kind in (MASKS, PICTURES) or each == views.get(each.label)
        }
        found.append(short | ({GOOD_SCANS: fingerprint(sorted(good))[:6]} if good else {}))
    return found


def _by_place(name: str, runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """The runs of one method, with repetitions of others in separate groups."""
    rounds: list[dict[tuple[object, ...], Run]] = []
    begun: Counter[tuple[object, ...]] = Counter()  # of each repetition, in how many rounds it is
    known: dict[object, dict[str, Run]] = defaultdict(dict)  # by repetition and figures: runs by their prompts
    for run in runs:
        record = run.record
        repetition = (record.training_dataset, record.training_class, record.seed, record.draw_seed)
        # Others may find the same with other prompts; where a run does not say with which, they may be the same.
        alike, prompts = known[repetition, _figures(run)], record.checkpoint_fingerprint or ""
        twin = alike.get(prompts) or alike.get("") or (None if prompts else next(iter(alike.values()), None))
        if twin is not None:
            logger.warning(
                "%s and %s contain the same figures of the same run; they are counted once", twin.place, run.place
            )
            continue
        alike[prompts] = run
        if begun[repetition] == len(rounds):
            rounds.append({})
        rounds[begun[repetition]][repetition] = run
        begun[repetition] += 1
    if len(rounds) == 1:
        return [(name, list(rounds[0].values()))]
    places = [_place(list(each.values())) for each in rounds]
    found = []
    told: Counter[str] = Counter()
    for place, of_round in zip(places, rounds, strict=True):
        again = f" (repetition {told[place] + 1})" if told[place] else ""
        told[place] += 1
        found.append((f"{name}, in {place}{again}", list(of_round.values())))
    return found


def _figures(run: Run) -> frozenset[tuple[object, ...]]:
    """What two runs have in common if their tables of classes are equal, and only then."""
    found: set[tuple[object, ...]] = set()
    for class_name, of_class in run.results.classes.items():
        found.add((class_name,))
        for modality, metrics in of_class.items():
            found.add((class_name, modality))
            found |= {(class_name, modality, *each) for each in metrics.items()}
    return frozenset(found)


def _place(runs: Sequence[Run]) -> str:
    """The folder that holds all of the runs, or the place of a single one."""
    common = os.path.commonpath([run.place for run in runs])
    return os.path.relpath(common) if Path(common).is_absolute() else common

"""The name of the method that a run used: the label of its row in a result table."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pointad.data.view_subset import VIEW_COUNT
from pointad.errors import counted, short
from pointad.evaluation.protocol import supervision_of
from pointad.evaluation.run_record import Role, RunRecord, facts
from pointad.scans.grid import GRID_SIZE
from pointad.scoring.back_projection import MEAN
from pointad.scoring.options import DEFAULT_SIGMA, FUSIONS
from pointad.training.settings import TrainingSettings
from pointad.training.terms import PUBLISHED_WEIGHTS

_LEARNING = TrainingSettings()
_UNLABELLED = frozenset(  # these have columns and tables of their own
    {"name", "dataset", "dataset_title", "sample_count", "protocol", "backbone", "is_demo", "prompts"}
)
TRAINING = "training."
LONGEST_METHOD = 2000
"""Characters of a method's name in tables, which repeat it in every row."""


def method_name(record: RunRecord, *, say_format: bool = False) -> str:
    """Name the method of a run: the base, then any differences from the published settings.

    Args:
        record: of the run; missing facts count as published.
        say_format: also name the format of the data, where data sets of several formats have one title.

    Returns:
        the user's label, or "PointAD", "PointAD-CoOp" (context only, depth 1), "CLIP + R." (nothing
        learned), each with the differences in brackets, such as "PointAD (5 views, σ 2)".
    """
    data = [_LABELS["dataset"](record.dataset or "unknown")] if say_format else []
    if record.name:
        return record.name + _in_brackets([*([supervision_of(record.shots)] if record.shots else []), *data])
    known = {name: value for name, value in facts(record, Role.METHOD) if value is not None}
    if record.shots:
        known.pop("fusion", None)  # joint maps have one fusion alone
    texts = [
        _LABELS[name](known[name])
        for name, published in _published().items()
        if name in known and not published(known[name])
    ]
    return _base(record) + _in_brackets([*texts, *(record.differences or ()), *data])


def identity(record: RunRecord) -> dict[str, Any]:
    """All facts that must be equal for two runs to be averaged, by name; missing facts are omitted.

    Prompts to start from are the same wherever they lie, if their content is known.
    """
    known = {name: value for name, value in facts(record, Role.METHOD) if value is not None and value != ""}
    if "training.init_fingerprint" in known:
        known.pop("training.init_checkpoint", None)
    return known


def distinct_names(names: Sequence[str], identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """Make the names of methods distinct by adding the differences to equal names.

    Args:
        names: from :func:`method_name`, one per method.
        identities: of the same methods, all distinct.

    Returns:
        distinct names.
    """
    result = list(names)
    of_name: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        of_name.setdefault(name, []).append(place)
    for name, places in of_name.items():
        if len(places) == 1:
            continue
        texts = _differing_texts([identities[place] for place in places])
        for place, added in zip(places, texts, strict=True):
            result[place] = _with_more(name, added)
    result = [short(name, LONGEST_METHOD) for name in result]
    seen: Counter[str] = Counter()
    for place, name in enumerate(result):
        seen[name] += 1
        if seen[name] > 1:
            result[place] = _with_more(name, [f"variant {seen[name]}"])
    return result


def _differing_texts(identities: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """For each method, the facts that distinguish it; a fact that one of them did not record is not used."""
    names = list(dict.fromkeys(name for each in identities for name in each if name not in _UNLABELLED))
    recorded = [name for name in names if len({repr(each[name]) for each in identities if name in each}) > 1]
    shared = {name for name in recorded if not name.startswith(TRAINING)}
    telling = [name for name in recorded if name.removeprefix(TRAINING) not in shared or name in shared]
    texts = [[_label(name, each[name]) for name in telling if name in each] for each in identities]
    most = max(map(len, identities))
    for each, own in zip(identities, texts, strict=True):
        if not own and len(each) < most:
            own.append("fewer facts recorded")
    return texts


def _label(name: str, value: Any) -> str:
    plain = name.removeprefix(TRAINING)
    if name in _LABELS:
        return _LABELS[name](value)
    text = _LABELS[plain](value) if plain in _LABELS else f"{plain.replace('_', ' ')} {value}"
    return f"trained with {text}" if name != plain else text


def _with_more(name: str, texts: Sequence[str]) -> str:
    if not texts:
        return name
    return f"{name[:-1]}, {', '.join(texts)})" if name.endswith(")") else name + _in_brackets(texts)


def _in_brackets(texts: Sequence[str]) -> str:
    return f" ({', '.join(texts)})" if texts else ""


def _base(record: RunRecord) -> str:
    if record.prompts == "ensemble":
        return "CLIP + R."
    return "PointAD-CoOp" if record.depth == 1 else "PointAD"


def _published() -> dict[str, Callable[[Any], bool]]:
    """Facts that are part of the method's name if they differ from the published ones, in the order of their texts."""
    return {
        "shots": lambda value: not value,
        "object_aware": lambda value: not value,
        "losses": lambda value: set(value) == set(PUBLISHED_WEIGHTS),
        "training.loss_weights": lambda value: all(weight == 1 for weight in value.values()),
        "views": lambda value: len(value) == VIEW_COUNT,
        "view_fusion": lambda value: value == MEAN,
        "sigma": lambda value: value == DEFAULT_SIGMA,
        "image_size": lambda value: value == GRID_SIZE,
        "fusion": lambda value: value == FUSIONS[0],
        "aupro": lambda value: value != "published",
        "training.learning_rate": lambda value: value == _LEARNING.learning_rate,
        "training.batch_size": lambda value: value == _LEARNING.batch_size,
        "training.epochs": lambda value: value == _LEARNING.epochs,
    }


def _numbers(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def _term(name: str) -> str:
    return name.removesuffix("_loss").replace("_", " ")


_LABELS: dict[str, Callable[[Any], str]] = {
    "dataset": lambda value: f"data in the format {value}",
    "shots": supervision_of,
    "samples": lambda value: f"samples {value[:6]}",
    "draws": lambda value: counted(value, "draw"),
    "good_from": lambda value: f"good scans from {value}",
    "object_aware": lambda value: "object-aware" if value else "not object-aware",
    "losses": lambda value: "losses " + " + ".join(map(_term, value)),
    "training.loss_weights": lambda value: (
        "weights " + " + ".join(f"{weight:g} {_term(name)}" for name, weight in value.items())
    ),
    "views": lambda value: counted(len(value), "view"),
    "view_names": lambda value: f"views {' '.join(value)}",
    "view_fusion": lambda value: f"views fused by {value}",
    "sigma": lambda value: f"σ {value:g}",
    "image_size": lambda value: f"{value} px",
    "fusion": lambda value: f"fusion {value}",
    "aupro": lambda value: f"AUPRO {'as published' if value == 'published' else value}",
    "features_list": lambda value: f"block{'s' if len(value) > 1 else ''} {_numbers(value)}",
    "normals": lambda value: f"{value} normals",
    "visibility": lambda value: f"{value} visibility",
    "correspondence": lambda value: f"{value} pixels",
    "point_size": lambda value: f"grid of {value}",
    "point_pixels": lambda value: f"points of {value} pixels",
    "backbone_fingerprint": lambda value: f"weights {value[:6]}",
    "rounded_features": lambda value: "features from the cache" if value else "features never cached",
    "provenance.code": lambda value: f"code {value[:6]}",
    "training.earlier_code": lambda value: f"begun by code {', '.join(code[:6] for code in value)}",
    "training.provenance.code": lambda value: f"trained by code {value[:6]}",
    "training_dataset": lambda value: f"trained on {value}",
    "epoch": lambda value: f"epoch {value}",
    "differences": lambda value: "; ".join(value),
    "n_ctx": lambda value: f"{value} context tokens",
    "t_n_ctx": lambda value: f"{value} deep tokens",
    "training.learning_rate": lambda value: f"learning rate {value:g}",
    "training.batch_size": lambda value: f"batches of {value}",
    "training.epochs": lambda value: counted(value, "epoch"),
    "training.init_checkpoint": lambda value: f"started from {value}",
    "training.init_fingerprint": lambda value: f"started from prompts {value[:6]}",
}

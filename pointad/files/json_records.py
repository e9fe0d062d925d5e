"""Dataclasses from JSON objects, with every value checked against its type."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

OTHERS = "others"


def record_from_json(kind: type[Record], content: Mapping[str, Any]) -> Record:
    """A dataclass from a JSON object; fields that are missing take their defaults.

    Args:
        kind: a dataclass whose fields are numbers, strings, lists and dictionaries of them, other such dataclasses, or
            None. Unknown keys go into its field ``others``, if it has one.
        content: the JSON object.

    Raises:
        ValueError: a value has the wrong type; the message names the key.
    """
    hints = get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind)} - {OTHERS}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name in names:
            values[name] = _converted(value, hints[name], name)
    if OTHERS in hints:
        values[OTHERS] = {name: value for name, value in content.items() if name not in names}
    return kind(**values)


def record_to_json(record: Any) -> dict[str, Any]:
    """The JSON object of such a dataclass, with the entries of ``others`` beside its fields."""
    content = {
        field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record) if field.name != OTHERS
    }
    return {**content, **getattr(record, OTHERS, {})}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return record_to_json(value)
    return list(value) if isinstance(value, tuple) else value


def _converted(value: Any, hint: Any, name: str) -> Any:
    """The value as the type hint requires it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        (hint,) = (each for each in arguments if each is not type(None))
        return _converted(value, hint, name)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return record_from_json(hint, value)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        return tuple(_converted(each, arguments[0], name) for each in value)
    if origin is dict and isinstance(value, dict):
        return {key: _converted(each, arguments[1], f"{name}.{key}") for key, each in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if hint is Any or type(value) is hint:
        return value
    raise ValueError(f"{name} is {value!r:.60}, expected {_spoken(hint)}")


def _spoken(hint: Any) -> str:
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(hint, "a list" if get_origin(hint) is tuple else "an object")

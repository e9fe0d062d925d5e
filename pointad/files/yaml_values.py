"""Single values of YAML files, as text: nothing is constructed, so neither references nor huge numbers expand."""

from pathlib import Path

import yaml

from pointad.errors import InputError
from pointad.files.regular import read_bytes, regular_file_size

_MOST_BYTES = 100_000  # parsing takes seconds and 200 times the memory; those of data sets have hundreds


def yaml_value(path: Path, *keys: str, remedy: str) -> str | None:
    """The text of the scalar under nested keys; None if a key is missing.

    Args:
        path: the file.
        keys: from the outermost to the innermost.
        remedy: for errors.

    Raises:
        InputError: the file is missing, too large or no YAML, is not a mapping, has a key twice, or the value is no
            scalar.
    """
    size = regular_file_size(path)
    if size > _MOST_BYTES:
        raise InputError(path, f"has {size} bytes, too many for a few values (at most {_MOST_BYTES})", remedy)
    try:
        node = yaml.compose(read_bytes(path).decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(path, f"is not readable YAML ({error})", remedy) from error
    if not isinstance(node, yaml.MappingNode):
        raise InputError(path, "holds no keys", remedy)
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            return None
        found = [value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key]
        if len(found) > 1:
            raise InputError(path, f"has the key {key} twice", remedy)
        if not found:
            return None
        node = found[0]
    if not isinstance(node, yaml.ScalarNode):
        raise InputError(path, f"has no single value under {keys[-1]}", remedy)
    return str(node.value)

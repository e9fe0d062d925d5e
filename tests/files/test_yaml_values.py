"""Values of YAML files: references are not expanded, and what is no single value is refused."""

from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.files.yaml_values import yaml_value

LEVELS = 12
REFERENCES = "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, LEVELS))])


def value(folder: Path, text: str, *keys: str) -> str | None:
    path = folder / "values.yaml"
    path.write_text(text)
    return yaml_value(path, *keys, remedy="replace it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anomalous: 1", "1"),
        ("\ufeffanomalous: true\n", "true"),
        ("other: 1", None),
        ("anomalous: " + ":".join(["1"] * 5000), ":".join(["1"] * 5000)),
        (f"{REFERENCES}\nanomalous: 0", "0"),
    ],
)
def test_values_are_text(tmp_path: Path, text: str, expected: str | None) -> None:
    assert value(tmp_path, text, "anomalous") == expected


def test_nested_values(tmp_path: Path) -> None:
    text = "normalization:\n  max: 2.5\n  min: &low 1e-3\n"
    assert value(tmp_path, text, "normalization", "min") == "1e-3"
    assert value(tmp_path, text, "normalization", "middle") is None
    assert value(tmp_path, text, "normalization", "max", "deeper") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{REFERENCES}\nanomalous: *a{LEVELS - 1}", "no single value under anomalous"),
        ("anomalous: &a [*a]", "no single value under anomalous"),
        ("anomalous: 1\nanomalous: 0", "the key anomalous twice"),
        ("- 1", "holds no keys"),
        ("", "holds no keys"),
        ("a: [", "is not readable YAML"),
        ("[" * 5000, "is not readable YAML"),
        ("a: 1\n---\na: 2\n", "is not readable YAML"),
        ("anomalous: 1\na: [" + "1," * 50_000 + "1]", r"too many for a few values \(at most 100000\)"),
    ],
)
def test_what_is_no_value_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        value(tmp_path, text, "anomalous")

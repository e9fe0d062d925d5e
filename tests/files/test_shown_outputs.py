"""What files hold is as harmless as what is printed: in spreadsheets and on terminals."""

import json

import pytest

from pointad.files.escaping import for_csv, for_json_file, from_csv

NAMES = ('"=1+1', 'a;"=1+1', '""\'"@x', "a; \"' -x", "'\"=1")
PLAIN = ('"quoted"', 'a "b" c', 'x="1"', '"', 'a;"b"')


@pytest.mark.parametrize("name", NAMES)
def test_quotation_marks_hide_no_formula(name: str) -> None:
    """A spreadsheet that separates at semicolons takes `;""=1` for the beginning of a cell."""
    assert for_csv(name) != name and from_csv(for_csv(name)) == name
    for part in for_csv(name).split(";"):
        assert part.lstrip(" \"'")[:1] not in "=+-@" or part.startswith("'")


@pytest.mark.parametrize("name", PLAIN)
def test_other_quotation_marks_stay(name: str) -> None:
    assert for_csv(name) == name == from_csv(name)


def test_files_of_json_hold_nothing_that_a_terminal_obeys() -> None:
    facts = {"file": "a\x9b2J\x7f\u202e\x1b[2J\udce9\U000e0001 schön 点\n", "more": [1.5, None, {"\x85": "\\"}]}
    text = for_json_file(facts)
    assert json.loads(text) == facts
    assert all(line.isprintable() for line in text[:-1].split("\n")) and text.endswith("}\n")
    assert "schön 点" in text
    with pytest.raises(ValueError, match="Out of range"):
        for_json_file({"score": float("nan")})

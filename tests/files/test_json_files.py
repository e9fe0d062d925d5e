"""JSON of strangers: what a lenient reader would lose without a word is refused in one line."""

from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.files.json_files import read_json


@pytest.mark.parametrize("content", ['{"a": [1], "a": [2]}', '{"b": {"a": 1, "c": 2, "\\u0061": 1}}'])
def test_a_key_that_is_repeated_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(content)
    with pytest.raises(InputError, match=r"list\.json: is not readable JSON \(the key 'a' is repeated in an object\)"):
        read_json(tmp_path / "list.json", "write it again")


def test_the_same_key_in_several_objects(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('[{"a": 1}, {"a": {"a": 2}}]')
    assert read_json(tmp_path / "list.json", "write it again") == [{"a": 1}, {"a": {"a": 2}}]

"""Labels that every row of a table repeats are short."""

import pytest
from robustness.invocation import invoke


@pytest.mark.parametrize("flag", ["--name", "--data_name"])
def test_long_labels_are_refused(flag: str) -> None:
    ending = invoke("test.py", flag, "x" * 401)
    assert ending.code == 2 and f"argument {flag}: it has 401 characters, 400 at most are expected" in ending.err

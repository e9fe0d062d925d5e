"""Weights, tokenizers, prompts, references, caches, metadata, results: the stored corpus, and a minute of new content.

A longer run: ``python tools/fuzz_formats.py --seconds 43200``.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands.programs import ROOT

from tools.fuzz_formats import CORPUS, NAMES
from tools.fuzzing.formats import Format, formats
from tools.fuzzing.guided import MEMORY_GROWTH, file_of
from tools.fuzzing.verdict import problem_of

CONTENTS = [path for name in NAMES for path in sorted((CORPUS / name).iterdir())]


@pytest.fixture(scope="module")
def known() -> dict[str, Format]:
    return formats()


def test_every_format_has_a_corpus(known: dict[str, Format]) -> None:
    assert set(known) == set(NAMES) and sum(path.stat().st_size for path in CONTENTS) < 200_000


@pytest.mark.parametrize("content", CONTENTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_corpus(content: Path, known: dict[str, Format], tmp_path: Path) -> None:
    form = known[content.parent.name]
    path = file_of(form, content.read_bytes(), tmp_path / "file")
    assert problem_of(lambda: form.read(path), form.permitted, MEMORY_GROWTH) is None


@pytest.mark.parametrize("name", NAMES)
def test_some_of_it_is_read(name: str, known: dict[str, Format], tmp_path: Path) -> None:
    """Seeds that a change of the format has made invalid would test nothing but the first check."""
    if name in ("tokenizers", "sentencepiece"):  # which read SigLIP's tokenizers
        pytest.importorskip(name, reason="requirements-siglip.txt is not installed")
    form = known[name]
    refused = []
    for content in sorted((CORPUS / name).iterdir()):
        try:
            form.read(file_of(form, content.read_bytes(), tmp_path / "file"))
            return
        except Exception as error:
            refused.append(f"{content.name}: {error}")
    raise AssertionError(refused)


@pytest.mark.slow  # what it finds by chance is no fault of the change that is tested
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed (pip install atheris)"
)
def test_a_minute_of_new_content(tmp_path: Path) -> None:
    """In a process of its own, as the library must be imported anew to be watched."""
    command = [sys.executable, str(ROOT / "tools/fuzz_formats.py"), "--seconds", "60", "--save_path", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and "0 findings" in done.stdout, done.stdout + done.stderr
    executions = [int(line.split()[1]) for line in done.stdout.splitlines() if " files in " in line]
    assert len(executions) == len(NAMES) and min(executions) > 0, done.stdout

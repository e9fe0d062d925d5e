"""The folders that a report is written into belong to it until it has written everything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pointad.commands import report_run
from pointad.commands.report_run import report
from pointad.errors import InputError
from pointad.files.locks import own_folder
from pointad.report.runs import Run


@pytest.mark.parametrize("names", [("both", "both"), ("tables", "pages")])
def test_no_other_run_comes_between_tables_and_pages(
    names: tuple[str, str], make_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run's pages would be left beside these tables, and both runs would have ended well."""
    tables, pages = (tmp_path / name for name in names)
    steps = []

    def noting(step: str) -> Callable[..., None]:
        def note(*_: object, **__: object) -> None:
            steps.append(step)
            for owned in {tables, pages}:
                with pytest.raises(InputError, match="in use by another run"), own_folder(owned):
                    pass

        return note

    run = make_run()
    monkeypatch.setattr(report_run, "write_tables", noting("tables"))
    monkeypatch.setattr(report_run, "write_pages", noting("pages"))
    report([run.folder], ["point"], tables_folder=tables, pages_folder=pages, csv_path=tmp_path / "tidy.csv")
    assert steps == ["tables", "pages"] and (tmp_path / "tidy.csv").is_file()
    assert not list(tmp_path.rglob(".lock"))
    (tmp_path / "tidy.csv").unlink()
    with own_folder(pages), pytest.raises(InputError, match="in use by another run"):
        report([run.folder], ["point"], tables_folder=tables, pages_folder=pages, csv_path=tmp_path / "tidy.csv")
    assert not (tmp_path / "tidy.csv").exists()  # what is refused leaves nothing

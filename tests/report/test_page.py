"""Pages: what they hold, that they need nothing else, and that headless Chromium shows them without an error."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from headless_chromium import HeadlessChromium, browser_path
from toy_runs import TOYS

from pointad.evaluation.results import Results
from pointad.report.old_pages import FOOTER
from pointad.report.page import run_page, write_pages
from pointad.report.runs import Run

SECTIONS = ["results", "curves", "scores", "training", "samples", "clouds"]
NO_END_TAG = {"meta", "link", "img", "input", "br"}


class Outline(HTMLParser):
    """Collects what the tests ask about, and insists that tags close in the order in which they open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.sections: list[str] = []
        self.addresses: list[str] = []
        self.charts: list[str] = []
        self.cells: list[str] = []
        self.feed(page)
        assert not self.opened

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag not in NO_END_TAG:
            self.opened.append(tag)
        if tag == "section" and given.get("id"):
            self.sections.append(str(given["id"]))
        if tag == "svg" and given.get("role") == "img":
            self.charts.append(str(given["aria-label"]))
        if tag == "img":
            assert given["alt"] and given["width"] and given["height"]
        self.addresses += [value for name, value in attributes if name in ("src", "href") and value]

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass  # only inside SVG

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.opened and self.opened[-1] in ("td", "th"):
            self.cells.append(data)


def test_full_page_has_every_section(full_run: Run) -> None:
    page = run_page(full_run)
    outline = Outline(page)
    assert outline.sections == SECTIONS
    assert "demo backbone" in page and "trained on kite" in page
    # Nine charts of curves, one of scores per class, three of losses: the fourth term was switched off.
    assert len(outline.charts) == 9 + 3 + 3
    assert {f"{100 * value:.1f}" for value in full_run.results.mean["fused"].values()} <= set(outline.cells)  # type: ignore[operator]


def test_page_needs_nothing_else(full_run: Run) -> None:
    page = run_page(full_run)
    assert all(address.startswith(("#", "data:")) for address in Outline(page).addresses)
    assert "@import" not in page and not re.search(r"url\((?!data:)", page)
    assert not re.search(r"https?://", page)


def test_names_are_escaped(full_run: Run) -> None:
    page = run_page(full_run)
    assert TOYS[2] not in page
    assert "train &lt;2&gt;" in page


def test_sections_of_missing_files_are_missing(make_run: Callable[..., Run]) -> None:
    run = make_run(is_demo=False)
    (run.folder / "curves.json").unlink()
    page = run_page(run)
    assert Outline(page).sections == ["results", "scores"]
    assert "stand-in" not in page


def test_page_of_a_run_that_knows_nothing(run_of: Callable[..., Run]) -> None:
    run = run_of(0.5, "nowhere")
    run = replace(run, results=Results(run.results.classes))
    assert Outline(run_page(run)).sections == ["results"]


def test_index_links_to_every_page(make_run: Callable[..., Run], tmp_path: Path) -> None:
    runs = [make_run(), make_run(seed=2), make_run(prompts="ensemble", training_class=None, protocol=None)]
    index = write_pages(runs, tmp_path / "html")
    outline = Outline(index.read_text(encoding="utf-8"))
    pages = [address for address in outline.addresses if address.endswith(".html")]
    assert len(set(pages)) == 3
    assert {path.name for path in (tmp_path / "html").iterdir()} == {"index.html", *pages}
    assert any(cell.startswith("CLIP + R. [") for cell in outline.cells)  # marked: no class is left out


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")
def test_browser_shows_pages_without_errors(full_run: Run, tmp_path: Path) -> None:
    index = write_pages([full_run], tmp_path / "html")
    (page,) = (path for path in index.parent.iterdir() if path != index)
    with HeadlessChromium() as browser:
        browser.open(index)
        assert browser.evaluate("document.querySelectorAll('tbody tr').length") == 2
        browser.open(page)
        assert browser.evaluate("document.querySelectorAll('svg.chart').length") == 15
        assert browser.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 300)")
        assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        browser.evaluate("document.querySelector('.pointad-cloud').scrollIntoView({ behavior: 'instant' })")
        browser.wait_for("document.querySelector('.pointad-cloud').dataset.drawn === 'true'")
        assert browser.log == []


def test_groups_of_defects_have_tables_of_their_own(make_run: Callable[..., Run], tmp_path: Path) -> None:
    run = make_run()
    groups = {"hard <b>": {"a": {"point": {"image_auroc": 0.375}}}}
    index = write_pages([replace(run, results=replace(run.results, groups=groups))], tmp_path / "html")
    (page,) = (path for path in index.parent.iterdir() if path != index)
    text = page.read_text(encoding="utf-8")
    assert "Results, hard &lt;b&gt; only" in text and ">37.5<" in text
    assert "<b>" not in text


def test_pages_of_an_earlier_report_are_removed(make_run: Callable[..., Run], tmp_path: Path) -> None:
    folder = tmp_path / "html"
    runs = [make_run(seed=seed) for seed in (1, 2)]
    write_pages(runs, folder)
    first, second = sorted(path for path in folder.iterdir() if path.name != "index.html")
    for name in ("mine.html", "notes.txt"):
        (folder / name).write_text("mine")
    write_pages(runs[:1], folder)
    left = sorted(path.name for path in folder.iterdir())
    assert len(left) == 4 and {"index.html", "mine.html", "notes.txt"} < set(left)
    assert {first.name, second.name} - set(left), "of the two pages, one stays"


def test_pages_that_are_not_ours_stay(make_run: Callable[..., Run], tmp_path: Path) -> None:
    folder, outside = tmp_path / "html", tmp_path / "outside.html"
    folder.mkdir()
    names = ("mine.html", "../outside.html")
    (folder / "index.html").write_text("".join(f'<li><a href="{name}">' for name in names) + FOOTER)
    (folder / "mine.html").write_text("mine")
    outside.write_text(FOOTER)
    write_pages([make_run()], folder)
    assert (folder / "mine.html").read_text() == "mine" and outside.is_file()

"""Cloud pages: what is stored in them, and how they behave in a browser, with and without WebGL."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from headless_chromium import HeadlessChromium, browser_path

from pointad.errors import InputError
from pointad.visualization.cloud_viewer import cloud_assets, cloud_fragment, html_page

needs_browser = pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")


def cloud_page(*arrays: np.ndarray, title: str = "Point cloud", **options: Any) -> str:
    """A whole page with one cloud."""
    return html_page(title, cloud_fragment(*arrays, title=title, **options))


def stored_cloud(page: str) -> dict:
    """The JSON of the first cloud in a page."""
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def decoded(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_positions_are_stored_to_within_a_step_of_16_bits() -> None:
    points = np.random.default_rng(0).normal(size=(500, 3)) * [30, 5, 1] + [1000, -400, 7]
    stored = stored_cloud(cloud_page(points))
    unit = decoded(stored["positions"], "<u2").reshape(-1, 3) / 65535 * 2 - 1
    half_side = np.ptp(points, axis=0).max() / 2
    restored = unit * half_side + (points.min(axis=0) + points.max(axis=0)) / 2
    np.testing.assert_allclose(restored, points, atol=half_side / 65535 * 1.01)


def test_scores_are_stored_over_the_stated_range() -> None:
    stored = stored_cloud(cloud_page(np.eye(3), scores=np.array([0.2, 0.3, 0.6])))
    assert stored["scoreRange"] == pytest.approx([0.2, 0.6])
    np.testing.assert_array_equal(decoded(stored["scores"], "u1"), [0, 64, 255])
    clipped = stored_cloud(cloud_page(np.eye(3), scores=np.array([0.2, 0.3, 0.6]), heat_range=(0.3, 0.5)))
    np.testing.assert_array_equal(decoded(clipped["scores"], "u1"), [0, 0, 255])


def test_large_clouds_are_thinned_and_the_page_says_so() -> None:
    points = np.random.default_rng(0).random((400_000, 3))
    page = cloud_page(points, scores=points[:, 0], colors=np.zeros((400_000, 3), np.uint8))
    assert len(page) < 5_000_000
    assert "150,000 of 400,000 points" in page
    stored = stored_cloud(page)
    x = decoded(stored["positions"], "<u2").reshape(-1, 3)[:, 0] / 65535
    np.testing.assert_allclose(decoded(stored["scores"], "u1") / 255, x, atol=0.003)


def test_points_that_are_not_finite_are_left_out_with_their_scores() -> None:
    points = np.array([[0, 0, 0], [np.nan, 0, 0], [1, 1, 1], [2, np.inf, 0]])
    stored = stored_cloud(cloud_page(points, scores=np.array([0.0, 5.0, 1.0, 9.0])))
    assert stored["count"] == 2 and stored["scoreRange"] == [0, 1]


def test_page_asks_no_server_and_escapes_names() -> None:
    name = "</script><img src=x onerror=alert(1)>"
    page = cloud_page(np.eye(3), np.arange(3.0), title=name, marks=[((0, 0, 0), name)])
    assert name not in page and "<img" not in page
    assert not re.search(r"https?://|@import|url\(|<link|src=[\"']", page)


@pytest.mark.parametrize(
    "arguments", [(np.zeros((4, 2)),), (np.zeros((0, 3)),), (np.eye(3), np.zeros(2)), (np.full((2, 3), np.nan),)]
)
def test_arrays_that_do_not_fit_are_refused(arguments: tuple) -> None:
    with pytest.raises(InputError):
        cloud_page(*arguments)


@pytest.fixture(scope="module", params=["webgl", "canvas"])
def browser(request: pytest.FixtureRequest) -> Iterator[HeadlessChromium]:
    with HeadlessChromium(webgl=request.param == "webgl") as running:
        yield running


def front_and_back() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A small anomalous patch before a large normal plate, as a depth camera sees them (z away from the camera)."""
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 150), np.linspace(-1, 1, 150)), axis=-1).reshape(-1, 2)
    plate = np.column_stack([grid, np.full(len(grid), 3.0)])
    patch = np.column_stack([grid * 0.2, np.full(len(grid), 2.0)])
    points = np.concatenate([plate, patch])
    scores = np.repeat([0.1, 0.9], len(grid))
    colors = np.repeat(np.array([[0, 160, 0], [160, 0, 160]], dtype=np.uint8), len(grid), axis=0)
    return points, scores, colors


PIXELS = """(async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const canvas = document.querySelectorAll('canvas')[NUMBER];
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let [count, columns, rows] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue, alpha] = data.subarray(i, i + 4);
    if (alpha > 0 && CONDITION) {
      count++;
      columns += (i / 4) % canvas.width;
      rows += Math.floor(i / 4 / canvas.width);
    }
  }
  return [count, columns / count / canvas.width, rows / count / canvas.height];
})()"""
ANYTHING, RED, BLUE, GREEN, PURPLE = (
    "true",
    "red > 100 && green < 60 && blue < 60",
    "blue > 100 && red < 110",
    "green > 80 && red < 40 && blue < 40",
    "red > 80 && blue > 80 && green < 40",
)


def pixels(browser: HeadlessChromium, condition: str, number: int = 0) -> list:
    """How many drawn pixels hold a condition, and their mean column and row as fractions of the canvas."""
    found = browser.evaluate(PIXELS.replace("NUMBER", str(number)).replace("CONDITION", condition))
    assert isinstance(found, list)
    return found


@pytest.mark.browser
@needs_browser
def test_cloud_turns_zooms_and_changes_its_colours(browser: HeadlessChromium, tmp_path: Path) -> None:
    page = tmp_path / "cloud.html"
    page.write_text(cloud_page(*front_and_back(), title="two plates"))
    browser.open(page)
    browser.wait_for("document.querySelector('figure').dataset.drawn === 'true'")
    painter = browser.evaluate("document.querySelector('figure').dataset.painter")
    assert painter == ("webgl" if browser._webgl else "canvas")

    red_count, red_column, red_row = pixels(browser, RED)
    assert red_count > 500 and red_column == pytest.approx(0.5, abs=0.01) and red_row == pytest.approx(0.5, abs=0.01)
    assert pixels(browser, BLUE)[0] > 5 * red_count, "the plate lies behind the patch"

    box = browser.evaluate("(({x, y, width, height}) => [x, y, width, height])"
                           "(document.querySelector('canvas').getBoundingClientRect())")  # fmt: skip
    assert isinstance(box, list)
    middle = (box[0] + box[2] / 2, box[1] + box[3] / 2)
    browser.drag(middle, (middle[0] + 60, middle[1]))
    assert pixels(browser, RED)[1] > red_column + 0.02, "what is in front follows the pointer to the right"
    browser.drag(middle, (middle[0], middle[1] + 60))
    assert pixels(browser, RED)[2] > red_row + 0.02, "and down"
    browser.press("0")
    assert pixels(browser, RED)[1:] == pytest.approx([red_column, red_row], abs=0.003)
    browser.press("ArrowLeft", times=3)
    assert pixels(browser, RED)[1] < red_column - 0.02
    browser.press("0")
    browser.press("+", times=3)
    assert pixels(browser, RED)[0] > 1.3 * red_count

    browser.evaluate("document.querySelector('[data-action=colour]').click()")
    assert pixels(browser, RED)[0] == 0
    assert pixels(browser, GREEN)[0] > 100 and pixels(browser, PURPLE)[0] > 100
    browser.evaluate("document.querySelector('[data-action=anomaly]').click()")
    browser.evaluate("(() => { const slider = document.querySelector('input'); slider.value = 128;"
                     " slider.dispatchEvent(new Event('input')); })()")  # fmt: skip
    assert pixels(browser, RED)[0] > 500 and pixels(browser, BLUE)[0] == 0
    assert browser.evaluate("document.querySelector('output').textContent") == "0.502"
    assert browser.log == []


@pytest.mark.browser
@needs_browser
def test_many_clouds_share_one_page(browser: HeadlessChromium, tmp_path: Path) -> None:
    """More clouds than a browser allows WebGL contexts; each is drawn when scrolled to and keeps its own view."""
    fragments = [
        cloud_fragment(*front_and_back()[:2], title=f"cloud {number}", most_points=5000) for number in range(20)
    ]
    page = tmp_path / "clouds.html"
    page.write_text(html_page("many", cloud_assets() + "\n".join(fragments)))
    browser.open(page)
    browser.wait_for("document.querySelector('figure').dataset.drawn === 'true'")
    assert browser.evaluate("document.querySelectorAll('figure')[19].dataset.drawn") is None
    before = pixels(browser, ANYTHING)
    browser.evaluate("document.querySelectorAll('canvas')[19].scrollIntoView()")
    browser.wait_for("document.querySelectorAll('figure')[19].dataset.drawn === 'true'")
    assert pixels(browser, ANYTHING, 19) == pytest.approx(before, rel=0.01)
    browser.evaluate("document.querySelectorAll('canvas')[19].focus()")
    browser.press("ArrowRight", times=12)
    assert pixels(browser, ANYTHING, 19)[0] < 0.9 * before[0]
    assert pixels(browser, ANYTHING) == before
    assert browser.log == []


@pytest.mark.browser
@needs_browser
def test_marks_behind_the_cloud_are_pale(browser: HeadlessChromium, tmp_path: Path) -> None:
    sphere = np.random.default_rng(0).normal(size=(30_000, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    marks = [((0, 0, 1), "1"), ((0, 0, -1), "2"), ((0.7, 0, 0.7), "3")]
    page = tmp_path / "cloud.html"
    page.write_text(cloud_page(sphere, np.zeros(len(sphere)), marks=marks, rotation=np.eye(3)))
    browser.open(page)
    browser.wait_for("document.querySelector('figure').dataset.drawn === 'true'")
    assert browser.evaluate("document.querySelector('figure').dataset.hiddenMarks") == "2"
    browser.evaluate("document.querySelector('canvas').focus()")
    browser.press("ArrowRight", times=31)  # half a turn
    browser.wait_for("document.querySelector('figure').dataset.hiddenMarks === '1 3'")  # in the next frame
    assert browser.log == []

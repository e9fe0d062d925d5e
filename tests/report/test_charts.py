"""Charts as SVG: places, ticks and texts."""

import xml.etree.ElementTree as ElementTree

import pytest

from pointad.report.charts import HEIGHT, WIDTH, Axes, Line, histogram, line_chart, ticks


def parts(svg: str, tag: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(f".//{tag}")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 0.3, [0, 0.1, 0.2, 0.3]),
        (-4, 4, [-4, -2, 0, 2, 4]),
        (0.61, 0.64, [0.61, 0.62, 0.63, 0.64]),
        (0, 15, [0, 5, 10, 15]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_line_ends_where_its_values_say() -> None:
    axes = Axes("time", "height", (0, 10), (0, 2))
    (line,) = parts(line_chart("growth", [Line("a & b", [0, 10], [0, 2])], axes), "polyline")
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert 0 < x0 < x1 < WIDTH
    assert 0 < y1 < y0 < HEIGHT
    _, (x, y) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    half = parts(line_chart("growth", [Line("", [5, 5], [1, 1])], axes), "polyline")[0].attrib["points"].split()[0]
    assert list(map(float, half.split(","))) == pytest.approx([(x0 + x) / 2, (y0 + y) / 2], abs=0.06)


def test_chart_describes_itself_and_escapes_names() -> None:
    svg = line_chart("<growth>", [Line('"a" & b', [0, 1], [0, 1])], Axes("x", "y"))
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert '"a" & b' in root.attrib["aria-label"]
    assert [title.text for title in parts(svg, "title")] == ['"a" & b']


def test_lines_of_one_colour_have_different_dashes() -> None:
    svg = line_chart("", [Line(str(style), [0, 1], [0, 1], style) for style in range(12)], Axes("x", "y"))
    looks = {(line.attrib["stroke"], line.attrib.get("stroke-dasharray")) for line in parts(svg, "polyline")}
    assert len(looks) == 12


def test_histogram_counts_both_ways() -> None:
    svg = histogram("scores", good=[0.0, 0.0, 1.0], anomalous=[1.0], bins=2)
    bars = parts(svg, "rect")
    heights = [float(bar.attrib["height"]) for bar in bars]
    tops = [float(bar.attrib["y"]) for bar in bars]
    assert heights == pytest.approx([2 * heights[1], heights[1], heights[1]], abs=0.2)
    assert tops[2] == pytest.approx(tops[1] + heights[1], abs=0.2)  # the anomalous bar hangs below
    assert parts(svg, "title")[0].text == "2 good, 0 to 0.5"
    counts = [text.text for text in parts(svg, "text") if text.attrib.get("text-anchor") == "end"]
    assert counts == ["2", "1", "0", "1", "2"]


@pytest.mark.parametrize(("good", "anomalous"), [([], []), ([0.5], []), ([0.5, 0.5], [0.5])])
def test_histogram_of_nearly_nothing(good: list[float], anomalous: list[float]) -> None:
    svg = histogram("scores", good, anomalous)
    assert "nan" not in svg
    assert len(parts(svg, "rect")) == bool(good) + bool(anomalous)


def test_flat_loss_does_not_divide_by_zero() -> None:
    svg = line_chart("flat", [Line("a", [0, 0], [0, 0])], Axes("x", "y", (0, 0), (0, 0)))
    assert "nan" not in svg and "inf" not in svg

"""Small charts as inline SVG: lines and histograms, readable without colour vision, a mouse or a script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pointad.files.escaping import for_html

WIDTH, HEIGHT = 340, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 30, 40  # margins around the plotting area, in SVG units

LINE_COLORS = (
    "#1f77b4", "#d95f02", "#1b9e77", "#7570b3", "#c2186a", "#5a8f1b", "#8c564b", "#555555", "#b2182b", "#00829b",
)  # fmt: skip
LINE_DASHES = ("", "6 3", "2 3")  # a new dash pattern each time the colours are used up
GOOD_COLOR, ANOMALOUS_COLOR = "#4a7fb5", "#d1495b"


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0  # index of colour and dash, the same wherever the same item is drawn
    is_faint: bool = False


@dataclass(frozen=True)
class Axes:
    """The titles and ranges of a chart's axes; a range of zero width is widened."""

    x_title: str
    y_title: str
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)
    y_is_count: bool = False  # whole numbers, upwards and downwards


def line_chart(title: str, lines: Sequence[Line], axes: Axes) -> str:
    """Draw lines through given points.

    Args:
        title: above the chart.
        lines: in drawing order; hovering shows a line's name.
        axes: titles and ranges.

    Returns:
        one `<svg>` element.
    """
    scale = _Scale(axes)
    drawn = []
    for line in lines:
        points = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in zip(line.x, line.y, strict=True))
        drawn.append(
            f'<g class="line{" faint" if line.is_faint else ""}"><title>{for_html(line.name)}</title>'
            f'<polyline points="{points}" stroke="{line_color(line.style)}"{_dash(line.style)}/></g>'
        )
    names = ", ".join(line.name for line in lines if not line.is_faint)
    return _svg(title, f"{title}: {axes.y_title} over {axes.x_title}; {names}", scale, drawn)


def histogram(title: str, good: Sequence[float], anomalous: Sequence[float], bins: int = 24) -> str:
    """Draw histograms of the scores: good samples upwards, anomalous samples downwards from the same line.

    Args:
        title: above the chart.
        good: scores of good samples.
        anomalous: scores of anomalous samples.
        bins: the number of bins.

    Returns:
        one `<svg>` element.
    """
    everything = [*good, *anomalous]
    low, high = (min(everything), max(everything)) if everything else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1e-6, bins + 1)
    counts = [np.histogram(values, edges)[0] for values in (good, anomalous)]
    most = max(1, *(int(np.max(count)) for count in counts))
    scale = _Scale(Axes("score", "samples", (float(edges[0]), float(edges[-1])), (-most, most), y_is_count=True))
    bars = []
    for count, color, sign, name in zip(
        counts, (GOOD_COLOR, ANOMALOUS_COLOR), (1, -1), ("good", "anomalous"), strict=True
    ):
        for left, right, height in zip(edges[:-1], edges[1:], count, strict=True):
            if height:
                top, bottom = sorted((scale.y(sign * int(height)), scale.y(0)))
                bars.append(
                    f'<rect x="{scale.x(left) + 0.5:.1f}" width="{scale.x(right) - scale.x(left) - 1:.1f}" '
                    f'y="{top:.1f}" height="{bottom - top:.1f}" fill="{color}">'
                    f"<title>{height} {name}, {left:.3g} to {right:.3g}</title></rect>"
                )
    description = f"{title}: scores of {len(good)} good samples above the line, of {len(anomalous)} anomalous below"
    return _svg(title, description, scale, bars)


def line_color(style: int) -> str:
    """The colour of a style, dark enough for white paper."""
    return LINE_COLORS[style % len(LINE_COLORS)]


def legend_swatch(style: int) -> str:
    """A short line segment, for a legend."""
    return (
        f'<svg class="swatch" viewBox="0 0 28 8" aria-hidden="true"><line x1="0" x2="28" y1="4" y2="4" '
        f'stroke="{line_color(style)}"{_dash(style)}/></svg>'
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends, at steps of 1, 2 or 5 times a power of ten; `low` is less than `high`."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if (high - low) / (factor * power) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


class _Scale:
    """Maps values to positions in the chart."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        (self._x0, x1), (self._y0, y1) = axes.x_range, axes.y_range
        self._x_unit = (WIDTH - _LEFT - _RIGHT) / ((x1 - self._x0) or 1.0)
        self._y_unit = (HEIGHT - _TOP - _BOTTOM) / ((y1 - self._y0) or 1.0)

    def x(self, value: float) -> float:
        return _LEFT + (float(value) - self._x0) * self._x_unit

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (float(value) - self._y0) * self._y_unit

    def grid(self) -> list[str]:
        """Grid lines with numbers at round values, and the axes' titles."""
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        parts = []
        for value in ticks(*_widened(self.axes.x_range)):
            x = f"{self.x(value):.1f}"
            parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}"/>')
            parts.append(f'<text class="tick" x="{x}" y="{bottom + 14}" text-anchor="middle">{value:.4g}</text>')
        for value in ticks(*_widened(self.axes.y_range)):
            if self.axes.y_is_count and value != round(value):
                continue
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            text = f"{abs(value) if self.axes.y_is_count else value:.4g}"
            parts.append(f'<text class="tick" x="{_LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{text}</text>')
        middle_x, middle_y = (_LEFT + right) / 2, (_TOP + bottom) / 2
        parts.append(
            f'<text class="axis" x="{middle_x}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{for_html(self.axes.x_title)}</text>"
        )
        parts.append(
            f'<text class="axis" x="12" y="{middle_y}" text-anchor="middle" transform="rotate(-90 12 {middle_y})">'
            f"{for_html(self.axes.y_title)}</text>"
        )
        return parts


def _widened(ends: tuple[float, float]) -> tuple[float, float]:
    return ends if ends[1] > ends[0] else (ends[0], ends[0] + 1.0)


def _dash(style: int) -> str:
    dash = LINE_DASHES[style // len(LINE_COLORS) % len(LINE_DASHES)]
    return f' stroke-dasharray="{dash}"' if dash else ""


def _svg(title: str, description: str, scale: _Scale, drawn: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{for_html(description)}">'
        f'<text class="title" x="{_LEFT}" y="18">{for_html(title)}</text>'
        f"{''.join(scale.grid())}{''.join(drawn)}</svg>"
    )

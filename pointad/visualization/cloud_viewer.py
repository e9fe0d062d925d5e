"""HTML with interactive point clouds: rotate, pan and zoom in any browser, coloured by anomaly or original colour.

Pages are self-contained and need no server. They render with WebGL 2, or on a plain canvas if that is unavailable.
Positions are stored in 16 bits per axis, scores in 8 bits within the stated range of the colour scale.
"""

import base64
import importlib.resources
from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from pointad.errors import InputError
from pointad.files.escaping import for_html, for_script
from pointad.visualization.arrays import as_finite, as_picture, require_shape
from pointad.visualization.heat import heat_colors

MOST_POINTS = 150_000  # about 2 MB of HTML with scores and colours
SPACING_SAMPLE = 2_000  # points whose neighbours determine the drawn point size
POINT_WIDTH = 2.0  # drawn width of a point, in distances to its 6th nearest neighbour: closes irregular surfaces
LEGEND_STOPS = 13
SCRIPTS = ("canvas_painter.js", "webgl_painter.js", "cloud_viewer.js")
SCAN_ROTATION = np.diag([1.0, -1.0, -1.0])  # depth cameras look along +z with y downwards


def html_page(title: str, body: str) -> str:
    """A complete HTML document: `body` (HTML) with the viewer for its point clouds."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{for_html(title)}</title>\n{cloud_assets()}\n"
        "<style>body { margin: 1rem auto; padding: 0 1rem; max-width: 64rem; background: #fff; }</style>\n"
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def cloud_assets() -> str:
    """The style sheet and script that a page needs once, however many cloud fragments it holds."""
    script = "\n".join(asset(name) for name in SCRIPTS)
    return (
        f"<style>\n{asset('cloud_viewer.css')}</style>\n"
        f"<script>\nif (!window.startPointADClouds) (() => {{\n'use strict';\n{script}}})();\n</script>"
    )


def asset(name: str) -> str:
    """The text of a file shipped in the assets folder."""
    return (importlib.resources.files("pointad.visualization") / "assets" / name).read_text(encoding="utf-8")


def cloud_fragment(
    points: np.ndarray,
    scores: np.ndarray | None = None,
    colors: np.ndarray | None = None,
    title: str = "Point cloud",
    *,
    heat_range: tuple[float, float] | None = None,
    marks: Sequence[tuple[Sequence[float], str]] = (),
    rotation: np.ndarray | None = None,
    most_points: int = MOST_POINTS,
    seed: int = 0,
) -> str:
    """A `<figure>` with one cloud, for pages that hold `cloud_assets()` once.

    Args:
        points: (N, 3), any unit; non-finite rows are ignored.
        scores: (N,) anomaly score of every point; None: only colours are shown.
        colors: (N, 3) uint8 RGB.
        title: the caption.
        heat_range: values at the two ends of the colour scale; None uses the lowest and highest score.
        marks: positions with short labels that are circled in the view, pale where the cloud hides them.
        rotation: initial rotation (3, 3) from the cloud's axes to the screen's (x right, y up, z towards the viewer);
            None shows the cloud as a depth camera sees it (z away from the viewer, y down).
        most_points: larger clouds are subsampled at random to this many points, which the hint below the view states.
        seed: for the subsampling.

    Raises:
        InputError: no finite point, array shapes that do not match, colours that are not uint8, or scores, ends of the
            scale, marks or a rotation that are not finite.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3:
        raise InputError("points", f"have the shape {points.shape}", "give an array of shape (N, 3)")
    if scores is not None:
        require_shape(as_finite(scores, "scores"), points.shape[:1], "scores")
    if colors is not None:
        require_shape(as_picture(colors, "colors"), points.shape, "colors")
    rotation = as_finite(SCAN_ROTATION if rotation is None else rotation, "rotation")
    require_shape(rotation, (3, 3), "rotation")
    for name, values in (("heat range", heat_range or ()), ("marks", [place for place, _ in marks])):
        as_finite(values, name)
    shown = np.flatnonzero(np.isfinite(points).all(axis=1))
    if shown.size == 0:
        raise InputError("points", "contain no finite point", "give a point cloud with at least one point")
    finite = shown.size
    if finite > most_points:
        shown = np.sort(np.random.default_rng(seed).choice(shown, most_points, replace=False))
    positions = points[shown].astype(np.float64)
    low, high = positions.min(axis=0), positions.max(axis=0)
    center, half_side = (low + high) / 2, max(float(np.max(high - low)) / 2, float(np.finfo(np.float64).tiny))
    unit = (positions - center) / half_side
    data = {
        "count": len(shown),
        "positions": _base64(np.rint((unit + 1) / 2 * 65535).astype("<u2")),
        "scores": None,
        "colors": None if colors is None else _base64(np.asarray(colors)[shown]),
        "scale": _base64(heat_colors(np.linspace(0, 1, 256))),
        "scoreRange": None,
        "pointSize": POINT_WIDTH * _spacing(unit),
        "radius": max(float(np.max(np.linalg.norm(unit, axis=1))), 1e-3),
        "rotation": rotation.astype(float).ravel().tolist(),
        "marks": [[*((np.asarray(place, dtype=float) - center) / half_side).tolist(), text] for place, text in marks],
    }
    if scores is not None:
        chosen = np.asarray(scores, dtype=np.float32)[shown]
        low_score, high_score = heat_range or (float(chosen.min()), float(chosen.max()))
        width = max(high_score - low_score, float(np.finfo(np.float32).tiny))
        steps = np.clip((chosen - low_score) / width, 0, 1) * 255
        data |= {"scores": _base64(np.rint(steps).astype(np.uint8)), "scoreRange": [low_score, high_score]}
    return _figure(title, data, finite)


def _figure(title: str, data: dict, finite: int) -> str:
    count = data["count"]
    thinned = f"{count:,} of {finite:,} points, chosen at random." if count < finite else f"{count:,} points."
    stored = for_script(data)
    return (
        f'<figure class="pointad-cloud">\n<figcaption>{for_html(title)}</figcaption>\n'
        f'<canvas tabindex="0" role="application" aria-label="{for_html(title)}: a point cloud. Arrow keys rotate it, '
        'plus and minus zoom, zero resets the view."></canvas>\n'
        f'<div class="controls">{_controls(data)}</div>\n'
        f'<p class="hint">{thinned} Drag to rotate, drag with Shift or two fingers to pan, '
        "wheel (after a click) or pinch to zoom; keys: arrows, +, -, 0.</p>\n"
        "<noscript>This view needs JavaScript.</noscript>\n"
        f'<script type="application/json">{stored}</script>\n</figure>'
    )


def _controls(data: dict) -> str:
    parts = []
    if data["scores"] is not None and data["colors"] is not None:
        parts.append(
            '<span role="group" aria-label="Colour the points by">'
            '<button type="button" data-action="anomaly" aria-pressed="true">Anomaly</button> '
            '<button type="button" data-action="colour" aria-pressed="false">Colour</button></span>'
        )
    if data["scores"] is not None:
        low, high = data["scoreRange"]
        stops = heat_colors(np.linspace(0, 1, LEGEND_STOPS)).tolist()
        gradient = ",".join(f"rgb({red},{green},{blue})" for red, green, blue in stops)
        parts.append(
            f'<span class="legend">{low:.3g} <i style="background:linear-gradient(90deg,{gradient})"></i> {high:.3g}'
            "</span>"
        )
        parts.append(
            f'<label>Grey below <input type="range" min="0" max="255" value="0"> <output>{low:.3g}</output></label>'
        )
    parts.append('<button type="button" data-action="reset">Reset view</button>')
    return " ".join(parts)


def _spacing(unit: np.ndarray) -> float:
    """Median distance to the 6th nearest other point, estimated from some of the points."""
    if len(unit) < 7:
        return 0.05
    some = unit[:: max(1, len(unit) // SPACING_SAMPLE)]
    distances, _ = cKDTree(unit, balanced_tree=False, compact_nodes=False).query(some, k=7)
    return float(np.clip(np.median(distances[:, 6]), 1e-4, 0.1))


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")

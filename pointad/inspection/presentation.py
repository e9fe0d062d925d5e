"""Visual output of a prediction: a sheet of images, and a page with the point cloud and its defect regions."""

from collections.abc import Sequence

import numpy as np

from pointad.evaluation.modalities import MODALITY_LABELS
from pointad.files.escaping import for_html
from pointad.inspection.prediction import Prediction
from pointad.inspection.scan_file import Inspection
from pointad.visualization.cloud_viewer import cloud_fragment, html_page
from pointad.visualization.sheets import sample_sheet, scores_in_views

TABLE_STYLE = (
    "<style>table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; font: 0.9rem system-ui, sans-serif }"
    " th, td { padding: 0.2rem 0.8rem; border-bottom: 1px solid #d6d9de; text-align: right }"
    " th:first-child, td:first-child { text-align: left } h1, h2, p { font-family: system-ui, sans-serif }"
    " h1 { font-size: 1.3rem; overflow-wrap: anywhere } h2 { font-size: 1.05rem }</style>"
)


def prediction_sheet(prediction: Prediction, title: str, heat_range: tuple[float, float] | None = None) -> np.ndarray:
    """The views with their maps and with the scores of the points, below the maps of the grid where there is one.

    Args:
        prediction: what was found.
        title: the first line.
        heat_range: values of the two ends of the colour scale; None takes the least and greatest value in the sheet.

    Returns:
        (height, width, 3) uint8.
    """
    scores = prediction.modality_scores
    points_in_views = scores_in_views(
        prediction.correspondences, prediction.rendered_scores, prediction.views.shape[-1]
    )
    return sample_sheet(
        title,
        rgb=prediction.color,
        maps={
            f"{MODALITY_LABELS[name]} {scores[name]:.3f}": grid_map for name, grid_map in prediction.grid_maps.items()
        },
        views=prediction.views,
        view_rows={"map of each view": prediction.maps, "scores of the points": points_in_views},
        view_labels=[
            f"{name}  {score:.3f}" for name, score in zip(prediction.view_names, prediction.view_scores, strict=True)
        ],
        heat_range=heat_range,
    )


def inspection_page(inspection: Inspection, verdict: str = "", heat_range: tuple[float, float] | None = None) -> str:
    """A self-contained HTML page: the interactive point cloud, its defect regions, the scores of the views.

    Args:
        inspection: what was found.
        verdict: a sentence behind the score, such as whether the scan passed.
        heat_range: values of the two ends of the colour scale; None takes `inspection.heat_range`.
    """
    return html_page(inspection.name, inspection_body(inspection, verdict, heat_range))


def inspection_body(inspection: Inspection, verdict: str = "", heat_range: tuple[float, float] | None = None) -> str:
    """The inside of `inspection_page`, for pages that hold `cloud_assets()` themselves."""
    prediction, regions = inspection.prediction, inspection.regions
    cloud = cloud_fragment(
        inspection.points,
        inspection.scores,
        inspection.colors,
        "Anomaly score of every point",
        heat_range=heat_range or inspection.heat_range,
        marks=[(region.peak_position, str(number)) for number, region in enumerate(regions, start=1)],
        rotation=prediction.display_rotation,
    )
    views = "".join(
        _row(name, f"{score:.4f}") for name, score in zip(prediction.view_names, prediction.view_scores, strict=True)
    )
    listed = "".join(
        _row(str(number), f"{one.peak:.4f}", _numbers(one.centroid), _numbers(one.extent), f"{one.points:,}")
        for number, one in enumerate(regions, start=1)
    )
    heading = _row("region", "peak", "centroid (x, y, z)", "extent (x, y, z)", "points", tag="th")
    return (
        f"{TABLE_STYLE}<h1>{for_html(inspection.name)}</h1>\n"
        f'<p>Anomaly score <strong id="score">{prediction.score:.4f}</strong>. {for_html(verdict)}</p>\n{cloud}\n'
        f"<h2>Most anomalous regions</h2>\n<table>{heading}{listed}</table>\n"
        f"<h2>Views</h2>\n<table>{_row('view', 'score', tag='th')}{views}</table>\n"
        f"<h2>How the file was read</h2>\n<p>{for_html(inspection.reading)}. "
        f"Extent of the scan (x, y, z): {_numbers(inspection.extent)}.</p>"
    )


def _row(*cells: str, tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{for_html(cell)}</{tag}>" for cell in cells) + "</tr>"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)

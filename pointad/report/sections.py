"""The sections of a run's page, as HTML; sections without data are empty."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pointad.data.layout import SampleFiles
from pointad.evaluation.modalities import MODALITY_TITLES
from pointad.evaluation.result_table import mean_title, table_notes
from pointad.evaluation.results import Metrics, Results, metric_title, percent, percent_with_deviation
from pointad.files.escaping import for_html
from pointad.metrics.aupro import DEFAULT_LIMIT
from pointad.metrics.curves import Curve
from pointad.report.charts import (
    ANOMALOUS_COLOR,
    GOOD_COLOR,
    Axes,
    Line,
    histogram,
    legend_swatch,
    line_chart,
)
from pointad.report.clouds import scored_cloud
from pointad.report.runs import Run, SampleScore
from pointad.report.samples import JudgedSample, sample_picture
from pointad.training.terms import LOSSES
from pointad.visualization.cloud_viewer import cloud_fragment

CLOUD_POINTS = 40_000  # about 0.5 MB of HTML each


@dataclass(frozen=True)
class _Column:
    """A column of the result table."""

    modality: str
    metric: str
    opens_group: bool  # the first of its modality


def result_section(results: Results) -> str:
    """One table: classes down, modalities and metrics across, the mean last."""
    columns = [
        _Column(modality, name, opens_group=index == 0)
        for modality in results.modalities
        for index, name in enumerate(results.metric_names(modality))
    ]
    groups = "".join(
        f'<th scope="colgroup" class="first" colspan="{len(results.metric_names(modality))}">'
        f"{for_html(MODALITY_TITLES.get(modality, modality))}</th>"
        for modality in results.modalities
    )
    headings = "".join(
        f'<th scope="col"{" class=first" if column.opens_group else ""}>{for_html(metric_title(column.metric))}</th>'
        for column in columns
    )
    deviations, left_out = results.deviations, set(results.left_out)
    rows = [
        _result_row(name + (" *" if name in left_out else ""), of_class, columns, deviations.get(name, {}))
        for name, of_class in results.classes.items()
    ]
    rows.append(
        _result_row(mean_title(results.classes), results.mean, columns, results.mean_deviation, css_class="mean")
    )
    spread = ", mean ± standard deviation over the draws of good scans" if results.draws else ""
    notes = dict.fromkeys(note for modality in results.modalities for note in table_notes(results, modality))
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Results per class"><table>'
        f"<caption>Per cent, {for_html(results.protocol.supervision)}{spread}; "
        "areas are exact unless stated otherwise above</caption>"
        f'<thead><tr><td></td>{groups}</tr><tr><th scope="col">class</th>{headings}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        + "".join(f'<p class="note">{for_html(note)}</p>' for note in notes)
    )


def curve_section(curves: dict[str, dict[str, dict[str, dict[str, Curve]]]], modalities: Sequence[str]) -> str:
    """Three charts per modality, with a line per class: sample ROC, point ROC, and PRO up to its limit."""
    if not curves:
        return ""
    kinds = (
        ("image", "roc", "ROC of samples", "true-positive rate", (0.0, 1.0)),
        ("pixel", "roc", "ROC of points", "true-positive rate", (0.0, 1.0)),
        ("pixel", "pro", f"PRO of regions, to {DEFAULT_LIMIT}", "mean overlap of regions", (0.0, DEFAULT_LIMIT)),
    )
    parts = [_class_legend(list(curves))]
    for modality in modalities:
        charts = []
        for level, kind, title, y_title, x_range in kinds:
            lines = []
            for style, (class_name, of_class) in enumerate(curves.items()):
                curve = of_class.get(modality, {}).get(level, {}).get(kind)
                if curve:
                    x, y = _until(curve, x_range[1])
                    lines.append(Line(class_name, x, y, style))
            if lines:
                charts.append(line_chart(title, lines, Axes("false-positive rate", y_title, x_range)))
        if charts:
            heading = for_html(MODALITY_TITLES.get(modality, modality))
            parts.append(f'<h3>{heading}</h3><div class="charts">{"".join(charts)}</div>')
    return "".join(parts)


def histogram_section(scores: Sequence[SampleScore], modality: str) -> str:
    """One chart per class: scores of good samples against those of anomalous ones."""
    if not scores:
        return ""
    charts = []
    by_class: dict[str, list[SampleScore]] = {}
    for sample in scores:
        by_class.setdefault(sample.class_name, []).append(sample)
    for class_name, samples in by_class.items():
        of_class = [s for s in samples if modality in s.scores]
        good, anomalous = ([s.scores[modality] for s in of_class if s.label == label] for label in (0, 1))
        charts.append(histogram(class_name, good, anomalous))
    legend = "".join(
        f'<li><span class="block" style="background:{color}"></span>{name}</li>'
        for color, name in ((GOOD_COLOR, "good, upwards"), (ANOMALOUS_COLOR, "anomalous, downwards"))
    )
    return (
        f"<p>{for_html(MODALITY_TITLES.get(modality, modality))} score of every sample. The further apart the two "
        f'kinds are, the better.</p><ul class="legend">{legend}</ul><div class="charts">{"".join(charts)}</div>'
    )


def loss_section(losses: dict[str, list[float]]) -> str:
    """One chart per loss term: every step as a faint line, the mean of each epoch on top."""
    epochs = losses.get("epoch", [])
    charts = []
    for style, (name, term) in enumerate(LOSSES.items()):
        values = losses.get(name, [])
        if not values or not any(values):  # a term that was switched off is zero throughout
            continue
        x = _epoch_positions(epochs)
        ends, means = _epoch_means(epochs, values)
        axes = Axes("epoch", "loss", (0.0, max(x)), (0.0, max(values) * 1.05))
        lines = [Line(f"{name}, every step", x, values, style, is_faint=True), Line(name, ends, means, style)]
        charts.append(line_chart(f"{term.title}, last {means[-1]:.4f}", lines, axes))
    return f'<div class="charts">{"".join(charts)}</div>' if charts else ""


def sample_section(
    run: Run,
    chosen: Sequence[tuple[str, Sequence[JudgedSample]]],
    scans: Mapping[tuple[str, str, str], SampleFiles | None],
) -> str:
    """Pictures of chosen samples under headings; samples without a picture are omitted.

    Args:
        run: the test run.
        chosen: headings and samples.
        scans: the files of each sample's scan by its name, see `pointad.report.samples.files_of`.
    """
    parts = []
    for heading, samples in chosen:
        figures = []
        for one in samples:
            picture = sample_picture(run, one, scans[one.sample.name])
            if picture is not None:
                text = f"{_sample_text(one)}, {abs(one.margin):.1f} σ on the {_side(one)} side"
                figures.append(
                    f"<figure><figcaption>{for_html(text)}</figcaption>"
                    f'<img src="{picture.address}" width="{picture.width}" height="{picture.height}" '
                    f'alt="{for_html(one.title)}: pictures and heat maps">'
                    "</figure>"
                )
        if figures:
            parts.append(f'<h3>{for_html(heading)}</h3><div class="samples">{"".join(figures)}</div>')
    return "".join(parts)


def cloud_section(
    run: Run, samples: Sequence[JudgedSample], scans: Mapping[tuple[str, str, str], SampleFiles | None]
) -> str:
    """Interactive point clouds, coloured by score; samples without maps or points are omitted.

    Args:
        run, scans: as in `sample_section`.
        samples: to be shown.
    """
    figures = []
    for one in samples:
        cloud = scored_cloud(run, one.sample, scans[one.sample.name])
        if cloud is not None and len(cloud.points):
            title = f"{one.title}, {MODALITY_TITLES[cloud.modality].lower()} score"
            figures.append(cloud_fragment(cloud.points, cloud.scores, cloud.colors, title, most_points=CLOUD_POINTS))
    return f'<div class="clouds">{"".join(figures)}</div>' if figures else ""


def _result_row(
    name: str,
    values: Mapping[str, Metrics],
    columns: Sequence[_Column],
    deviations: Mapping[str, Metrics],
    css_class: str | None = None,
) -> str:
    def of(figures: Mapping[str, Metrics], column: _Column) -> float | None:
        return figures.get(column.modality, {}).get(column.metric)

    cells = "".join(_result_cell(of(values, column), of(deviations, column), column) for column in columns)
    return f'<tr{f" class={css_class}" if css_class else ""}><th scope="row">{for_html(name)}</th>{cells}</tr>'


def _result_cell(value: float | None, deviation: float | None, column: _Column) -> str:
    """A number on a bar of proportional length."""
    names = ["first"] if column.opens_group else []
    if value is None:
        return f'<td class="{" ".join(names)}">{percent(value)}</td>'
    text = percent_with_deviation(value, deviation)
    return f'<td class="{" ".join(["bar", *names])}" style="--share:{100 * value:.1f}%">{text}</td>'


def _class_legend(names: Sequence[str]) -> str:
    items = "".join(f"<li>{legend_swatch(style)}{for_html(name)}</li>" for style, name in enumerate(names))
    return f'<ul class="legend">{items}</ul>'


def _until(curve: Curve, x_end: float) -> tuple[list[float], list[float]]:
    """The part of a curve up to x_end, with the point where it crosses it."""
    x, y = curve["false_positive_rate"], curve["height"]
    inside = sum(value <= x_end for value in x)
    kept_x, kept_y = list(x[:inside]), list(y[:inside])
    if 0 < inside < len(x):
        share = (x_end - x[inside - 1]) / (x[inside] - x[inside - 1])
        kept_x.append(x_end)
        kept_y.append(y[inside - 1] + share * (y[inside] - y[inside - 1]))
    return kept_x, kept_y


def _epoch_positions(epochs: Sequence[float]) -> list[float]:
    """The end of every step, in epochs."""
    steps = Counter(epochs)
    seen: dict[float, int] = {}
    positions = []
    for epoch in epochs:
        seen[epoch] = seen.get(epoch, 0) + 1
        positions.append(epoch - 1 + seen[epoch] / steps[epoch])
    return positions


def _epoch_means(epochs: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    by_epoch: dict[float, list[float]] = {}
    for epoch, value in zip(epochs, values, strict=True):
        by_epoch.setdefault(epoch, []).append(value)
    return list(by_epoch), [sum(of_epoch) / len(of_epoch) for of_epoch in by_epoch.values()]


def _sample_text(one: JudgedSample) -> str:
    scores = ", ".join(f"{MODALITY_TITLES[name].lower()} {score:.3f}" for name, score in one.sample.scores.items())
    return f"{one.title} ({'anomalous' if one.sample.label else 'good'}; {scores})"


def _side(one: JudgedSample) -> str:
    return "wrong" if one.margin < 0 else "right"
